-- The latest verification of each window from :since on.
SELECT window_type, window_start, expected_impressions, actual_impressions, expected_clicks, actual_clicks,
    late, accuracy
FROM quality.window_accuracy
WHERE window_start >= :since
ORDER BY window_type, window_start
