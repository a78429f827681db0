package ctr.ingest;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.record.TimestampType;

/**
 * Decides each record's outcome and sums the counted ones, for the partitions that one subtask reads. Plain logic:
 * {@link PreAggregator} runs it in Flink, and {@code Simulation} on a virtual clock.
 *
 * <p>A window's counts leave before the watermark that closes it and before each checkpoint barrier, so
 * nothing downstream is ever late and no count is state. Documents, which show open windows,
 * learn every {@link IngestSettings#flushMs} what is new.
 */
final class Accounting {

    /** Beyond this, dead letters are sent before their checkpoint: a copy after a crash beats a full heap. */
    private static final long MAX_DEFERRED_BYTES = 64L << 20;

    /** Takes what leaves, in this order. */
    interface Output {

        /** What the windows lack of this one: impressions, then the measures, by segment. */
        void counts(long windowStart, Map<Segment, long[]> sums);

        /** What the documents lack of this window. */
        void documents(long windowStart, Map<Segment, long[]> sums);

        /** Every window that ends by {@code jobWatermarkMs} is closed. */
        void closed(long jobWatermarkMs);

        void deadLetter(DeadLetter deadLetter);

        void ledger(LedgerEntry entry);
    }

    /**
     * What a checkpoint holds. Its elements are those of the running stage: write them before anything else happens.
     *
     * @param topicEpoch in which epoch of the topic its offsets were read
     * @param progress of every partition; a restored subtask is given those of all subtasks
     * @param jobWatermarksMs the job watermark that was adopted; a restored subtask is given those of all
     * @param ledger what waits for a complete checkpoint; each belongs to one restored subtask
     * @param deadLetters the same
     * @param named the segments with names of their own; a restored subtask is given those of all
     */
    record State(
            int topicEpoch,
            List<PartitionProgress> progress,
            List<Long> jobWatermarksMs,
            List<LedgerEntry> ledger,
            List<DeferredDeadLetter> deadLetters,
            List<NamedSegments> named) {

        static final State NOTHING = new State(1, List.of(), List.of(), List.of(), List.of(), List.of());
    }

    /** A partition of the topic, as far as this subtask has read it. */
    private static final class Partition {
        final PartitionProgress progress;

        /** Outcomes of earlier offsets have been reported by another job. */
        final long reportFromOffset;

        final PartitionCounts counts;
        LedgerEntry ledger = new LedgerEntry();
        boolean activeSinceReport;

        /** Null before this subtask has read the partition. */
        LedgerEntry lastEntry;

        Partition(int number, IngestSettings settings) {
            progress = new PartitionProgress(number);
            reportFromOffset = settings.reportFromOffset.getOrDefault(number, 0L);
            counts = new PartitionCounts(settings);
        }
    }

    private final IngestSettings settings;
    private final String jobId;
    private final Output output;

    private final List<LedgerEntry> pendingLedger = new ArrayList<>();
    private final List<DeferredDeadLetter> deferredDeadLetters = new ArrayList<>();
    private Partition[] partitions = new Partition[0];
    private long deferredBytes;
    private long jobWatermarkMs = Windows.NONE;

    /** What every subtask has adopted, as far as this one has been told. */
    private long adoptedByAllMs = Windows.NONE;

    /**
     * No restore makes the job watermark less than this: what all had adopted by the last checkpoint. Windows that end by it
     * are closed for good; one that ends later may be counted on after a restore, by a subtask that had been ahead.
     */
    private long neededNoMoreMs = Windows.NONE;

    private long lastFlushMs;
    private boolean restoredToForward;

    Accounting(IngestSettings settings, String jobId, State restored, Output output) {
        this.settings = settings;
        this.jobId = jobId;
        this.output = output;
        if (restored.topicEpoch == settings.topicEpoch) {
            for (PartitionProgress progress : restored.progress) {
                partition(progress.partition).progress.advanceTo(progress);
            }
            for (NamedSegments named : restored.named) {
                partition(named.partition).counts.restore(named);
            }
        }
        // What lies downstream of all subtasks has closed what the slowest of them had announced, no more.
        Long slowest = null;
        for (Long adopted : restored.jobWatermarksMs) {
            slowest = slowest == null ? adopted : Long.valueOf(Math.min(slowest, adopted));
        }
        if (slowest != null) {
            jobWatermarkMs = slowest;
        }
        if (!settings.staging) {
            // Another job has closed the windows before.
            jobWatermarkMs = Math.max(jobWatermarkMs, settings.countFromMs);
        }
        adoptedByAllMs = neededNoMoreMs = jobWatermarkMs;
        restoredToForward = jobWatermarkMs != Windows.NONE;
        for (LedgerEntry entry : restored.ledger) {
            if (restored.topicEpoch != settings.topicEpoch) {
                entry.topic = settings.rawTopic + "@" + restored.topicEpoch;
            }
            pendingLedger.add(entry);
        }
        restored.deadLetters.forEach(this::defer);
    }

