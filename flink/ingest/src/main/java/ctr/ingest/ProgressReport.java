package ctr.front;

import java.util.List;
import org.apache.flink.runtime.operators.coordination.OperatorEvent;

/** What a combiner subtask tells the coordinator at every tick. */
final class ProgressReport implements OperatorEvent {

    private static final long serialVersionUID = 1L;

    /** The job watermark that the subtask has adopted. */
    final long jobWatermarkMs;

    /** Every partition that the subtask knows. */
    final List<PartitionClock> clocks;

    /** Those of them that had a valid record since the last report. */
    final int[] activePartitions;

    ProgressReport(long jobWatermarkMs, List<PartitionClock> clocks, int[] activePartitions) {
        this.jobWatermarkMs = jobWatermarkMs;
        this.clocks = clocks;
        this.activePartitions = activePartitions;
    }
}
