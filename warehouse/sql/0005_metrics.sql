-- One row per window. The rates by dimension are subqueries of their own, so that a reader who does not
-- select them does not pay for them, and one who asks for a few windows reads only those.
CREATE OR REPLACE VIEW realtime.metrics_${window_type} AS
SELECT
    window_start,
    window_end,
    total_impressions,
    total_clicks,
    realtime.ctr(total_clicks, total_impressions)::numeric(5, 2) AS ctr,
    (
        SELECT jsonb_object_agg(site_category, realtime.ctr(clicks, impressions))
        FROM (
            SELECT site_category, sum(clicks)::bigint AS clicks, sum(impressions)::bigint AS impressions
            FROM realtime.segments_${window_type} AS segments
            WHERE segments.window_start = windows.window_start
            GROUP BY site_category
        ) AS categories
    ) AS category_ctr,
    (
        SELECT jsonb_object_agg(device_type, realtime.ctr(clicks, impressions))
        FROM (
            SELECT device_type, sum(clicks)::bigint AS clicks, sum(impressions)::bigint AS impressions
            FROM realtime.segments_${window_type} AS segments
            WHERE segments.window_start = windows.window_start
            GROUP BY device_type
        ) AS devices
    ) AS device_ctr
FROM (
    SELECT
        window_start,
        window_start + interval '${length}' AS window_end,
        sum(impressions)::bigint AS total_impressions,
        sum(clicks)::bigint AS total_clicks
    FROM realtime.counted_${window_type}
    GROUP BY window_start
    HAVING sum(impressions) > 0
) AS windows;