    long jobWatermarkMs() {
        return jobWatermarkMs;
    }

    /**
     * Decides a record's outcome, which the decoder left at {@link Outcome#COUNTED} if it found nothing wrong.
     *
     * @return whether this job reports it; else another job has
     */
    boolean add(Event event) {
        Partition partition = partition(event.record.partition());
        if (event.record.offset() < partition.progress.nextOffset) {
            throw TopicReplaced.offsetsGoBack(event.record, partition.progress.nextOffset);
        }
        boolean afterIdleness = false;
        if (event.outcome == Outcome.COUNTED) {
            long watermark = partition.progress.watermark(settings.timeRules);
            partition.progress.addValid(event.timestampMs, brokerTimeMs(event.record));
            long windowStart = Windows.start(event.timestampMs, Windows.ONE_MINUTE_MS);
            long windowEnd = windowStart + Windows.ONE_MINUTE_MS;
            if (windowEnd <= watermark) {
                event.reject(Outcome.LATE, "its window ended at " + windowEnd + ", the partition watermark is " + watermark);
            } else if (windowEnd <= jobWatermarkMs) {
                afterIdleness = true;
                event.reject(Outcome.LATE, "its window ended at " + windowEnd + ", the job watermark is " + jobWatermarkMs);
            } else {
                partition.activeSinceReport = true;
                if (windowStart >= settings.countFromMs && windowStart < settings.countUntilMs) {
                    partition.counts.add(windowStart, event);
                }
            }
        }
        partition.progress.nextOffset = event.record.offset() + 1;
        if (event.record.offset() < partition.reportFromOffset) {
            return false;
        }
        partition.ledger.add(event.record.offset(), event.outcome);
        if (event.outcome != Outcome.COUNTED) {
            DeadLetter deadLetter = DeadLetter.of(
                    event.record, settings.topicId, event.outcome, event.problem, settings.deadLetterMaxBytes);
            // The job watermark at this record may differ after a restore, so this outcome is only certain once a
            // checkpoint has seen it; by partition content it is certain at once.
            if (afterIdleness && deferredBytes < MAX_DEFERRED_BYTES) {
                defer(new DeferredDeadLetter(deadLetter));
            } else {
                output.deadLetter(deadLetter);
            }
        }
        return true;
    }

    /** When the broker wrote a record; a time that the producer gave instead is not believed. */
    private static long brokerTimeMs(ConsumerRecord<byte[], byte[]> record) {
        return record.timestampType() == TimestampType.LOG_APPEND_TIME ? record.timestamp() : Windows.NONE;
    }

    private Partition partition(int number) {
        if (number >= partitions.length) {
            partitions = Arrays.copyOf(partitions, number + 1);
        }
        if (partitions[number] == null) {
            partitions[number] = new Partition(number, settings);
        }
        return partitions[number];
    }

    private void defer(DeferredDeadLetter deferred) {
        deferredDeadLetters.add(deferred);
        deferredBytes += deferred.deadLetter.bytes();
    }

    // ---- time ------------------------------------------------------------------------------------

    /** Does what is due at this processing time. */
    void tick(long nowMs) {
        if (restoredToForward) {
            restoredToForward = false;
            sendCompleted(Long.MAX_VALUE);
            output.closed(jobWatermarkMs);
        }
        if (nowMs - lastFlushMs >= settings.flushMs) {
            lastFlushMs = nowMs;
            sendDocuments(Long.MAX_VALUE);
            forgetEnded();
        }
    }

    /** How far this subtask has read, and which partitions were active since the last report. */
    ProgressReport report() {
        List<PartitionProgress> progress = new ArrayList<>();
        IntStream.Builder active = IntStream.builder();
        for (Partition partition : partitions) {
            if (partition != null) {
                progress.add(partition.progress.copy());
                if (partition.activeSinceReport) {
                    partition.activeSinceReport = false;
                    active.add(partition.progress.partition);
                }
            }
        }
        return new ProgressReport(jobWatermarkMs, progress, active.build().toArray());
    }

    /**
     * Adopts the job watermark.
     *
     * @param adoptedByAllMs what every subtask has adopted before
     */
    void advance(long advancedMs, long adoptedByAllMs) {
        this.adoptedByAllMs = Math.max(this.adoptedByAllMs, adoptedByAllMs);
        if (advancedMs > jobWatermarkMs) {
            sendDocuments(advancedMs);
            sendCounts(advancedMs);
            jobWatermarkMs = advancedMs;
            output.closed(jobWatermarkMs);
        }
    }

