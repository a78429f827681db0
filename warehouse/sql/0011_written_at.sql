-- Windows also close after a partition's last record: its row then says so, and since when.
DROP TRIGGER ledger_written_at ON quality.ledger;

CREATE TRIGGER ledger_written_at
BEFORE UPDATE ON quality.ledger
FOR EACH ROW WHEN (
    OLD.checkpoint_id IS DISTINCT FROM NEW.checkpoint_id
    OR OLD.job_watermark IS DISTINCT FROM NEW.job_watermark
)
EXECUTE FUNCTION quality.written_now();
