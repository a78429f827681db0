-- The windows of one minute, recomputed; those of five are their sums.

INSERT INTO repair_counts
SELECT ${repair_id}, CAST(window_start AS STRING) || '+00', ${dimensions}, impressions, ${measures}
FROM windows_1min;
