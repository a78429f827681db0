package ctr.ingest;

import static ctr.ingest.Samples.NOON;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Runs the ingest stage and the job watermark on a virtual clock, by a seed: partitions that pause, lag, lose their leader,
 * hold the past or garbage; subtasks that stall; checkpoints that complete late or never; crashes, and restores at another
 * parallelism. Every outcome and every move of the watermark is held against {@link WatermarkReference}, and what has left
 * in the end against {@link FinalReference}: they know the contract and nothing of the code.
 */
final class Simulation {

    /** So long after the last record everything must be closed, whatever has crashed. */
    private static final long QUIET_MS = 5 * Windows.ONE_MINUTE_MS;

    /** Nothing breaks in so much of the end: whatever stalls or is stuck by then comes to its end. */
    private static final long CALM_MS = 2 * QUIET_MS / 3;

    private static final long END_MS = NOON + SimulatedTopic.SPAN_MS + QUIET_MS;

    private static final int MAX_PARALLELISM = 4;

    private static final int CAP = 3;

    /** How often a subtask reports. Seldom: more schedules in the same time; the contract knows no such pace. */
    private static final long[] PACES_MS = {100, 200, 500, 500, 1_000, 1_000};

    /** A checkpoint of the whole job. */
    private record Checkpoint(
            long id, Object[] subtasks, int[] offsets, Downstream.State downstream, long leastAnnouncedMs) {}

    private final SplittableRandom random;
    private final SimulatedSubtask.Start starting;
    private final IngestSettings settings;
    private final SimulatedTopic topic;
    private final long tickMs;
    private final Downstream downstream = new Downstream();
    private final FinalReference reference;

    // The running job.
    private List<SimulatedSubtask> subtasks = List.of();
    private int[] offsets;
    private WatermarkRounds rounds;
    private WatermarkReference expected;
    private Map<Integer, Long> endsSaid;
    private long restoredMs;
    private final List<Deque<WatermarkAdvance>> advances = new ArrayList<>();
    private final Event event = new Event(2, 1);

    private long nowMs = NOON;
    private long run;
    private final long[] stalledUntilMs = new long[MAX_PARALLELISM];
    private final long[] awayUntilMs;

    private Simulation(long seed, SimulatedSubtask.Start starting, IngestSettings settings, boolean anyPace) {
        random = new SplittableRandom(seed);
        this.starting = starting;
        this.settings = settings;
        tickMs = anyPace ? PACES_MS[random.nextInt(PACES_MS.length)] : PreAggregator.TICK_MS;
        topic = new SimulatedTopic(random);
        awayUntilMs = new long[topic.partitions()];
        reference = new FinalReference(topic, CAP);
    }

    /** Seconds in place of minutes, so that four minutes hold many idle times. */
    static IngestSettings rules() {
        IngestSettings settings = Samples.settings();
        settings.timeRules.outOfOrdernessMs = 2_000;
        settings.timeRules.partitionIdleMs = 3_000;
        settings.timeRules.topicIdleMs = 10_000;
        settings.timeRules.maxAheadMs = 5_000;
        settings.timeRules.stragglerAfterMs = 40_000;
        settings.maxSegments = CAP;
        return settings;
    }

    /** Runs one schedule through {@link Accounting} itself. @return what is wrong; empty if all is right */
    static List<String> run(long seed, IngestSettings rules) throws Exception {
        return new Simulation(seed, SimulatedSubtask::plain, rules, true).run();
    }

    /** Runs one schedule through the operator in Flink's harness. @return what is wrong; empty if all is right */
    static List<String> runInHarness(long seed, IngestSettings rules) throws Exception {
        return new Simulation(seed, HarnessSubtask::all, rules, false).run();
    }

    private List<String> run() throws Exception {
        try {
            play();
            return reference.problems(downstream, expected.watermarkMs(), run);
        } catch (Violation broken) {
            return List.of(broken.getMessage() + " (" + (nowMs - NOON) + " ms after the start, run " + run + ")");
        } finally {
            close();
        }
    }

