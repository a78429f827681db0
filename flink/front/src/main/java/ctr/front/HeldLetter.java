package ctr.front;

/** A letter that is sent when a checkpoint that contains it is complete. A Flink POJO. */
public final class HeldLetter {

    /** The first checkpoint that contains it; 0 before there is one. */
    public long checkpointId;

    public Letter letter;

    /** For Flink's serializer. */
    public HeldLetter() {}

    HeldLetter(Letter letter) {
        this.letter = letter;
    }
}
