-- A run that went back to a checkpoint reads in other portions, and may write one in an earlier row's place.
-- `written_at` then says when that was: a row is never older than those that it supersedes.
CREATE FUNCTION quality.written_now() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN NEW.written_at := now(); RETURN NEW; END';

CREATE TRIGGER ledger_written_at
BEFORE UPDATE ON quality.ledger
FOR EACH ROW WHEN (OLD.checkpoint_id IS DISTINCT FROM NEW.checkpoint_id)
EXECUTE FUNCTION quality.written_now();
