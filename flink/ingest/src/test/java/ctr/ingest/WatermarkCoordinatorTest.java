package ctr.ingest;

import static ctr.ingest.Samples.NOON;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.runtime.executiongraph.ExecutionAttemptID;
import org.apache.flink.runtime.executiongraph.ExecutionGraphID;
import org.apache.flink.runtime.jobgraph.JobVertexID;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.messages.Acknowledge;
import org.apache.flink.runtime.operators.coordination.MockOperatorCoordinatorContext;
import org.apache.flink.runtime.operators.coordination.OperatorCoordinator;
import org.apache.flink.runtime.operators.coordination.OperatorEvent;
import org.apache.flink.runtime.scheduler.strategy.ExecutionVertexID;
import org.junit.jupiter.api.Test;

/** Reports in, advances out. The test stands in for the thread that asks Kafka. */
class WatermarkCoordinatorTest {

    private final JobVertexID vertex = new JobVertexID();
    private final Map<Integer, List<Long>> advances = new HashMap<>();
    private final WatermarkCoordinator coordinator = new WatermarkCoordinator(
            new MockOperatorCoordinatorContext(new OperatorID(), 2), Samples.settings());

    private final class Gateway implements OperatorCoordinator.SubtaskGateway {
        private final int subtask;
        private final ExecutionAttemptID attempt;

        Gateway(int subtask, int attempt) {
            this.subtask = subtask;
            this.attempt =
                    new ExecutionAttemptID(new ExecutionGraphID(), new ExecutionVertexID(vertex, subtask), attempt);
        }

        @Override
        public CompletableFuture<Acknowledge> sendEvent(OperatorEvent event) {
            advances.computeIfAbsent(subtask, number -> new ArrayList<>()).add(((WatermarkAdvance) event).jobWatermarkMs);
            return CompletableFuture.completedFuture(Acknowledge.get());
        }

        @Override
        public ExecutionAttemptID getExecution() {
            return attempt;
        }

        @Override
        public int getSubtask() {
            return subtask;
        }
    }

    private void ready(int attempt, int partitions) {
        for (int subtask = 0; subtask < 2; subtask++) {
            coordinator.executionAttemptReady(subtask, attempt, new Gateway(subtask, attempt));
        }
        coordinator.partitionCount = partitions;
    }

    /** Subtask i reads partition i, and reports a valid record there. */
    private void report(int subtask, int attempt, long adoptedMs, long highestMs) {
        PartitionProgress progress = new PartitionProgress(subtask);
        progress.addValid(highestMs, highestMs);
        progress.nextOffset = 1;
        coordinator.handleEventFromOperator(
                subtask, attempt, new ProgressReport(adoptedMs, List.of(progress), new int[] {subtask}));
    }

    private void quiet(int subtask, long adoptedMs) {
        coordinator.handleEventFromOperator(subtask, 0, new ProgressReport(adoptedMs, List.of(), new int[0]));
    }

    private List<Long> advancesOf(int subtask) {
        return advances.getOrDefault(subtask, List.of());
    }

    @Test
    void theWatermarkIsTheSlowestPartitionsOfAllSubtasks() {
        ready(0, 2);
        report(0, 0, Windows.NONE, NOON + 30_000);
        assertEquals(List.of(), advancesOf(0), "subtask 1 has not reported");
        report(1, 0, Windows.NONE, NOON + 20_000);
        assertEquals(List.of(NOON + 10_000), advancesOf(1));
        report(0, 0, Windows.NONE, NOON + 40_000);
        assertEquals(List.of(NOON + 10_000), advancesOf(0));
        report(1, 0, NOON + 10_000, NOON + 20_000);
        assertEquals(1, advancesOf(1).size(), "who has adopted it is not sent it again");
    }

    @Test
    void nothingIsDecidedBeforeKafkaSaidHowManyPartitionsThereAre() {
        ready(0, 0);
        report(0, 0, Windows.NONE, NOON);
        report(1, 0, Windows.NONE, NOON);
        assertEquals(Map.of(), advances);
        coordinator.partitionCount = 2;
        report(0, 0, Windows.NONE, NOON);
        assertEquals(List.of(NOON - 10_000), advancesOf(0));
    }

