-- Windows by segment: what the job counted, and the late events that were merged afterwards. A window
-- with late events alone is a window too. ${window_type} is 1min or 5min, ${length} the same as an interval.
CREATE VIEW realtime.segments_${window_type} AS
SELECT
    window_start,
    window_start + interval '${length}' AS window_end,
    site_category,
    device_type,
    sum(impressions)::bigint AS impressions,
    sum(clicks)::bigint AS clicks
FROM (
    SELECT window_start, site_category, device_type, impressions, clicks
    FROM realtime.counts_${window_type}
    UNION ALL
    SELECT window_start_${window_type}, site_category, device_type, 1, click
    FROM realtime.late_events
) AS counted
GROUP BY window_start, site_category, device_type
HAVING sum(impressions) > 0;