    private void close() throws Exception {
        for (SimulatedSubtask subtask : subtasks) {
            subtask.close();
        }
    }

    // ---- the schedule ----------------------------------------------------------------------------

    /** Whether what happens once in so many milliseconds happens in this tick. */
    private boolean happens(long onceInMs) {
        return random.nextLong(onceInMs) < tickMs;
    }

    private void play() throws Exception {
        start(null);
        Checkpoint complete = null;
        Checkpoint pending = null;
        long pendingUntilMs = 0;
        long id = 0;
        while (nowMs < END_MS) {
            nowMs += tickMs;
            boolean calm = nowMs > END_MS - CALM_MS;
            for (int i = 0; i < subtasks.size(); i++) {
                if (!calm && happens(30_000)) {
                    stalledUntilMs[i] = nowMs + random.nextInt(8_000);
                }
                if (nowMs >= stalledUntilMs[i]) {
                    work(i, calm);
                }
            }
            if (pending == null && happens(6_000)) {
                pending = checkpoint(++id);
                pendingUntilMs = random.nextInt(6) == 0 ? Long.MAX_VALUE : nowMs + random.nextInt(3_000);
            } else if (pending != null && nowMs >= pendingUntilMs) {
                complete = pending;
                pending = null;
                // A crash may come before all subtasks have heard of it.
                boolean all = calm || random.nextInt(4) > 0;
                for (SimulatedSubtask subtask : subtasks) {
                    if (all || random.nextBoolean()) {
                        subtask.complete(complete.id);
                    }
                }
                if (!all) {
                    start(complete);
                }
            } else if (pending != null && pendingUntilMs == Long.MAX_VALUE && happens(5_000)) {
                pending = null;
            }
            if (!calm && happens(90_000)) {
                start(complete);
                pending = null;
            }
        }
        reference.forgets(checkpoint(++id).subtasks, expected);
        for (SimulatedSubtask subtask : subtasks) {
            subtask.complete(id);
        }
    }

    /** Starts the job from a checkpoint, or from nothing, at a parallelism of its own. */
    private void start(Checkpoint from) throws Exception {
        close();
        int parallelism = 1 + random.nextInt(MAX_PARALLELISM);
        settings.runStartedMs = ++run;
        downstream.restore(from == null ? null : from.downstream, parallelism);
        subtasks = starting.all(settings, downstream.outputs(), from == null ? null : from.subtasks);
        offsets = from == null ? new int[topic.partitions()] : from.offsets.clone();
        advances.clear();
        for (int i = 0; i < parallelism; i++) {
            advances.add(new ArrayDeque<>());
        }
        rounds = new WatermarkRounds(settings.timeRules, new Broker(), (event, passedOver, fromMs, toMs) -> {}, tickMs);
        restoredMs = from == null ? Windows.NONE : from.leastAnnouncedMs;
        expected = new WatermarkReference(settings.timeRules, tickMs, topic.partitions(), parallelism, restoredMs);
        for (int partition = 0; partition < offsets.length; partition++) {
            for (int offset = 0; offset < offsets[partition]; offset++) {
                expected.readBefore(topic.get(partition, offset));
            }
        }
    }

    /** Answers when the simulator has let it be asked. */
    private final class Broker implements WatermarkRounds.Broker {

        @Override
        public int partitionCount() {
            return topic.partitions();
        }

        @Override
        public Map<Integer, Long> takeEndOffsets() {
            Map<Integer, Long> said = endsSaid;
            endsSaid = null;
            return said;
        }
    }

