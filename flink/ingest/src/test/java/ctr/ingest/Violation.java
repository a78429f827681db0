package ctr.ingest;

/** A simulated job has broken a rule of the contract. */
final class Violation extends RuntimeException {

    private static final long serialVersionUID = 1L;

    Violation(String message) {
        super(message);
    }
}
