-- One row per window. The rates by dimension are subqueries of their own (`rates.sql`), so that a reader who
-- does not select them does not pay for them, and one who asks for a few windows reads only those.
CREATE VIEW realtime.metrics_${window_type} AS
SELECT
    window_start,
    window_end,
    total_impressions,
    total_clicks,
    realtime.ctr(total_clicks, total_impressions)::numeric(5, 2) AS ctr,
    ${rates}${more}
FROM (
    SELECT
        window_start,
        window_start + interval '${length}' AS window_end,
        sum(impressions)::bigint AS total_impressions,
        sum(clicks)::bigint AS total_clicks${more_sums}
    FROM realtime.counted_${window_type}
    GROUP BY window_start
    HAVING sum(impressions) > 0
) AS windows;
