"""The warehouse: Postgres models, migrations and the read side of Postgres and Redis."""
