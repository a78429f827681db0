package ctr.front;

/** A dead letter of version 0.1. */
public final class Letter {
    public String topic;
    public int partition;
    public long offset;
    public String reason;
    public String message;
    public byte[] key;
    public byte[] value;
    public String[] headerKeys;
    public byte[][] headerValues;
}
