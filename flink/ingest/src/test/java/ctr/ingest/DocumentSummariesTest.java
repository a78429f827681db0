package ctr.ingest;

import static ctr.ingest.Samples.NOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DocumentSummariesTest {

    private static final long MINUTE = 60_000;

    private OneInputStreamOperatorTestHarness<Row, Row> harness;
    private long nowMs;

    @BeforeEach
    void start() throws Exception {
        restore(null);
    }

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    private void restore(OperatorSubtaskState checkpoint) throws Exception {
        harness = new OneInputStreamOperatorTestHarness<>(new DocumentSummaries.Factory());
        harness.initializeState(checkpoint);
        harness.open();
    }

    private void counted(long windowStart, String category, int device, long impressions, long clicks) throws Exception {
        Map<Segment, long[]> sums = new HashMap<>();
        sums.put(new Segment(new Object[] {category, device}), new long[] {impressions, clicks});
        harness.processElement(new RowEncoder().delta(windowStart, sums));
    }

    private void passes(long elapsedMs) throws Exception {
        nowMs += elapsedMs;
        harness.setProcessingTime(nowMs);
    }

    /** What has left since the last call: type, start from noon, whether final, summary. */
    private List<String> summaries() {
        List<String> texts = new ArrayList<>();
        harness.getRecordOutput().forEach(record -> {
            Row row = record.getValue();
            texts.add(row.getField(0) + " " + ((Long) row.getField(1) - NOON) + ((Boolean) row.getField(2) ? " final " : " ")
                    + row.getField(3));
        });
        harness.getOutput().clear();
        return texts;
    }

    @Test
    void anOpenWindowIsSummarizedOnceInATick() throws Exception {
        counted(NOON + MINUTE, "news", 1, 3, 1);
        counted(NOON + MINUTE, "a\"b", 0, 1, 0);
        counted(NOON + MINUTE, "news", 0, 1, 1);
        assertEquals(List.of(), summaries());
        passes(DocumentSummaries.EVERY_MS);
        String summary = "{\"totals\":[5,2],\"segments\":[[\"news\",1,3,1],[\"a\\\"b\",0,1,0],[\"news\",0,1,1]],"
                + "\"rest\":null,\"values\":[[[\"news\",4,2],[\"a\\\"b\",1,0]],[[1,3,1],[0,2,1]]]}";
        assertEquals(List.of("1min 60000 " + summary, "5min 0 " + summary), summaries());
        passes(DocumentSummaries.EVERY_MS);
        assertEquals(List.of(), summaries(), "nothing has changed");
        counted(NOON + 2 * MINUTE, "news", 1, 1, 0);
        passes(DocumentSummaries.EVERY_MS);
        assertEquals(
                List.of("1min 120000 {\"totals\":[1,0]", "5min 0 {\"totals\":[6,2]"),
                summaries().stream().map(text -> text.substring(0, text.indexOf(",\"segments"))).toList());
    }

    @Test
    void aWindowIsFinalBeforeTheWatermarkThatClosesIt() throws Exception {
        counted(NOON, "news", 1, 1, 0);
        counted(NOON + MINUTE, "news", 1, 1, 0);
        harness.processWatermark(NOON + MINUTE - 2);
        assertEquals(List.of(), summaries());
        harness.processWatermark(NOON + MINUTE - 1);
        assertTrue(harness.getOutput().peek() instanceof org.apache.flink.streaming.runtime.streamrecord.StreamRecord);
        assertEquals(1, summaries().size());
        harness.processWatermark(NOON + 5 * MINUTE - 1);
        List<String> closed = summaries();
        assertTrue(closed.get(0).startsWith("1min 60000 final {\"totals\":[1,0]"));
        assertTrue(closed.get(1).startsWith("5min 0 final {\"totals\":[2,0]"));
        passes(1_000);
        assertEquals(List.of(), summaries());
        counted(NOON + 5 * MINUTE, "news", 1, 1, 0);
        harness.processWatermark(Watermark.MAX_WATERMARK);
        assertEquals(2, summaries().size());
    }

    @Test
    void aSummaryIsBoundedAndItsRestExact() throws Exception {
        int more = 100;
        Map<Segment, long[]> sums = new HashMap<>();
        for (int i = 0; i < DocumentSummaries.MAX_ENTRIES + more; i++) {
            sums.put(new Segment(new Object[] {"c" + i, i % 2}), new long[] {i + 1, i});
        }
        harness.processElement(new RowEncoder().delta(NOON, sums));
        passes(DocumentSummaries.EVERY_MS);
        String summary = summaries().get(0);
        long rest = more * (more + 1) / 2;
        assertTrue(summary.contains("\"rest\":[" + rest + "," + (rest - more) + "]"));
        assertTrue(summary.contains("\"segments\":[[\"c599\",1,600,599],"));
        assertEquals(2 * DocumentSummaries.MAX_ENTRIES, summary.split("\\[\"c").length - 1, "segments and categories");
    }

    @Test
    void furtherMeasuresAreSummedEverywhere() throws Exception {
        long most = DocumentSummaries.MAX_ENTRIES * EventDecoder.MAX_MEASURE;
        Map<Segment, long[]> sums = new HashMap<>();
        sums.put(new Segment(new Object[] {"news", 1}), new long[] {9, 1, most, -7});
        for (int i = 0; i < DocumentSummaries.MAX_ENTRIES; i++) {
            sums.put(new Segment(new Object[] {"c" + i, 1}), new long[] {i < 2 ? 1 : 2, 0, EventDecoder.MAX_MEASURE, 1});
        }
        harness.processElement(new RowEncoder().delta(NOON, sums));
        OperatorSubtaskState checkpoint = harness.snapshot(1, 0);
        harness.close();
        restore(checkpoint);
        harness.processWatermark(NOON + MINUTE - 1);
        String summary = summaries().get(0);
        assertTrue(summary.contains("{\"totals\":[1007,1," + 2 * most + ",493],\"segments\":[[\"news\",1,9,1," + most + ",-7],"));
        assertTrue(summary.contains("\"rest\":[1,0," + EventDecoder.MAX_MEASURE + ",1]"));
        assertTrue(summary.contains("\"values\":[[[\"news\",9,1," + most + ",-7],"));
        assertTrue(summary.endsWith("[[1,1007,1," + 2 * most + ",493]]]}"));
    }

    @Test
    void aRestoredOneGoesOnWithItsOpenWindows() throws Exception {
        counted(NOON, "news", 1, 2, 1);
        counted(NOON + MINUTE, "뉴스", 0, 1, 0);
        harness.processWatermark(NOON + MINUTE - 1);
        OperatorSubtaskState checkpoint = harness.snapshot(1, 0);
        harness.close();
        restore(checkpoint);
        counted(NOON + MINUTE, "뉴스", 0, 1, 1);
        harness.processWatermark(NOON + 5 * MINUTE - 1);
        assertEquals(
                List.of(
                        "1min 60000 final {\"totals\":[2,1],\"segments\":[[\"뉴스\",0,2,1]],\"rest\":null,"
                                + "\"values\":[[[\"뉴스\",2,1]],[[0,2,1]]]}",
                        "5min 0 final {\"totals\":[4,2],\"segments\":[[\"news\",1,2,1],[\"뉴스\",0,2,1]],\"rest\":null,"
                                + "\"values\":[[[\"news\",2,1],[\"뉴스\",2,1]],[[0,2,1],[1,2,1]]]}"),
                summaries());
    }
}
