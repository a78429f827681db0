/**
 * State classes of version 0.1, which stored them as Flink POJOs: a savepoint of that version names them, with their fields.
 *
 * <p>They are read once, by {@code ctr.ingest.Version01State}, and never written, so a release that no installation of
 * version 0.1 upgrades to may do without them. Until then neither names nor fields may change.
 */
package ctr.front;
