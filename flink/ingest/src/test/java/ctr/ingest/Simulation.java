package ctr.ingest;

import static ctr.ingest.Samples.NOON;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.types.Row;

/**
 * Runs the ingest stage and the job watermark on a virtual clock, by a seed: partitions that pause, lag, hold the past or
 * garbage; subtasks that stall; checkpoints that complete late or never; crashes, and restores at another parallelism. What
 * has left in the end is held against a reference that knows the contract and nothing of the code.
 *
 * <p>Downstream of the stage is modelled: a window operator whose state is part of each checkpoint, a table of upserts, a
 * topic of dead letters that is never taken back, and the ledger.
 */
final class Simulation {

    private static final long MINUTE = 60_000;
    private static final long SPAN_MS = 4 * MINUTE;

    /** So long after the last record everything must be closed, whatever has crashed. */
    private static final long QUIET_MS = 5 * MINUTE;

    private static final int CAP = 3;

    /** A record of the topic. */
    private record Appended(long brokerMs, long eventMs, String category, boolean valid) {}

    /** A window's key: its start, category, device. */
    private record Key(long start, String category, int device) {}

    /** A checkpoint of the whole job. */
    private record Checkpoint(OperatorSubtaskState[] subtasks, int[] offsets, Map<Key, Long> open, long id) {}

    private final Random random;
    private final IngestSettings settings = rules();
    private final List<List<Appended>> topic = new ArrayList<>();

    // What lies outside of the job, and is never taken back.
    private final Map<Key, Long> table = new TreeMap<>(Comparator.comparing(Key::toString));
    private final Map<String, Integer> deadLetters = new TreeMap<>();
    private final Map<String, Row> ledger = new TreeMap<>();

    // The job.
    private List<Subtask> subtasks = new ArrayList<>();
    private int[] offsets;
    private GlobalWatermark watermark;
    private Map<Key, Long> open = new HashMap<>();
    private final Map<Long, Long> closedAt = new HashMap<>();
    private long[] watermarks;
    private final List<Deque<Long>> advances = new ArrayList<>();
    private Set<Integer> reported = new HashSet<>();
    private long nowMs = NOON;
    private long run;

    private Simulation(long seed) {
        random = new Random(seed);
    }

    /** Seconds in place of minutes, so that four minutes hold many idle times. */
    private static IngestSettings rules() {
        IngestSettings settings = Samples.settings();
        settings.timeRules.outOfOrdernessMs = 2_000;
        settings.timeRules.partitionIdleMs = 3_000;
        settings.timeRules.topicIdleMs = 10_000;
        settings.timeRules.maxAheadMs = 5_000;
        settings.timeRules.stragglerAfterMs = 40_000;
        settings.maxSegments = CAP;
        return settings;
    }

    /**
     * Runs one schedule.
     *
     * @return what is wrong; empty if all is right
     */
    static List<String> run(long seed) throws Exception {
        Simulation simulation = new Simulation(seed);
        try {
            simulation.append();
            simulation.play();
            return simulation.problems();
        } catch (IllegalStateException broken) {
            return List.of(broken.getMessage());
        } finally {
            for (Subtask subtask : simulation.subtasks) {
                subtask.close();
            }
        }
    }

    // ---- the topic -------------------------------------------------------------------------------

    private void append() {
        int partitions = 1 + random.nextInt(4);
        for (int partition = 0; partition < partitions; partition++) {
            List<Appended> records = new ArrayList<>();
            long brokerMs = NOON + random.nextInt(5_000);
            long behindMs = random.nextInt(5) == 0 ? random.nextInt(120_000) : 0;
            boolean garbage = false;
            while (brokerMs < NOON + SPAN_MS) {
                if (random.nextInt(30) == 0) {
                    garbage = random.nextBoolean();
                    behindMs = random.nextInt(4) == 0 ? random.nextInt(120_000) : behindMs;
                }
                long jitterMs = random.nextInt(12) == 0 ? random.nextInt(90_000) : random.nextInt(2_000);
                long aheadMs = random.nextInt(12) == 0 ? random.nextInt(5_000) : 0;
                records.add(new Appended(
                        brokerMs, brokerMs - behindMs - jitterMs + aheadMs, "c" + random.nextInt(6), !garbage));
                brokerMs += random.nextInt(25) == 0 ? random.nextInt(20_000) : random.nextInt(1_500);
            }
            topic.add(records);
        }
    }

    private int end(int partition) {
        int end = 0;
        for (Appended record : topic.get(partition)) {
            end += record.brokerMs <= nowMs ? 1 : 0;
        }
        return end;
    }

    // ---- the job ---------------------------------------------------------------------------------

