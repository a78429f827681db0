-- Closed windows of one type, one row each: totals, and what must agree with them. A window that only the
-- recount has is a row without totals.
--
-- :window_type, :length: of the windows, as a name and as an interval; ${window_type} stands in names of
-- views, ${dimensions} for the columns of the dimensions. :since is a whole hour; :max_segments is how many a
-- minute of a partition may name. Windows that the recount has not verified yet may still be on their way into a
-- table: what is compared between two tables is compared up to the newest verified one.
WITH verified AS (
    SELECT coalesce(max(window_start), '-infinity') AS newest
    FROM quality.window_accuracy_history
    WHERE window_type = :window_type AND window_start >= :since
),
totals AS (
    SELECT
        window_start,
        total_impressions AS impressions,
        total_clicks AS clicks,
        -- A falsified row may have a rate that the view's type cannot hold; it is impossible by its clicks.
        CASE WHEN abs(total_clicks) < 9 * total_impressions THEN ctr END AS ctr,
        CASE
            WHEN abs(total_clicks) < 9 * total_impressions
            THEN round(100.0 * total_clicks / total_impressions, 2)
        END AS exact_ctr
    FROM realtime.metrics_${window_type}
    WHERE window_start >= :since
),
segments AS (
    SELECT
        window_start,
        sum(impressions) AS segment_impressions,
        sum(clicks) AS segment_clicks,
        count(*) FILTER (WHERE clicks > impressions OR clicks < 0) AS impossible_segments,
        -- Who calls a segment so by chance does not reach the bound.
        CASE
            WHEN count(*) > :max_segments
            THEN sum(impressions) FILTER (WHERE ${is_other})
        END AS unnamed_impressions,
        ${most_values_in} AS most_values_in
    FROM realtime.segments_${window_type}
    WHERE window_start >= :since
    GROUP BY window_start
),
stored AS (
    SELECT window_start, count(*) - count(DISTINCT (${dimensions})) AS doubled_segments
    FROM realtime.counts_${window_type}
    WHERE window_start >= :since
    GROUP BY window_start
),
recounted AS (
    SELECT date_bin(:length, window_start, '1970-01-01 00:00:00+00') AS window_start
    FROM quality.recount_counts AS counts
    WHERE counts.window_start >= :since
        AND date_bin(:length, window_start, '1970-01-01 00:00:00+00') <= (SELECT newest FROM verified)
    GROUP BY 1
    HAVING sum(impressions) > 0
),
minutes AS (
    SELECT date_bin(:length, window_start, '1970-01-01 00:00:00+00') AS window_start, ${dimensions},
        sum(impressions) AS impressions, sum(clicks) AS clicks${more_sums}
    FROM realtime.segments_1min AS counts
    WHERE window_start >= :since
    GROUP BY 1, ${dimensions}
),
unlike AS (
    SELECT
        window_start,
        count(*) FILTER (
            WHERE (minutes.impressions, minutes.clicks${minutes_more})
                IS DISTINCT FROM (own.impressions, own.clicks${own_more})
        ) AS segments_unlike_minutes
    FROM minutes
    FULL JOIN (
        SELECT window_start, ${dimensions}, impressions, clicks${more}
        FROM realtime.segments_${window_type}
        WHERE window_start >= :since
    ) AS own USING (window_start, ${dimensions})
    WHERE window_start <= (SELECT newest FROM verified)
    GROUP BY window_start
)
SELECT
    :window_type AS window_type, window_start, impressions, clicks, ctr, exact_ctr,
    segment_impressions, segment_clicks,
    coalesce(impossible_segments, 0) AS impossible_segments,
    coalesce(doubled_segments, 0) AS doubled_segments,
    coalesce(segments_unlike_minutes, 0) AS segments_unlike_minutes,
    coalesce(unnamed_impressions, 0) AS unnamed_impressions,
    most_values_in
FROM totals
FULL JOIN recounted USING (window_start)
LEFT JOIN segments USING (window_start)
LEFT JOIN stored USING (window_start)
LEFT JOIN unlike USING (window_start)
ORDER BY window_start
