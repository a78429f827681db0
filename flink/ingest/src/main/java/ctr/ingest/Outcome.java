package ctr.front;

/** What becomes of a record. Exactly one of these, for every record of the topic. */
enum Fate {
    COUNTED,
    LATE,
    MALFORMED,
    UNKNOWN_SCHEMA,
    INVALID;

    private final String reason = name().toLowerCase(java.util.Locale.ROOT);

    /** The word that letters and the ledger use. */
    String reason() {
        return reason;
    }
}