    private void play() throws Exception {
        start(null);
        List<Checkpoint> complete = new ArrayList<>();
        Checkpoint pending = null;
        long pendingUntilMs = 0;
        long id = 0;
        long[] stalledUntilMs = new long[8];
        while (nowMs < NOON + SPAN_MS + QUIET_MS) {
            nowMs += PreAggregator.TICK_MS;
            boolean quiet = nowMs > NOON + SPAN_MS + QUIET_MS / 3;
            for (int i = 0; i < subtasks.size(); i++) {
                if (!quiet && random.nextInt(300) == 0) {
                    stalledUntilMs[i] = nowMs + random.nextInt(8_000);
                }
                if (nowMs >= stalledUntilMs[i]) {
                    work(i);
                }
            }
            if (pending == null && random.nextInt(60) == 0) {
                pending = checkpoint(++id);
                pendingUntilMs = random.nextInt(6) == 0 ? Long.MAX_VALUE : nowMs + random.nextInt(3_000);
            } else if (pending != null && nowMs >= pendingUntilMs) {
                complete.add(pending);
                // A crash may come before all subtasks have heard of it.
                boolean all = quiet || random.nextInt(4) > 0;
                for (Subtask subtask : subtasks) {
                    if (all || random.nextBoolean()) {
                        subtask.complete(pending.id);
                    }
                }
                collect();
                Checkpoint completed = pending;
                pending = null;
                if (!all) {
                    start(completed);
                }
            } else if (pending != null && pendingUntilMs == Long.MAX_VALUE && random.nextInt(50) == 0) {
                pending = null;
            }
            if (!quiet && random.nextInt(900) == 0) {
                start(complete.isEmpty() ? null : complete.get(complete.size() - 1));
                pending = null;
            }
        }
        Checkpoint last = checkpoint(id + 1);
        for (Subtask subtask : subtasks) {
            subtask.complete(last.id);
        }
        collect();
    }

    /** Starts the job from a checkpoint, or from nothing, at a parallelism of its own. */
    private void start(Checkpoint checkpoint) throws Exception {
        for (Subtask subtask : subtasks) {
            subtask.close();
        }
        int parallelism = 1 + random.nextInt(4);
        settings.runStartedMs = ++run;
        subtasks = new ArrayList<>();
        advances.clear();
        for (int i = 0; i < parallelism; i++) {
            subtasks.add(Subtask.restore(settings, parallelism, i, checkpoint == null ? null : checkpoint.subtasks));
            advances.add(new ArrayDeque<>());
        }
        offsets = checkpoint == null ? new int[topic.size()] : checkpoint.offsets.clone();
        open = checkpoint == null ? new HashMap<>() : new HashMap<>(checkpoint.open);
        watermarks = new long[parallelism];
        Arrays.fill(watermarks, Windows.NONE);
        closedAt.clear();
        watermark = new GlobalWatermark(settings.timeRules);
        reported = new HashSet<>();
    }

    /** What one subtask does in a tick: read, report, and obey the coordinator, who may be slow. */
    private void work(int index) throws Exception {
        Subtask subtask = subtasks.get(index);
        for (int partition = index; partition < topic.size(); partition += subtasks.size()) {
            int end = end(partition);
            for (int left = random.nextInt(30); left > 0 && offsets[partition] < end; left--) {
                int offset = offsets[partition]++;
                Appended record = topic.get(partition).get(offset);
                if (record.valid) {
                    subtask.event(partition, offset, record.eventMs, record.brokerMs, record.category);
                } else {
                    subtask.rejected(partition, offset, Outcome.MALFORMED);
                }
            }
        }
        ProgressReport report = subtask.tick();
        watermark.restore(report.jobWatermarkMs);
        report.progress.forEach(watermark::advance);
        for (int partition : report.activePartitions) {
            watermark.active(partition);
        }
        reported.add(index);
        if (reported.size() == subtasks.size()) {
            reported.clear();
            tick();
        }
        if (report.jobWatermarkMs < watermark.watermarkMs()) {
            advances.get(index).add(watermark.watermarkMs());
        }
        if (!advances.get(index).isEmpty() && random.nextInt(3) > 0) {
            subtask.advance(advances.get(index).poll());
        }
        collect();
    }

    private void tick() {
        watermark.setPartitionCount(topic.size());
        if (random.nextInt(10) == 0) {
            for (int partition = 0; partition < topic.size(); partition++) {
                watermark.endsAt(partition, end(partition));
            }
        }
        watermark.tick(PreAggregator.TICK_MS);
        if (watermark.topicIdle() && !watermark.closed()) {
            watermark.closeLastWindows(nowMs);
        }
    }

    private Checkpoint checkpoint(long id) throws Exception {
        OperatorSubtaskState[] states = new OperatorSubtaskState[subtasks.size()];
        for (int i = 0; i < states.length; i++) {
            states[i] = subtasks.get(i).checkpoint(id);
        }
        collect();
        return new Checkpoint(states, offsets.clone(), new HashMap<>(open), id);
    }

