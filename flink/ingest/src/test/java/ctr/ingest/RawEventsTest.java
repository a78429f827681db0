package ctr.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Ids as keys of the table: of a length that Postgres can index. */
class RawEventsTest {

    @Test
    void anIdOfUsualLengthStaysAsItIs() {
        for (String id : new String[] {"", "e1", "x".repeat(256), "\uD83C\uDF4E".repeat(256)}) {
            assertEquals(id, RawEvents.key(id));
        }
    }

    @Test
    void aLongOneIsCutAndItsHashAdded() {
        String first = "x".repeat(256) + "1";
        String second = "x".repeat(256) + "2";
        assertEquals(256, RawEvents.key(first).length());
        assertTrue(RawEvents.key(first).startsWith("x".repeat(192)));
        assertNotEquals(RawEvents.key(first), RawEvents.key(second));
        assertEquals(
                "x".repeat(192) + "1853dfaa", RawEvents.key("x".repeat(6_000)).substring(0, 200), "SHA-256 of the whole id");
        String apples = "\uD83C\uDF4E".repeat(257);
        assertEquals(256, RawEvents.key(apples).codePointCount(0, RawEvents.key(apples).length()));
    }
}
