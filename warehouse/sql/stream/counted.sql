-- What is counted in windows, not yet summed: the job's segments, and each merged late event by itself. It is
-- summed once, by whatever a reader wants: sums of the segments' sums take four times as long.
-- ${window_type} is 1min or 5min.
CREATE VIEW realtime.counted_${window_type} AS
SELECT window_start, ${dimensions}, impressions, clicks${more}
FROM realtime.counts_${window_type}
UNION ALL
SELECT window_start_${window_type}, ${dimensions}, 1, click${more}
FROM realtime.late_events;