    @Test
    void aPartitionThatNobodyHasReadHoldsTheWatermark() {
        ready(0, 3);
        for (int i = 0; i < 150; i++) {
            report(0, 0, Windows.NONE, NOON);
            report(1, 0, Windows.NONE, NOON);
        }
        assertEquals(Map.of(), advances, "it may hold records");
        assertEquals(Map.of(0, 1L, 1, 1L, 2, 0L), coordinator.nextOffsets);
        coordinator.endOffsets.set(Map.of(0, 1L, 1, 1L, 2, 1L));
        report(0, 0, Windows.NONE, NOON);
        report(1, 0, Windows.NONE, NOON);
        assertEquals(Map.of(), advances, "it holds one that nobody has read");
        coordinator.endOffsets.set(Map.of(0, 1L, 1, 1L, 2, 0L));
        report(0, 0, Windows.NONE, NOON);
        report(1, 0, Windows.NONE, NOON);
        assertEquals(List.of(NOON - 10_000), advancesOf(1));
    }

    @Test
    void timePassesOnlyWhenAllSubtasksReport() {
        ready(0, 2);
        report(1, 0, Windows.NONE, NOON);
        for (int i = 0; i < 1_000; i++) {
            report(0, 0, Windows.NONE, NOON + 60_000);
        }
        assertEquals(List.of(NOON - 10_000), List.copyOf(new java.util.TreeSet<>(advancesOf(0))), "a slow subtask is not idle");
    }

    @Test
    void reportsOfAnotherAttemptAreNotHeard() {
        ready(1, 2);
        report(0, 0, NOON + 600_000, NOON + 600_000);
        report(1, 0, NOON + 600_000, NOON + 600_000);
        assertEquals(Map.of(), advances);
        report(0, 1, Windows.NONE, NOON);
        report(1, 1, Windows.NONE, NOON);
        assertEquals(List.of(NOON - 10_000), advancesOf(1));
    }

    @Test
    void reportsOfAFailedAttemptAreNotHeard() {
        ready(0, 2);
        coordinator.executionAttemptFailed(0, 0, new RuntimeException("killed"));
        report(0, 0, Windows.NONE, NOON);
        report(1, 0, Windows.NONE, NOON);
        assertEquals(Map.of(), advances);
    }

    @Test
    void aRestartedJobStartsFromItsCheckpointNotFromItsPast() {
        ready(0, 2);
        report(0, 0, Windows.NONE, NOON + 600_000);
        report(1, 0, Windows.NONE, NOON + 600_000);
        assertEquals(List.of(NOON + 590_000), advancesOf(1));
        for (int subtask = 0; subtask < 2; subtask++) {
            coordinator.executionAttemptFailed(subtask, 0, new RuntimeException("killed"));
            coordinator.subtaskReset(subtask, 1);
        }
        ready(1, 2);
        report(0, 1, NOON, NOON + 10_000);
        report(1, 1, NOON, NOON + 10_000);
        assertEquals(1, advancesOf(1).size(), "nothing is ahead of what the checkpoint held");
        report(0, 1, NOON, NOON + 20_000);
        report(1, 1, NOON, NOON + 20_000);
        assertEquals(List.of(NOON + 590_000, NOON + 10_000), advancesOf(1));
    }

    @Test
    void aRestoredWatermarkReachesASubtaskThatHasNone() {
        ready(0, 2);
        quiet(0, NOON);
        quiet(1, Windows.NONE);
        assertEquals(List.of(NOON), advancesOf(1));
    }

    @Test
    void theLastWindowsCloseOnlyWhenTheTopicIsReadToItsEnd() {
        ready(0, 2);
        report(0, 0, Windows.NONE, NOON + 30_000);
        report(1, 0, Windows.NONE, NOON + 40_000);
        for (int i = 0; i < 601; i++) {
            quiet(0, NOON + 20_000);
            quiet(1, NOON + 20_000);
        }
        assertEquals(Map.of(0, 1L, 1, 1L), coordinator.nextOffsets);
        assertEquals(List.of(NOON + 20_000), List.copyOf(new java.util.TreeSet<>(advancesOf(1))), "Kafka has not answered");
        coordinator.endOffsets.set(Map.of(0, 2L, 1, 2L));
        quiet(0, NOON + 20_000);
        quiet(1, NOON + 20_000);
        assertEquals(1, new java.util.TreeSet<>(advancesOf(1)).size(), "records are left to read");
        coordinator.endOffsets.set(Map.of(0, 1L, 1, 1L));
        quiet(0, NOON + 20_000);
        quiet(1, NOON + 20_000);
        assertEquals(NOON + 300_000, advancesOf(1).get(advancesOf(1).size() - 1), "long ago: the five minutes too");
    }

    @Test
    void checkpointsOfItHoldNothing() throws Exception {
        CompletableFuture<byte[]> result = new CompletableFuture<>();
        coordinator.checkpointCoordinator(1, result);
        assertEquals(0, result.get().length);
        coordinator.close();
    }
}
