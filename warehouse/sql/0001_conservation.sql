-- The conservation law per partition: `unaccounted` and `overlapping_offsets` must be 0.
-- `uncovered_offsets` lie between two rows: a transaction's markers (one each), or records never read.
CREATE VIEW quality.conservation AS
SELECT
    topic,
    partition,
    min(first_offset) AS first_offset,
    max(last_offset) AS last_offset,
    sum(records_read)::bigint AS records_read,
    sum(counted)::bigint AS counted,
    sum(late)::bigint AS late,
    sum(malformed)::bigint AS malformed,
    sum(unknown_schema)::bigint AS unknown_schema,
    sum(invalid)::bigint AS invalid,
    sum(malformed + unknown_schema + invalid)::bigint AS dead,
    sum(records_read - counted - late - malformed - unknown_schema - invalid)::bigint AS unaccounted,
    coalesce(sum(greatest(first_offset - previous_offset - 1, 0)), 0)::bigint AS uncovered_offsets,
    coalesce(sum(greatest(previous_offset - first_offset + 1, 0)), 0)::bigint AS overlapping_offsets
FROM (
    SELECT
        *,
        max(last_offset) OVER (
            PARTITION BY topic, partition
            ORDER BY first_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS previous_offset
    FROM quality.ledger_current
) AS ordered
GROUP BY topic, partition;
