package ctr.ingest;

/** Waits in state until a checkpoint that contains it is complete, and is sent then. */
final class DeferredDeadLetter {

    /** The first checkpoint that contains it; 0 before there is one. */
    long checkpointId;

    final DeadLetter deadLetter;

    DeferredDeadLetter(DeadLetter deadLetter) {
        this.deadLetter = deadLetter;
    }
}
