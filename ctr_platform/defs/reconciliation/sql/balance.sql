-- The ledger beside the recount, by partition, over the records that both speak of.
-- :topic    the raw topic
SELECT
    progress.partition,
    progress.records_read - coalesce(sum(ledger.records_read), 0) AS records_read,
    progress.counted - coalesce(sum(ledger.counted), 0) AS counted,
    progress.late - coalesce(sum(ledger.late), 0) AS late,
    progress.malformed - coalesce(sum(ledger.malformed), 0) AS malformed,
    progress.unknown_schema - coalesce(sum(ledger.unknown_schema), 0) AS unknown_schema,
    progress.invalid - coalesce(sum(ledger.invalid), 0) AS invalid
FROM quality.recount_progress AS progress
LEFT JOIN quality.ledger_current AS ledger
    ON ledger.topic = progress.topic
    AND ledger.partition = progress.partition
    AND ledger.last_offset >= progress.first_offset
    AND ledger.last_offset < progress.next_offset
WHERE progress.topic = :topic
GROUP BY progress.topic, progress.partition
-- Where a job that went back reads again, the ledger does not reach as far as the recount for a while; and of
-- the row in whose midst the recount began it knows a part.
HAVING coalesce(max(ledger.last_offset) + 1, progress.next_offset) = progress.next_offset
   AND coalesce(min(ledger.first_offset), progress.first_offset) >= progress.first_offset
ORDER BY progress.partition