    /** What one subtask does in a tick: read, report, and obey the coordinator, who may be slow. */
    private void work(int index, boolean calm) throws Exception {
        SimulatedSubtask subtask = subtasks.get(index);
        for (int partition = index; partition < topic.partitions(); partition += subtasks.size()) {
            if (!calm && happens(60_000)) {
                awayUntilMs[partition] = nowMs + random.nextInt(20_000);
            }
            if (nowMs >= awayUntilMs[partition]) {
                read(index, partition);
            }
        }
        ProgressReport report = subtask.tick(nowMs);
        boolean passes = expected.worked(index, partition -> partition % subtasks.size() == index);
        if (passes) {
            askBroker();
            expected.pass(nowMs);
        }
        rounds.report(index, subtasks.size(), report, nowMs);
        if (rounds.watermarkMs() != expected.watermarkMs()) {
            throw new Violation("the job watermark is " + rounds.watermarkMs() + ", not " + expected.watermarkMs());
        }
        if (report.jobWatermarkMs < rounds.watermarkMs()) {
            advances.get(index).add(new WatermarkAdvance(rounds.watermarkMs(), rounds.adoptedByAllMs()));
        }
        if (!advances.get(index).isEmpty() && random.nextInt(3) > 0) {
            subtask.advance(advances.get(index).poll());
        }
    }

    private void read(int index, int partition) throws Exception {
        int end = topic.end(partition, nowMs);
        int upTo = Math.min(end, offsets[partition] + random.nextInt(30));
        if (offsets[partition] < upTo) {
            expected.wasRead(partition);
        }
        while (offsets[partition] < upTo) {
            SimulatedTopic.Appended appended = topic.get(partition, offsets[partition]++);
            Outcome outcome = outcome(appended, index);
            event.load(appended.record());
            event.timestampMs = appended.eventMs();
            event.dimensions[0] = appended.category();
            event.dimensions[1] = 1;
            event.measures[0] = event.click = appended.click();
            if (!appended.valid()) {
                event.timestampMs = Long.MAX_VALUE;
                event.reject(Outcome.MALFORMED, "rejected by the simulator");
            }
            subtasks.get(index).add(event);
            if (event.outcome != outcome) {
                throw new Violation(partition + "/" + (offsets[partition] - 1) + " is " + event.outcome + ", not " + outcome);
            }
            expected.read(appended, outcome == Outcome.COUNTED);
            reference.decided(appended, outcome);
        }
    }

    private Outcome outcome(SimulatedTopic.Appended appended, int index) {
        if (!appended.valid()) {
            return Outcome.MALFORMED;
        }
        long end = Windows.oneMinuteEnd(appended.eventMs());
        long announced = Math.max(restoredMs, downstream.announcedMs(index));
        boolean late = end <= expected.partitionWatermarkMs(appended.record().partition()) || end <= announced;
        return late ? Outcome.LATE : Outcome.COUNTED;
    }

    private void askBroker() {
        if (!happens(1_000)) {
            return;
        }
        endsSaid = new HashMap<>();
        for (int partition = 0; partition < topic.partitions(); partition++) {
            // Where a leader is away, the broker may not know the end.
            if (nowMs >= awayUntilMs[partition] || random.nextBoolean()) {
                int end = topic.end(partition, nowMs);
                endsSaid.put(partition, (long) end);
                expected.endsAt(partition, end);
            }
        }
    }

    private Checkpoint checkpoint(long id) throws Exception {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < subtasks.size(); i++) {
            least = Math.min(least, Math.max(restoredMs, downstream.announcedMs(i)));
        }
        Object[] states = new Object[subtasks.size()];
        for (int i = 0; i < states.length; i++) {
            states[i] = subtasks.get(i).checkpoint(id);
        }
        return new Checkpoint(id, states, offsets.clone(), downstream.checkpoint(), least);
    }

    /**
     * Runs the seeds from the first argument to before the second, with a third argument in Flink's harness; ends with
     * status 1 at the first that fails.
     */
    public static void main(String[] arguments) throws Exception {
        boolean harness = arguments.length > 2;
        IngestSettings rules = rules();
        for (long seed = Long.parseLong(arguments[0]); seed < Long.parseLong(arguments[1]); seed++) {
            List<String> problems = harness ? runInHarness(seed, rules) : run(seed, rules);
            if (!problems.isEmpty()) {
                System.out.println("seed " + seed + ": " + problems);
                System.exit(1);
            }
        }
        System.out.println("all right");
    }
}
