-- What flows where: one statement set, so that the topic is read once. Times are UTC.

INSERT INTO counts_1min
SELECT
    CAST(window_start AS STRING) || '+00',
    CAST(window_end AS STRING) || '+00',
    ${dimensions}, impressions, ${measures}
FROM windows_1min;

INSERT INTO counts_5min
SELECT
    CAST(window_start AS STRING) || '+00',
    CAST(window_end AS STRING) || '+00',
    ${dimensions}, impressions, ${measures}
FROM windows_5min;

INSERT INTO ledger
SELECT
    topic, `partition`, first_offset, last_offset, checkpoint_id,
    records_read, counted, late, malformed, unknown_schema, invalid,
    job_id,
    CAST(TO_TIMESTAMP_LTZ(run_started_ms, 3) AS STRING) || '+00',
    CAST(TO_TIMESTAMP_LTZ(job_watermark_ms, 3) AS STRING) || '+00'
FROM ledger_entries;

INSERT INTO ctr_windows
SELECT key, document FROM final_documents;
