package ctr.ingest;

import static ctr.ingest.Samples.NOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.Test;

/** The same topic gives the same counts and the same late records at any parallelism, order of reading and restart. */
class ParallelismTest {

    private static final int PARTITIONS = 4;
    private static final int RECORDS = 3_000;

    /** Event times by partition and offset: on the whole rising, out of order by up to 90 s. */
    private static long[][] topic(Random random) {
        long[][] topic = new long[PARTITIONS][RECORDS];
        for (long[] partition : topic) {
            for (int offset = 0; offset < RECORDS; offset++) {
                long lag = random.nextInt(10) == 0 ? random.nextInt(90_000) : random.nextInt(5_000);
                partition[offset] = NOON + 100_000 + offset * 200L - lag;
            }
        }
        return topic;
    }

    /** What the contract says, without the pre-aggregation. */
    private static List<String> expectedLate(long[][] topic) {
        List<String> late = new ArrayList<>();
        for (int partition = 0; partition < PARTITIONS; partition++) {
            long highest = Long.MIN_VALUE / 2;
            for (int offset = 0; offset < RECORDS; offset++) {
                long time = topic[partition][offset];
                if (time - time % 60_000 + 60_000 <= highest - 10_000) {
                    late.add("late " + partition + "/" + offset);
                }
                highest = Math.max(highest, time);
            }
        }
        return late.stream().sorted().toList();
    }

    private static void add(Map<Long, Long> counts, List<Subtask> subtasks) {
        for (Subtask subtask : subtasks) {
            subtask.harness().getRecordOutput().forEach(record ->
                    counts.merge(record.getTimestamp(), (Long) record.getValue().getField(2), Long::sum));
        }
    }

    private static List<Subtask> start(int parallelism, OperatorSubtaskState... checkpoints) throws Exception {
        List<Subtask> subtasks = new ArrayList<>();
        for (int i = 0; i < parallelism; i++) {
            subtasks.add(Subtask.restore(parallelism, i, checkpoints));
        }
        return subtasks;
    }

    @Test
    void countsAndLateRecordsAreTheTopicsAlone() throws Exception {
        Random random = new Random(1);
        long[][] topic = topic(random);
        List<String> expectedLate = expectedLate(topic);
        assertTrue(expectedLate.size() > 50 && expectedLate.size() < PARTITIONS * RECORDS / 2);
        Map<Long, Long> expectedCounts = null;
        for (int[] plan : new int[][] {{1}, {2}, {4}, {4, 1}, {1, 4, 2}, {3, 2, 1, 4}}) {
            List<String> deadLetters = new ArrayList<>();
            Map<Long, Long> counts = new TreeMap<>();
            Map<String, Row> ledger = new TreeMap<>();
            run(topic, plan, random, deadLetters, counts, ledger);
            long counted = ledger.values().stream().mapToLong(entry -> (Long) entry.getField(6)).sum();
            long late = ledger.values().stream().mapToLong(entry -> (Long) entry.getField(7)).sum();
            assertEquals(expectedLate, deadLetters.stream().sorted().toList());
            assertEquals(expectedLate.size(), late);
            assertEquals(PARTITIONS * RECORDS, counted + late, "the conservation law");
            assertEquals(counted, counts.values().stream().mapToLong(Long::longValue).sum());
            expectedCounts = expectedCounts == null ? counts : expectedCounts;
            assertEquals(expectedCounts, counts);
        }
    }

    /** Read the topic, restarting at another parallelism after equal parts of it. */
    private static void run(
            long[][] topic,
            int[] plan,
            Random random,
            List<String> deadLetters,
            Map<Long, Long> counts,
            Map<String, Row> ledger)
            throws Exception {
        int[] next = new int[PARTITIONS];
        GlobalWatermark watermark = new GlobalWatermark(Samples.settings().timeRules);
        OperatorSubtaskState[] checkpoints = null;
        for (int part = 0; part < plan.length; part++) {
            List<Subtask> subtasks = start(plan[part], checkpoints);
            int until = RECORDS * (part + 1) / plan.length;
            while (!read(topic, next, until, subtasks, random)) {
                for (Subtask subtask : subtasks) {
                    ProgressReport report = subtask.tick();
                    watermark.setPartitionCount(PARTITIONS);
                    report.progress.forEach(watermark::advance);
                    for (int partition : report.activePartitions) {
                        watermark.active(partition);
                    }
                    watermark.tick(1);
                    subtask.advance(watermark.watermarkMs());
                }
            }
            checkpoints = new OperatorSubtaskState[plan[part]];
            for (int i = 0; i < plan[part]; i++) {
                checkpoints[i] = subtasks.get(i).checkpoint(part + 1);
                subtasks.get(i).complete(part + 1);
            }
            add(counts, subtasks);
            for (Subtask subtask : subtasks) {
                deadLetters.addAll(subtask.deadLetters());
                for (Row entry : subtask.ledger()) {
                    // After a restore the checkpoint's entries come again: an upsert by partition and offset.
                    ledger.put(entry.getField(1) + "/" + entry.getField(2), entry);
                }
                subtask.close();
            }
        }
    }

    /** A random stretch of every partition; true when all have been read that far. */
    private static boolean read(long[][] topic, int[] next, int until, List<Subtask> subtasks, Random random)
            throws Exception {
        boolean done = true;
        for (int partition = 0; partition < PARTITIONS; partition++) {
            Subtask reader = subtasks.get(partition % subtasks.size());
            for (int i = random.nextInt(40); i > 0 && next[partition] < until; i--) {
                reader.event(partition, next[partition], topic[partition][next[partition]++]);
            }
            done &= next[partition] == until;
        }
        return done;
    }
}
