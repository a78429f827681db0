"""Operations on the running job, as Dagster jobs: each with a dry run."""
