"""The data plane: the Flink job `ctr_windows`, its SQL, its Avro schema and its ingest stage in Java."""
