-- Windows as a backfill has recomputed them, of both types.
--
-- :repair_id    of the staged rows
-- :topic        of the records that were late after idleness: in time by the content of their partition, so
--               the staging job has counted them
-- :first, :last whole hours: windows that start in [:first, :last)
-- ${dimensions}  for the columns of the dimensions
-- ${as_counted}  for the same, without what windows say nothing of that were counted before there was one
WITH minutes AS (
    SELECT window_start, ${dimensions}, sum(impressions) AS impressions, sum(clicks) AS clicks${more_sums}
    FROM (
        SELECT window_start, ${as_counted}, impressions, clicks${more}
        FROM quality.repair_counts
        WHERE repair_id = :repair_id
        UNION ALL
        SELECT window_start, ${dimensions}, -1, -click${less}
        FROM quality.recount_late
        WHERE after_idleness AND topic = :topic AND window_start >= :first AND window_start < :last
    ) AS staged
    GROUP BY window_start, ${dimensions}
    HAVING sum(impressions) > 0
)
SELECT '1min' AS window_type, window_start, window_start + interval '1 minute' AS window_end,
    ${dimensions}, impressions::bigint AS impressions, clicks::bigint AS clicks${more}
FROM minutes
UNION ALL
SELECT '5min', five.window_start, five.window_start + interval '5 minutes',
    ${dimensions}, sum(impressions)::bigint, sum(clicks)::bigint${more_sums}
FROM minutes,
    LATERAL (SELECT date_bin('5 minutes', minutes.window_start, '1970-01-01 00:00:00+00')) AS five (window_start)
GROUP BY five.window_start, ${dimensions}
