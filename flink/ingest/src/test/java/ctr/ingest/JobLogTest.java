package ctr.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.apache.flink.api.common.JobID;
import org.junit.jupiter.api.Test;

class JobLogTest {

    private static JobLog log(String submittedBy) {
        IngestSettings settings = Samples.settings();
        settings.submittedBy = submittedBy;
        return new JobLog(JobLogTest.class, new JobID(1, 2), settings);
    }

    @Test
    void aLineNamesTheJobAndTheRunThatSubmittedIt() {
        assertEquals(
                "event=restored job=00000000000000010000000000000002 run=2f1c checkpoint=17 job_watermark=1970-01-01T00:00:01Z",
                log("2f1c").line("restored", "checkpoint", 17, "job_watermark", JobLog.time(1_000)));
    }

    @Test
    void whateverAValueHoldsItStaysOneValueOfOneLine() {
        assertEquals(
                "event=rejected job=00000000000000010000000000000002 run=\"\" problem=\"a \\\"b\\\" = c\\\\  event=x\"",
                log("").line("rejected", "problem", "a \"b\" = c\\\r\nevent=x"));
    }
}
