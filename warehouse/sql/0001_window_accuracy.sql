-- The latest verification of each window.
CREATE VIEW quality.window_accuracy AS
SELECT DISTINCT ON (window_type, window_start)
    window_type, window_start, expected_impressions, actual_impressions,
    expected_clicks, actual_clicks, late, accuracy, checked_at
FROM quality.window_accuracy_history
ORDER BY window_type, window_start, checked_at DESC;
