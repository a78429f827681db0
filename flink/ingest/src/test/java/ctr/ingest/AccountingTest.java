package ctr.ingest;

import static ctr.ingest.Samples.NOON;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a subtask keeps for the sake of a restore. {@link Simulation} has the rest of it. */
class AccountingTest {

    private static final long MINUTE = Windows.ONE_MINUTE_MS;

    /** What leaves is of no interest here. */
    private static final Accounting.Output NOWHERE = new Accounting.Output() {
        @Override
        public void counts(long windowStart, Map<Segment, long[]> sums) {}

        @Override
        public void documents(long windowStart, Map<Segment, long[]> sums) {}

        @Override
        public void closed(long jobWatermarkMs) {}

        @Override
        public void deadLetter(DeadLetter deadLetter) {}

        @Override
        public void ledger(LedgerEntry entry) {}
    };

    private final Accounting accounting = new Accounting(Samples.settings(), "job", Accounting.State.NOTHING, NOWHERE);
    private long nowMs;

    private void count(long timestampMs) {
        Event event = new Event(2, 1);
        event.load(Samples.record(0, 0, timestampMs, null));
        event.dimensions[0] = "news";
        event.dimensions[1] = 1;
        event.timestampMs = timestampMs;
        accounting.add(event);
    }

    /** The windows whose names a checkpoint holds, from noon, after what has ended was forgotten. */
    private List<Long> named(long checkpointId) {
        accounting.tick(nowMs += 10_000);
        return accounting.checkpoint(checkpointId).named().stream().map(each -> each.windowStart - NOON).toList();
    }

    @Test
    void namesAreKeptUntilNoRestoreCanOpenTheirWindowAgain() {
        count(NOON);
        accounting.advance(NOON + MINUTE, Windows.NONE);
        assertEquals(List.of(0L), named(1), "another subtask may not have closed the window");
        accounting.advance(NOON + 2 * MINUTE, NOON + MINUTE);
        assertEquals(List.of(0L), named(2), "nor had it when the last checkpoint was taken");
        assertEquals(List.of(), named(3));
    }
}
