package ctr.ingest;

import org.apache.flink.runtime.operators.coordination.OperatorEvent;

/** Tells a subtask that the job watermark has reached this time. */
final class WatermarkAdvance implements OperatorEvent {

    private static final long serialVersionUID = 1L;

    final long jobWatermarkMs;

    WatermarkAdvance(long jobWatermarkMs) {
        this.jobWatermarkMs = jobWatermarkMs;
    }
}
