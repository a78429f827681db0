-- Put the recomputed windows in the place of those that the warehouse holds: one transaction, exactly the
-- chosen windows. Returns what was changed.
--
-- :repair_id    of the staged rows
-- :first, :last whole hours: windows that start in [:first, :last)
--
-- What was late after idleness is in time by the content of its partition, so the staging job has counted it.
CREATE TEMPORARY TABLE repaired ON COMMIT DROP AS
WITH minutes AS (
    SELECT window_start, site_category, device_type, sum(impressions) AS impressions, sum(clicks) AS clicks
    FROM (
        SELECT window_start, site_category, device_type, impressions, clicks
        FROM quality.repair_counts
        WHERE repair_id = :repair_id
        UNION ALL
        SELECT window_start, site_category, device_type, -1, -click
        FROM quality.recount_late
        WHERE after_idleness AND topic = :topic AND window_start >= :first AND window_start < :last
    ) AS staged
    GROUP BY window_start, site_category, device_type
    HAVING sum(impressions) > 0
)
SELECT '1min' AS window_type, window_start, window_start + interval '1 minute' AS window_end,
    site_category, device_type, impressions::bigint AS impressions, clicks::bigint AS clicks
FROM minutes
UNION ALL
SELECT '5min', five.window_start, five.window_start + interval '5 minutes',
    site_category, device_type, sum(impressions)::bigint, sum(clicks)::bigint
FROM minutes,
    LATERAL (SELECT date_bin('5 minutes', minutes.window_start, '1970-01-01 00:00:00+00')) AS five (window_start)
GROUP BY five.window_start, site_category, device_type;

CREATE TEMPORARY TABLE differing ON COMMIT DROP AS
SELECT window_type, window_start, site_category, device_type
FROM (
    SELECT '1min' AS window_type, window_start, site_category, device_type, impressions, clicks
    FROM realtime.counts_1min
    WHERE window_start >= :first AND window_start < :last
    UNION ALL
    SELECT '5min', window_start, site_category, device_type, impressions, clicks
    FROM realtime.counts_5min
    WHERE window_start >= :first AND window_start < :last
) AS held
FULL JOIN repaired USING (window_type, window_start, site_category, device_type)
WHERE (held.impressions, held.clicks) IS DISTINCT FROM (repaired.impressions, repaired.clicks);

DELETE FROM realtime.counts_1min WHERE window_start >= :first AND window_start < :last;

DELETE FROM realtime.counts_5min WHERE window_start >= :first AND window_start < :last;

INSERT INTO realtime.counts_1min (window_start, window_end, site_category, device_type, impressions, clicks)
SELECT window_start, window_end, site_category, device_type, impressions, clicks
FROM repaired
WHERE window_type = '1min';

INSERT INTO realtime.counts_5min (window_start, window_end, site_category, device_type, impressions, clicks)
SELECT window_start, window_end, site_category, device_type, impressions, clicks
FROM repaired
WHERE window_type = '5min';

-- The recount verifies them at its next pass, however long ago they were.
INSERT INTO quality.recount_pending (window_start)
SELECT DISTINCT window_start
FROM differing
ON CONFLICT DO NOTHING;

-- The documents of these windows are published again.
INSERT INTO realtime.window_revisions AS known (window_type, window_start, revision, published_revision)
SELECT DISTINCT window_type, window_start, 1, 0
FROM differing
ON CONFLICT (window_type, window_start)
DO UPDATE SET revision = known.published_revision + 1, revised_at = now();

DELETE FROM quality.repair_counts WHERE repair_id = :repair_id;

UPDATE quality.repairs
SET applied_at = now(),
    rows_changed = (SELECT count(*) FROM differing),
    rows_inserted = (SELECT count(*) FROM repaired)
WHERE repair_id = :repair_id
