-- The windows. `partial_aggregates` come from the ingest stage: event time `rt` is the start of their minute,
-- and the watermark is the job watermark, so a window is complete when it closes and nothing comes after.

CREATE TEMPORARY VIEW windows_1min AS
SELECT
    window_start,
    window_end,
    window_time,
    ${dimensions},
    SUM(impressions) AS impressions,
    ${measure_sums}
FROM TABLE(TUMBLE(TABLE partial_aggregates, DESCRIPTOR(rt), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, window_time, ${dimensions};

-- A window of five minutes is the sum of its five of one minute.
CREATE TEMPORARY VIEW closed_minutes AS
SELECT window_time AS closed_at, ${dimensions}, impressions, ${measures}
FROM windows_1min;

CREATE TEMPORARY VIEW windows_5min AS
SELECT
    window_start,
    window_end,
    ${dimensions},
    SUM(impressions) AS impressions,
    ${measure_sums}
FROM TABLE(TUMBLE(TABLE closed_minutes, DESCRIPTOR(closed_at), INTERVAL '5' MINUTE))
GROUP BY window_start, window_end, ${dimensions};
