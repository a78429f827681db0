package ctr.ingest;

/** What becomes of a record: every record of the topic has exactly one outcome. */
enum Outcome {
    COUNTED,
    LATE,
    MALFORMED,
    UNKNOWN_SCHEMA,
    INVALID;

    private final String reason = name().toLowerCase(java.util.Locale.ROOT);

    /** The word that dead letters, metrics and the ledger use. */
    String reason() {
        return reason;
    }
}
