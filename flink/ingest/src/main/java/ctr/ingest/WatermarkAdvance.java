package ctr.ingest;

import org.apache.flink.runtime.operators.coordination.OperatorEvent;

/** Tells a subtask that the job watermark has reached this time. */
final class WatermarkAdvance implements OperatorEvent {

    private static final long serialVersionUID = 1L;

    final long jobWatermarkMs;

    /** What every subtask has adopted by now; {@link Windows#NONE} while one has not reported. */
    final long adoptedByAllMs;

    WatermarkAdvance(long jobWatermarkMs, long adoptedByAllMs) {
        this.jobWatermarkMs = jobWatermarkMs;
        this.adoptedByAllMs = adoptedByAllMs;
    }
}
