package ctr.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class StringDictionaryTest {

    private final StringDictionary strings = new StringDictionary("unknown");

    private String of(byte... bytes) {
        return strings.intern(bytes, 0, bytes.length);
    }

    private String of(String text) {
        return of(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void anOrdinaryValueIsItself() {
        assertEquals("28905ebd", of("28905ebd"));
        assertEquals(" spaced out ", of(" spaced out "));
        assertEquals("Zeitung für Äpfel 🍎", of("Zeitung für Äpfel 🍎"));
    }

    @Test
    void blankIsUnknown() {
        for (String blank : new String[] {"", " ", "\t\r\n", "\0", " \0 ", "\u001f\u0020"}) {
            assertEquals("unknown", of(blank));
        }
        assertEquals("\u00a0", of("\u00a0"), "a space beyond U+0020 is a character like any other");
    }

    @Test
    void nulBecomesTheReplacementCharacter() {
        assertEquals("a\ufffdb", of("a\0b"));
    }

    @Test
    void bytesThatAreNoUtf8BecomeTheReplacementCharacter() {
        assertEquals("a\ufffdb", of((byte) 'a', (byte) 0xff, (byte) 'b'));
        assertEquals("\ufffd", of((byte) 0xe2, (byte) 0x82), "a euro sign cut short");
    }

    @Test
    void aLongValueKeepsItsFirst128CodePoints() {
        String limit = "x".repeat(128);
        assertEquals(limit, of(limit));
        assertEquals(limit, of(limit + "y"));
        String apples = "🍎".repeat(128);
        assertEquals(apples, of(apples));
        assertEquals(apples, of(apples + "🍎"));
        assertEquals("x" + "🍎".repeat(127), of("x" + apples), "no surrogate pair is cut in half");
    }

    @Test
    void onlyTheNamedBytesCount() {
        byte[] around = "<news>".getBytes(StandardCharsets.UTF_8);
        assertEquals("news", strings.intern(around, 1, 4));
        assertEquals("ews", strings.intern(around, 2, 3));
        assertEquals("unknown", strings.intern(around, 3, 0));
    }

    @Test
    void aKnownValueIsOneString() {
        assertSame(of("news"), of("news"));
        String ofTwoBytes = of("Aa");
        assertEquals("BB", of("BB"), "the same hash as Aa");
        assertSame(ofTwoBytes, of("Aa"));
    }

    @Test
    void anyNumberOfValuesIsRight() {
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 200_000; i++) {
                assertEquals("category " + i, of("category " + i));
            }
        }
    }

    @Test
    void hugeValuesAreNotKept() {
        String longest = "🍎".repeat(128);
        assertSame(of(longest), of(longest));
        String longer = longest + "x";
        assertEquals(longest, of(longer));
        assertNotSame(of(longer), of(longer), "else 65,536 values of a megabyte each fill any heap");
    }
}
