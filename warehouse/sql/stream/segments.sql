-- Windows by segment. A window with late events alone is a window too. ${window_type} is 1min or 5min,
-- ${length} the same as an interval.
CREATE VIEW realtime.segments_${window_type} AS
SELECT
    window_start,
    window_start + interval '${length}' AS window_end,
    ${dimensions},
    sum(impressions)::bigint AS impressions,
    sum(clicks)::bigint AS clicks${more_sums}
FROM realtime.counted_${window_type}
GROUP BY window_start, ${dimensions}
HAVING sum(impressions) > 0;
