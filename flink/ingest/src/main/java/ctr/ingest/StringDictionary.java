package ctr.ingest;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Interns the strings of dimensions: turns their bytes into the normal form, one String per distinct value.
 *
 * <p>Normal form: blank (no character beyond U+0020) is a word for that; at most {@value #MAX_CODE_POINTS} code points, since an
 * index entry of Postgres has a bound; U+0000, which Postgres cannot store, becomes U+FFFD, as do bytes
 * that are no UTF-8. The known values sit in an open-addressing table keyed by the bytes themselves, so
 * that a value seen before costs no allocation.
 */
final class StringDictionary {

    static final int MAX_CODE_POINTS = 128;

    /** Beyond this many distinct values the table is emptied, so that hostile values cannot fill the heap. */
    private static final int MAX_KNOWN = 1 << 16;

    /** Nor can long ones, which are cut anyway: they are not kept. */
    private static final int MAX_KNOWN_BYTES = 4 * MAX_CODE_POINTS;

    private final String blank;
    private byte[][] keys = new byte[1 << 10][];
    private String[] values = new String[1 << 10];
    private int known;

    /** What a blank one counts as. */
    StringDictionary(String blank) {
        this.blank = blank;
    }

    /** What a missing one counts as, like a blank one. */
    String blank() {
        return blank;
    }

    /** Normal form of {@code length} bytes of UTF-8 at {@code offset}. */
    String intern(byte[] bytes, int offset, int length) {
        if (length > MAX_KNOWN_BYTES) {
            return normalForm(new String(bytes, offset, length, StandardCharsets.UTF_8));
        }
        int hash = 1;
        for (int i = offset; i < offset + length; i++) {
            hash = 31 * hash + bytes[i];
        }
        int mask = keys.length - 1;
        int slot = (hash ^ (hash >>> 15)) & mask;
        while (keys[slot] != null) {
            if (Arrays.equals(keys[slot], 0, keys[slot].length, bytes, offset, offset + length)) {
                return values[slot];
            }
            slot = (slot + 1) & mask;
        }
        return add(Arrays.copyOfRange(bytes, offset, offset + length), slot);
    }

    private String add(byte[] key, int freeSlot) {
        String value = normalForm(new String(key, StandardCharsets.UTF_8));
        if (known >= MAX_KNOWN) {
            Arrays.fill(keys, null);
            Arrays.fill(values, null);
            known = 0;
        } else if (2 * known >= keys.length) {
            grow();
        } else {
            keys[freeSlot] = key;
            values[freeSlot] = value;
            known++;
        }
        return value;
    }

    private void grow() {
        byte[][] oldKeys = keys;
        String[] oldValues = values;
        keys = new byte[2 * oldKeys.length][];
        values = new String[2 * oldKeys.length];
        int mask = keys.length - 1;
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldKeys[i] != null) {
                int hash = Arrays.hashCode(oldKeys[i]);
                int slot = (hash ^ (hash >>> 15)) & mask;
                while (keys[slot] != null) {
                    slot = (slot + 1) & mask;
                }
                keys[slot] = oldKeys[i];
                values[slot] = oldValues[i];
            }
        }
    }

    String normalForm(String text) {
        if (text.trim().isEmpty()) {
            return blank;
        }
        String stored = text.replace('\0', '\uFFFD');
        if (stored.codePointCount(0, stored.length()) <= MAX_CODE_POINTS) {
            return stored;
        }
        return stored.substring(0, stored.offsetByCodePoints(0, MAX_CODE_POINTS));
    }
}
