-- As before, with the job's watermark beside each row.
CREATE OR REPLACE VIEW quality.ledger_current AS
SELECT
    topic, partition, first_offset, last_offset, checkpoint_id, records_read,
    counted, late, malformed, unknown_schema, invalid, job_id, run_started_at, written_at, job_watermark
FROM (
    SELECT
        *,
        min(first_offset) OVER (
            PARTITION BY topic, partition
            ORDER BY run_started_at DESC, checkpoint_id DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS read_again_from
    FROM quality.ledger
) AS rows_and_later_ones
WHERE read_again_from IS NULL OR first_offset < read_again_from;
