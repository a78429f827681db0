-- The job and the checkpoint that each deployment began with, as far as its URI names them: a checkpoint's
-- names both, a savepoint's the first digits of the job's id.
UPDATE quality.deployments AS deployment
SET
    excludes_since = excluded_from IS NOT NULL,
    restore_job_id = (
        SELECT job_id FROM quality.submitted_jobs
        WHERE
            job_id = substring(restore_from FROM '([0-9a-f]{32})/chk-[0-9]+/?$')
            OR left(job_id, 6) = substring(restore_from FROM 'savepoint-([0-9a-f]{6})-[0-9a-f]{12}/?$')
        ORDER BY number DESC
        LIMIT 1
    ),
    restore_checkpoint_id = substring(restore_from FROM '[0-9a-f]{32}/chk-([0-9]+)/?$')::bigint;
