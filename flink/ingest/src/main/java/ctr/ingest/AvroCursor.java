package ctr.ingest;

/**
 * Reads Avro's binary encoding from a byte array that may hold anything.
 *
 * <p>Unlike a general decoder it trusts no length: a negative or excessive one is an error before a
 * byte is allocated or skipped, so that no record, however hostile, can cost more than its own size.
 * Every failure is a {@link MalformedException}.
 */
final class AvroCursor {

    private byte[] bytes = new byte[0];
    private int position;
    private int limit;

    /** Start at {@code offset}; the cursor keeps no state of what it read before. */
    void reset(byte[] bytes, int offset) {
        this.bytes = bytes;
        this.position = offset;
        this.limit = bytes.length;
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

    /** Zigzag varint whose value must fit 32 bits. */
    int readInt() throws MalformedException {
        long value = readLong();
        if (value != (int) value) {
            throw MalformedException.NUMBER_TOO_LONG;
        }
        return (int) value;
    }

    /** Index into {@code size} choices: a union's branch, an enum's symbol. */
    int readIndex(int size) throws MalformedException {
        long index = readLong();
        if (index < 0 || index >= size) {
            throw MalformedException.NO_SUCH_CHOICE;
        }
        return (int) index;
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
     * Start of a block of an array or map: its item count, 0 at the end. A block that gives its size
     * in bytes (a negative count) is skipped whole and read as the start of the next.
     *
     * <p>The count is only a claim: items of no bytes at all make any number possible.
     */
    long readBlock() throws MalformedException {
        while (true) {
            long count = readLong();
            if (count >= 0) {
                return count;
            }
            skip(readLength());
        }
    }
}
