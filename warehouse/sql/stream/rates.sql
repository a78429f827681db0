(
    SELECT jsonb_object_agg(${dimension}, realtime.ctr(clicks, impressions))
    FROM (
        SELECT ${dimension}, sum(clicks)::bigint AS clicks, sum(impressions)::bigint AS impressions
        FROM realtime.segments_${window_type} AS segments
        WHERE segments.window_start = windows.window_start
        GROUP BY ${dimension}
    ) AS by_value
) AS ${rates_name}