    /** Takes what has left the stage to where it goes. */
    private void collect() throws Exception {
        for (int i = 0; i < subtasks.size(); i++) {
            Subtask subtask = subtasks.get(i);
            Object left;
            while ((left = subtask.output.poll()) != null) {
                if (left instanceof Watermark mark) {
                    if (mark.getTimestamp() < watermarks[i]) {
                        throw new IllegalStateException("a watermark went back");
                    }
                    watermarks[i] = mark.getTimestamp();
                } else if (left instanceof StreamRecord<?> record) {
                    add(record);
                }
            }
            subtask.takeDeadLetters().forEach(each -> deadLetters.merge(each, 1, Integer::sum));
            for (Row row : subtask.takeLedger()) {
                ledger.put(row.getField(1) + "/" + row.getField(2) + "/" + row.getField(12), row);
            }
        }
        close();
    }

    private void add(StreamRecord<?> record) {
        Row row = (Row) record.getValue();
        Key key = new Key(record.getTimestamp(), (String) row.getField(0), (Integer) row.getField(1));
        if (key.start + MINUTE - 1 <= slowest()) {
            throw new IllegalStateException("counts came after their window had closed: " + key);
        }
        open.merge(key, (Long) row.getField(2), Long::sum);
    }

    private long slowest() {
        return Arrays.stream(watermarks).min().orElseThrow();
    }

    /** The window operator: an upsert of whatever the watermark closes. */
    private void close() {
        long slowest = slowest();
        open.entrySet().removeIf(entry -> {
            boolean ends = entry.getKey().start + MINUTE - 1 <= slowest;
            if (ends) {
                table.put(entry.getKey(), entry.getValue());
            }
            return ends;
        });
    }

    // ---- the reference ---------------------------------------------------------------------------

    private List<String> problems() {
        List<String> problems = new ArrayList<>();
        Map<Key, Long> expected = new TreeMap<>(Comparator.comparing(Key::toString));
        for (int partition = 0; partition < topic.size(); partition++) {
            long highest = Long.MIN_VALUE / 2;
            Map<Long, Set<String>> names = new HashMap<>();
            long[] outcomes = new long[3];
            for (int offset = 0; offset < topic.get(partition).size(); offset++) {
                Appended record = topic.get(partition).get(offset);
                String place = partition + "/" + offset;
                if (!record.valid) {
                    outcomes[2]++;
                    if (!deadLetters.containsKey("malformed " + place)) {
                        problems.add("no dead letter of " + place);
                    }
                    continue;
                }
                long start = Windows.start(record.eventMs, MINUTE);
                boolean byContent = start + MINUTE <= highest - settings.timeRules.outOfOrdernessMs;
                boolean late = deadLetters.containsKey("late " + place);
                if (byContent && !late) {
                    problems.add(place + " is late by the partition's content, and no dead letter says so");
                }
                highest = Math.max(highest, Math.min(record.eventMs, record.brokerMs));
                outcomes[late ? 1 : 0]++;
                if (!late) {
                    Set<String> named = names.computeIfAbsent(start, each -> new HashSet<>());
                    boolean known = named.contains(record.category) || named.size() < CAP && named.add(record.category);
                    expected.merge(
                            known ? new Key(start, record.category, 1) : new Key(start, "other", -1), 1L, Long::sum);
                }
            }
            compareLedger(partition, outcomes, problems);
        }
        if (!open.isEmpty()) {
            problems.add("not closed: " + open);
        }
        if (!expected.equals(table)) {
            expected.forEach((key, count) -> {
                if (!count.equals(table.get(key))) {
                    problems.add(key + " is " + table.get(key) + ", not " + count);
                }
            });
            table.keySet().stream().filter(key -> !expected.containsKey(key)).forEach(key -> problems.add(key + " is extra"));
        }
        return problems;
    }

    /** The newest run's rows, as the view {@code quality.ledger_current} has them. */
    private void compareLedger(int partition, long[] outcomes, List<String> problems) {
        List<Row> rows = new ArrayList<>();
        ledger.values().stream().filter(row -> row.getField(1).equals(partition)).forEach(rows::add);
        rows.sort(Comparator.<Row>comparingLong(row -> (Long) row.getField(12))
                .thenComparingLong(row -> (Long) row.getField(4))
                .reversed());
        long readAgainFrom = Long.MAX_VALUE;
        long[] sums = new long[3];
        for (Row row : rows) {
            long first = (Long) row.getField(2);
            if (first < readAgainFrom) {
                sums[0] += (Long) row.getField(6);
                sums[1] += (Long) row.getField(7);
                sums[2] += (Long) row.getField(8);
            }
            readAgainFrom = Math.min(readAgainFrom, first);
        }
        if (!Arrays.equals(sums, outcomes)) {
            problems.add("the ledger of partition " + partition + " says " + Arrays.toString(sums) + ", not "
                    + Arrays.toString(outcomes));
        }
    }

    /** Runs the seeds from the first argument to before the second; ends with status 1 at the first that fails. */
    public static void main(String[] arguments) throws Exception {
        for (long seed = Long.parseLong(arguments[0]); seed < Long.parseLong(arguments[1]); seed++) {
            List<String> problems = run(seed);
            if (!problems.isEmpty()) {
                System.out.println("seed " + seed + ": " + problems);
                System.exit(1);
            }
        }
        System.out.println("all right");
    }
}
