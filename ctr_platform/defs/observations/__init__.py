"""What the stream leaves outside Postgres and Kafka, and how fresh all of it is."""
