package ctr.ingest;

/**
 * Reads Avro's binary encoding from a byte array that may hold anything.
 *
 * <p>Unlike a general decoder it trusts no length: a negative or excessive one is an error before a
 * byte is allocated or skipped, so that no record, however hostile, can cost more than its own size.
 * Every failure is a {@link MalformedException}.
 */
final class AvroCursor {

    private static final int MAX_INT_BYTES = 5;

    private byte[] bytes = new byte[0];
    private int position;
    private int limit;
    private int blockEnd;

    /** Start at {@code offset}; the cursor keeps no state of what it read before. */
    void reset(byte[] bytes, int offset) {
        this.bytes = bytes;
        this.position = offset;
        this.limit = bytes.length;
    }

    /** Go on from a place that was read before. */
    void seek(int position) {
        this.position = position;
    }

    int remaining() {
        return limit - position;
    }

    int position() {
        return position;
    }

    byte[] bytes() {
        return bytes;
    }

    /** Zigzag varint of at most 64 bits. */
    long readLong() throws MalformedException {
        long raw = 0;
        int shift = 0;
        while (true) {
            if (position == limit) {
                throw MalformedException.ENDS_TOO_EARLY;
            }
            int next = bytes[position++];
            raw |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return (raw >>> 1) ^ -(raw & 1);
            }
            shift += 7;
            if (shift > 63) {
                throw MalformedException.NUMBER_TOO_LONG;
            }
        }
    }

    /** Zigzag varint of at most 32 bits, in no more bytes than these need. */
    int readInt() throws MalformedException {
        int start = position;
        long value = readLong();
        if (value != (int) value || position - start > MAX_INT_BYTES) {
            throw MalformedException.NUMBER_TOO_LONG;
        }
        return (int) value;
    }

    /** Index into {@code size} choices: a union's branch, an enum's symbol. It is written as an int. */
    int readIndex(int size) throws MalformedException {
        int index = readInt();
        if (index < 0 || index >= size) {
            throw MalformedException.NO_SUCH_CHOICE;
        }
        return index;
    }

    /** True where the byte is 1, as Avro's own reader takes it. */
    boolean readBoolean() throws MalformedException {
        int at = position;
        skip(1);
        return bytes[at] == 1;
    }

    /** Length of a string or of bytes, which must lie within the record. */
    int readLength() throws MalformedException {
        long length = readLong();
        if (length < 0 || length > remaining()) {
            throw MalformedException.IMPOSSIBLE_LENGTH;
        }
        return (int) length;
    }

    void skip(int length) throws MalformedException {
        if (length > remaining()) {
            throw MalformedException.ENDS_TOO_EARLY;
        }
        position += length;
    }

    void skipLengthPrefixed() throws MalformedException {
        skip(readLength());
    }

    /**
     * Start of a block of an array or map: its item count, 0 at the end. A block that gives its size in bytes, by
     * a negative count, must end there: see {@link #endBlock}.
     *
     * <p>The count is only a claim: items of no bytes at all make any number possible.
     */
    long readBlock() throws MalformedException {
        long count = readLong();
        blockEnd = -1;
        if (count < 0) {
            blockEnd = readLength();
            blockEnd += position;
            // The most negative number has no positive one; as a claim it is as good as the next.
            return count == Long.MIN_VALUE ? Long.MAX_VALUE : -count;
        }
        return count;
    }

    /** Where the block says that it ends, if it does, else -1; to be kept by whoever reads its items. */
    int blockEnd() {
        return blockEnd;
    }

    /** The items of a block have been read. */
    void endBlock(int claimedEnd) throws MalformedException {
        if (claimedEnd >= 0 && position != claimedEnd) {
            throw MalformedException.IMPOSSIBLE_LENGTH;
        }
    }
}
