-- Where a backfill puts the windows that it has recomputed. ${...} comes from flink/config.py.

CREATE TEMPORARY TABLE repair_counts (
    repair_id STRING,
    window_start STRING,
    ${dimension_columns},
    impressions BIGINT,
    ${measure_columns},
    PRIMARY KEY (repair_id, window_start, ${dimensions}) NOT ENFORCED
) WITH ('table-name' = 'quality.repair_counts', ${jdbc});
