package ctr.ingest;

import ctr.front.HeldLetter;
import ctr.front.Letter;
import ctr.front.PartitionClock;

/** Converts the elements of version 0.1's state. */
final class Version01State {

    private Version01State() {}

    static PartitionProgress progress(Object element) {
        PartitionClock old = (PartitionClock) element;
        PartitionProgress progress = new PartitionProgress(old.partition);
        progress.highestEventTimeMs = old.highestEventTimeMs;
        // The broker's time did not bound it then.
        progress.highestTimeMs = old.highestEventTimeMs;
        progress.nextOffset = old.nextOffset;
        return progress;
    }

    static LedgerEntry ledgerEntry(Object element) {
        ctr.front.LedgerEntry old = (ctr.front.LedgerEntry) element;
        LedgerEntry entry = new LedgerEntry();
        entry.jobId = old.jobId;
        entry.checkpointId = old.checkpointId;
        entry.runStartedMs = old.runStartedMs;
        entry.topic = old.topic;
        entry.partition = old.partition;
        entry.firstOffset = old.firstOffset;
        entry.lastOffset = old.lastOffset;
        entry.recordsRead = old.recordsRead;
        Outcome[] order = {
            Outcome.COUNTED, Outcome.LATE, Outcome.MALFORMED, Outcome.UNKNOWN_SCHEMA, Outcome.INVALID
        };
        for (int i = 0; i < order.length; i++) {
            entry.byOutcome[order[i].ordinal()] = old.byFate[i];
        }
        return entry;
    }

    static DeferredDeadLetter deferredDeadLetter(Object element) {
        HeldLetter held = (HeldLetter) element;
        Letter old = held.letter;
        DeadLetter deadLetter = new DeadLetter();
        deadLetter.topic = old.topic;
        deadLetter.partition = old.partition;
        deadLetter.offset = old.offset;
        deadLetter.reason = old.reason;
        deadLetter.message = old.message;
        deadLetter.key = old.key;
        deadLetter.value = old.value;
        deadLetter.headerKeys = old.headerKeys;
        deadLetter.headerValues = old.headerValues;
        DeferredDeadLetter deferred = new DeferredDeadLetter(deadLetter);
        deferred.checkpointId = held.checkpointId;
        return deferred;
    }
}
