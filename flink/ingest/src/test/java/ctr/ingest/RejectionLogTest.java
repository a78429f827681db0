package ctr.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;

class RejectionLogTest {

    private final RejectionLog rejections = new RejectionLog();

    private void reject(long offset, Outcome outcome, String problem) {
        Event event = new Event(0, 0);
        event.record = new ConsumerRecord<>("t", 3, offset, null, null);
        event.outcome = outcome;
        event.problem = problem;
        rejections.add(event);
    }

    private List<Object> due(long nowMs) {
        return Arrays.asList(rejections.due(nowMs));
    }

    @Test
    void thousandsAreOneLineWithTheLastAsAnExample() {
        assertEquals(List.of(), due(0));
        reject(6, Outcome.LATE, "its window ended");
        assertEquals(
                List.of("late", 1L, "last_partition", 3, "last_offset", 6L, "last_problem", "its window ended"),
                due(100));
        for (int offset = 7; offset < 1_007; offset++) {
            reject(offset, Outcome.INVALID, "click 7");
        }
        reject(1_007, Outcome.MALFORMED, "no magic byte");
        assertEquals(List.of(), due(100 + RejectionLog.EVERY_MS - 1), "one line in that time");
        assertEquals(
                List.of(
                        "malformed", 1L, "invalid", 1_000L,
                        "last_partition", 3, "last_offset", 1_007L, "last_problem", "no magic byte"),
                due(100 + RejectionLog.EVERY_MS));
        assertEquals(List.of(), due(100 + 2 * RejectionLog.EVERY_MS), "nothing has come since");
    }
}
