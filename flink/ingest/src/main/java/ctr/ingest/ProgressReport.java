package ctr.ingest;

import java.util.List;
import org.apache.flink.runtime.operators.coordination.OperatorEvent;

/** Tells the coordinator, at every tick, how far a subtask has read. */
final class ProgressReport implements OperatorEvent {

    private static final long serialVersionUID = 1L;

    /** The job watermark that the subtask has adopted. */
    final long jobWatermarkMs;

    /** Every partition that the subtask knows. */
    final List<PartitionProgress> progress;

    /** Those of them that had a valid and timely record since the last report. */
    final int[] activePartitions;

    ProgressReport(long jobWatermarkMs, List<PartitionProgress> progress, int[] activePartitions) {
        this.jobWatermarkMs = jobWatermarkMs;
        this.progress = progress;
        this.activePartitions = activePartitions;
    }
}
