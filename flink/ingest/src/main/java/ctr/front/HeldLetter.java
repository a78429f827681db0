package ctr.front;

/** A dead letter that version 0.1 had not sent yet. */
public final class HeldLetter {
    public long checkpointId;
    public Letter letter;
}
