-- CTR of the newest full hour beside that of the same hour of the day before; no row while either of them
-- has fewer than :clicks clicks, too few to tell a drift from chance.
SELECT
    this_hour, impressions, clicks, impressions_before, clicks_before,
    round(ctr, 2) AS ctr, round(ctr_before, 2) AS ctr_before,
    round(100 * abs(ctr - ctr_before) / ctr_before, 2) AS drift_percent
FROM (
    SELECT *, 100.0 * clicks / impressions AS ctr, 100.0 * clicks_before / impressions_before AS ctr_before
    FROM (
        SELECT date_trunc('hour', max(window_start), 'UTC') - interval '1 hour' AS this_hour
        FROM realtime.counts_5min
    ) AS newest,
    LATERAL (
        SELECT sum(impressions) AS impressions, sum(clicks) AS clicks FROM realtime.segments_5min
        WHERE window_start >= this_hour AND window_start < this_hour + interval '1 hour'
    ) AS this,
    LATERAL (
        SELECT sum(impressions) AS impressions_before, sum(clicks) AS clicks_before FROM realtime.segments_5min
        WHERE window_start >= this_hour - interval '24 hours' AND window_start < this_hour - interval '23 hours'
    ) AS before
    WHERE clicks >= :clicks AND clicks_before >= :clicks
) AS rates
