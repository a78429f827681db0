-- Compare windows with their recount, and note every result that is new.
--
-- :window_type, :length: of the windows, as a name and as an interval; ${window_type} stands in names of
-- views, ${dimensions} for the columns of the dimensions. :first, :last are whole hours: windows that start in
-- [:first, :last) are meant, of these the ones that end by :closed_until.
--
-- Expected is what the recount has counted, and of its late records those that were merged afterwards.
WITH recounted AS (
    SELECT date_bin(:length, window_start, '1970-01-01 00:00:00+00') AS window_start, ${dimensions}, impressions, clicks${more}
    FROM quality.recount_counts AS counts
    WHERE counts.window_start >= :first AND counts.window_start < :last
    UNION ALL
    SELECT date_bin(:length, window_start, '1970-01-01 00:00:00+00'), ${dimensions}, 1, click${more}
    FROM quality.recount_late AS late
    WHERE window_start >= :first AND window_start < :last AND EXISTS (
        SELECT FROM realtime.late_events AS merged
        WHERE (merged.topic, merged.partition, merged."offset") = (late.topic, late.partition, late."offset")
    )
),
expected AS (
    SELECT window_start, ${dimensions}, sum(impressions) AS impressions, sum(clicks) AS clicks${more_sums}
    FROM recounted
    GROUP BY window_start, ${dimensions}
    HAVING sum(impressions) <> 0 OR sum(clicks) <> 0${or_more}
),
actual AS (
    SELECT window_start, ${dimensions}, impressions, clicks${more}
    FROM realtime.segments_${window_type}
    WHERE window_start >= :first AND window_start < :last
),
compared AS (
    SELECT
        window_start,
        sum(coalesce(expected.impressions, 0)) AS expected_impressions,
        sum(coalesce(actual.impressions, 0)) AS actual_impressions,
        sum(coalesce(expected.clicks, 0)) AS expected_clicks,
        sum(coalesce(actual.clicks, 0)) AS actual_clicks,
        sum(abs(coalesce(actual.impressions, 0) - coalesce(expected.impressions, 0))) AS impressions_off,
        sum(abs(coalesce(actual.clicks, 0) - coalesce(expected.clicks, 0))) AS clicks_off${more_off}
    FROM expected
    FULL JOIN actual USING (window_start, ${dimensions})
    GROUP BY window_start
),
seen AS (
    SELECT * FROM compared
    -- Of a window that was not exact, and that is nowhere any more, both sides say nothing now.
    UNION ALL
    SELECT window_start, 0, 0, 0, 0, 0, 0${no_more}
    FROM quality.inexact_windows AS inexact
    WHERE window_type = :window_type AND window_start >= :first AND window_start < :last
        AND NOT EXISTS (SELECT FROM compared WHERE compared.window_start = inexact.window_start)
),
late AS (
    SELECT date_bin(:length, window_start, '1970-01-01 00:00:00+00') AS window_start, count(*) AS late
    FROM quality.recount_late
    WHERE window_start >= :first AND window_start < :last
    GROUP BY 1
),
verified AS (
    SELECT
        :window_type AS window_type,
        window_start,
        expected_impressions,
        actual_impressions,
        expected_clicks,
        actual_clicks,
        coalesce(late.late, 0) AS late,
        -- The largest error of all sums; 100 only where none has any.
        trunc(
            100 * greatest(
                0,
                1 - greatest(
                    impressions_off / greatest(1, expected_impressions), clicks_off / greatest(1, expected_clicks)${errors}
                )
            ),
            2
        ) AS accuracy
    FROM seen
    LEFT JOIN late USING (window_start)
    WHERE window_start + :length <= :closed_until
),
changed AS (
    INSERT INTO quality.window_accuracy_history (
        window_type, window_start, expected_impressions, actual_impressions, expected_clicks, actual_clicks,
        late, accuracy
    )
    SELECT verified.*
    FROM verified
    LEFT JOIN LATERAL (
        SELECT *
        FROM quality.window_accuracy_history AS earlier
        WHERE earlier.window_type = verified.window_type AND earlier.window_start = verified.window_start
        ORDER BY earlier.checked_at DESC
        LIMIT 1
    ) AS latest ON true
    WHERE (
        latest.expected_impressions, latest.actual_impressions, latest.expected_clicks, latest.actual_clicks,
        latest.late, latest.accuracy
    ) IS DISTINCT FROM (
        verified.expected_impressions, verified.actual_impressions, verified.expected_clicks,
        verified.actual_clicks, verified.late, verified.accuracy
    )
    RETURNING 1
)
SELECT
    count(*) AS windows,
    count(*) FILTER (WHERE accuracy < 100) AS inexact,
    coalesce(min(accuracy), 100) AS lowest_accuracy,
    coalesce(sum(expected_impressions), 0) AS impressions,
    (SELECT count(*) FROM changed) AS changed_results
FROM verified;