    /** Sends what the windows and the documents lack, whether or not their windows are closed. */
    void sendAll() {
        sendDocuments(Long.MAX_VALUE);
        sendCounts(Long.MAX_VALUE);
    }

    /** Send the documents what they lack of the windows that end by {@code endMs}. */
    private void sendDocuments(long endMs) {
        if (!settings.staging) {
            handOn(PartitionCounts.Receiver.DOCUMENTS, endMs).forEach(output::documents);
        }
    }

    /** Send the windows what they lack: only a window that closes needs it. */
    private void sendCounts(long endMs) {
        handOn(PartitionCounts.Receiver.WINDOWS, endMs).forEach(output::counts);
    }

    private Map<Long, Map<Segment, long[]>> handOn(PartitionCounts.Receiver receiver, long endMs) {
        Map<Long, Map<Segment, long[]>> sums = new TreeMap<>();
        for (Partition partition : partitions) {
            if (partition != null) {
                partition.counts.handOn(receiver, endMs, sums);
            }
        }
        return sums;
    }

    /** Where all further events of a window would be late, after a restore too, its segments need no memory. */
    private void forgetEnded() {
        Map<Long, Map<Segment, long[]>> sums = new TreeMap<>();
        for (Partition partition : partitions) {
            if (partition != null) {
                long endMs = Math.max(partition.progress.watermark(settings.timeRules), neededNoMoreMs);
                partition.counts.handOn(PartitionCounts.Receiver.WINDOWS, endMs, sums);
                partition.counts.forget(endMs);
            }
        }
        sums.forEach(output::counts);
    }

    // ---- checkpoints -----------------------------------------------------------------------------

    /** Ends the ledger's entries with this checkpoint; {@link #sendAll} has come before its barrier. */
    State checkpoint(long checkpointId) {
        neededNoMoreMs = adoptedByAllMs;
        closeLedger(checkpointId);
        deferredDeadLetters.stream()
                .filter(deferred -> deferred.checkpointId == 0)
                .forEach(deferred -> deferred.checkpointId = checkpointId);
        List<Partition> known = Arrays.stream(partitions).filter(Objects::nonNull).toList();
        return new State(
                settings.topicEpoch,
                known.stream().map(partition -> partition.progress).toList(),
                List.of(jobWatermarkMs),
                pendingLedger,
                deferredDeadLetters,
                known.stream()
                        .flatMap(partition -> partition.counts.named(partition.progress.partition).stream())
                        .toList());
    }

    private void closeLedger(long checkpointId) {
        for (Partition partition : partitions) {
            if (partition == null) {
                continue;
            }
            if (partition.ledger.recordsRead > 0) {
                LedgerEntry entry = partition.ledger;
                partition.ledger = new LedgerEntry();
                entry.topic = settings.rawTopic;
                entry.partition = partition.progress.partition;
                entry.checkpointId = checkpointId;
                entry.jobId = jobId;
                entry.runStartedMs = settings.runStartedMs;
                entry.jobWatermarkMs = Math.max(0, jobWatermarkMs);
                pendingLedger.add(entry);
                partition.lastEntry = entry;
            } else if (partition.lastEntry != null
                    && jobWatermarkMs >= Windows.oneMinuteEnd(partition.lastEntry.jobWatermarkMs)) {
                // Windows also close after the last record: its entry is written again, but no more often than
                // that, for readers believe a row only when it has not changed for some seconds.
                partition.lastEntry = partition.lastEntry.closedUntil(jobWatermarkMs);
                pendingLedger.add(partition.lastEntry);
            }
        }
    }

    /** Sends what a complete checkpoint holds; after a crash the restored copy is sent again. */
    void sendCompleted(long checkpointId) {
        for (Iterator<LedgerEntry> entries = pendingLedger.iterator(); entries.hasNext(); ) {
            LedgerEntry entry = entries.next();
            if (entry.checkpointId <= checkpointId) {
                output.ledger(entry);
                entries.remove();
            }
        }
        for (Iterator<DeferredDeadLetter> iterator = deferredDeadLetters.iterator(); iterator.hasNext(); ) {
            DeferredDeadLetter deferred = iterator.next();
            if (deferred.checkpointId != 0 && deferred.checkpointId <= checkpointId) {
                output.deadLetter(deferred.deadLetter);
                deferredBytes -= deferred.deadLetter.bytes();
                iterator.remove();
            }
        }
    }

    /** Sends the rest of a bounded topic: no checkpoint may follow that could. */
    void end() {
        sendAll();
        closeLedger(Long.MAX_VALUE);
        deferredDeadLetters.forEach(deferred -> deferred.checkpointId = Long.MAX_VALUE);
        sendCompleted(Long.MAX_VALUE);
    }
}
