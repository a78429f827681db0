-- The jobs that this installation is known to have submitted, in the order in which they began.
INSERT INTO quality.submitted_jobs (job_id, deployment_id, submitted_at)
SELECT
    job_id,
    (SELECT max(deployment_id) FROM quality.deployments WHERE recorded_at <= began_at),
    began_at
FROM (
    SELECT job_id, min(began_at) AS began_at
    FROM (
        SELECT job_id, run_started_at AS began_at FROM quality.ledger
        UNION ALL
        SELECT job_id, observed_at FROM quality.vital_signs
    ) AS seen
    GROUP BY job_id
) AS jobs
ORDER BY began_at;
