-- Where the windows and the ledger go. ${...} comes from flink/config.py.
--
-- Times are written as text with their zone, which Postgres reads as timestamptz (stringtype=unspecified):
-- a JDBC timestamp would take the zone of whatever JVM writes it.

CREATE TEMPORARY TABLE counts_1min (
    window_start STRING,
    window_end STRING,
    ${dimension_columns},
    impressions BIGINT,
    ${measure_columns},
    PRIMARY KEY (window_start, ${dimensions}) NOT ENFORCED
) WITH ('table-name' = 'realtime.counts_1min', ${jdbc});

CREATE TEMPORARY TABLE counts_5min (
    window_start STRING,
    window_end STRING,
    ${dimension_columns},
    impressions BIGINT,
    ${measure_columns},
    PRIMARY KEY (window_start, ${dimensions}) NOT ENFORCED
) WITH ('table-name' = 'realtime.counts_5min', ${jdbc});

CREATE TEMPORARY TABLE ledger (
    topic STRING,
    `partition` INT,
    first_offset BIGINT,
    last_offset BIGINT,
    checkpoint_id BIGINT,
    records_read BIGINT,
    counted BIGINT,
    late BIGINT,
    malformed BIGINT,
    unknown_schema BIGINT,
    invalid BIGINT,
    job_id STRING,
    run_started_at STRING,
    job_watermark STRING,
    PRIMARY KEY (topic, `partition`, first_offset, run_started_at) NOT ENFORCED
) WITH ('table-name' = 'quality.ledger', ${jdbc});

CREATE TEMPORARY TABLE ctr_windows (
    key STRING,
    document STRING
) WITH (
    'connector' = 'kafka',
    'topic' = ${windows_topic},
    'properties.bootstrap.servers' = ${bootstrap_servers},
    'key.format' = 'raw',
    'key.fields' = 'key',
    'value.format' = 'raw',
    'value.fields-include' = 'EXCEPT_KEY',
    'sink.delivery-guarantee' = 'at-least-once'
);
