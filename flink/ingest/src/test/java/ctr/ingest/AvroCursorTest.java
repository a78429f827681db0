package ctr.ingest;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.io.BinaryEncoder;
import org.apache.flink.avro.shaded.org.apache.avro.io.EncoderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class AvroCursorTest {

    private interface Writing {
        void to(BinaryEncoder encoder) throws IOException;
    }

    private static byte[] written(Writing writing) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(bytes, null);
        writing.to(encoder);
        encoder.flush();
        return bytes.toByteArray();
    }

    private static AvroCursor over(byte[] bytes) {
        AvroCursor cursor = new AvroCursor();
        cursor.reset(bytes, 0);
        return cursor;
    }

    private static byte[] bytes(int... values) {
        byte[] result = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = (byte) values[i];
        }
        return result;
    }

    private static void malformed(MalformedException expected, Executable reading) {
        assertEquals(expected, assertThrows(MalformedException.class, reading));
    }

    @Test
    void longsAreWhatAvroWrote() throws IOException {
        Random random = new Random(1);
        for (int i = 0; i < 20_000; i++) {
            long value = random.nextLong() >> random.nextInt(64);
            AvroCursor cursor = over(written(encoder -> encoder.writeLong(value)));
            assertEquals(value, cursor.readLong());
            assertEquals(0, cursor.remaining());
        }
        for (long value : new long[] {0, -1, 1, Long.MAX_VALUE, Long.MIN_VALUE}) {
            assertEquals(value, over(written(encoder -> encoder.writeLong(value))).readLong());
        }
    }

    @Test
    void intsAreWhatAvroWrote() throws IOException {
        Random random = new Random(2);
        for (int i = 0; i < 20_000; i++) {
            int value = random.nextInt() >> random.nextInt(32);
            assertEquals(value, over(written(encoder -> encoder.writeInt(value))).readInt());
        }
        for (int value : new int[] {0, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            assertEquals(value, over(written(encoder -> encoder.writeInt(value))).readInt());
        }
    }

    @Test
    void aLongThatIsNoIntIsMalformed() throws IOException {
        for (long value : new long[] {1L << 31, -(1L << 31) - 1, Long.MAX_VALUE, Long.MIN_VALUE}) {
            byte[] bytes = written(encoder -> encoder.writeLong(value));
            malformed(MalformedException.NUMBER_TOO_LONG, () -> over(bytes).readInt());
        }
    }

    @Test
    void aTruncatedNumberIsMalformed() throws IOException {
        Random random = new Random(3);
        for (int i = 0; i < 2_000; i++) {
            long value = random.nextLong() >> random.nextInt(64);
            byte[] whole = written(encoder -> encoder.writeLong(value));
            for (int length = 0; length < whole.length; length++) {
                byte[] part = Arrays.copyOf(whole, length);
                malformed(MalformedException.ENDS_TOO_EARLY, () -> over(part).readLong());
            }
        }
    }

    @Test
    void aNumberOfMoreThanTenBytesIsMalformed() {
        byte[] eleven = new byte[11];
        Arrays.fill(eleven, 0, 10, (byte) 0x80);
        malformed(MalformedException.NUMBER_TOO_LONG, () -> over(eleven).readLong());
        byte[] endless = new byte[1_000];
        Arrays.fill(endless, (byte) 0xff);
        malformed(MalformedException.NUMBER_TOO_LONG, () -> over(endless).readLong());
    }

    @Test
    void stringsAndBytesAreSkippedToTheirEnd() throws IOException {
        Random random = new Random(4);
        for (int i = 0; i < 2_000; i++) {
            byte[] content = new byte[random.nextInt(300)];
            random.nextBytes(content);
            long after = random.nextLong();
            AvroCursor cursor = over(written(encoder -> {
                encoder.writeBytes(content);
                encoder.writeLong(after);
            }));
            cursor.skipLengthPrefixed();
            assertEquals(after, cursor.readLong());
        }
    }

    @Test
    void aLengthPointsAtTheBytesThatFollow() throws IOException {
        byte[] content = {3, 1, 4, 1, 5};
        AvroCursor cursor = over(written(encoder -> encoder.writeBytes(content)));
        int length = cursor.readLength();
        assertArrayEquals(content, Arrays.copyOfRange(cursor.bytes(), cursor.position(), cursor.position() + length));
    }

    @Test
    void impossibleLengthsAreMalformed() throws IOException {
        for (long length : new long[] {-1, Long.MIN_VALUE, 4, 1L << 31, (1L << 32) + 1, Long.MAX_VALUE}) {
            byte[] bytes = written(encoder -> {
                encoder.writeLong(length);
                encoder.writeFixed(new byte[3]);
            });
            malformed(MalformedException.IMPOSSIBLE_LENGTH, () -> over(bytes).skipLengthPrefixed());
        }
    }

    @Test
    void fixedSizesAreSkippedWithinTheRecord() throws IOException {
        AvroCursor cursor = over(new byte[8]);
        cursor.skip(8);
        assertEquals(0, cursor.remaining());
        malformed(MalformedException.ENDS_TOO_EARLY, () -> over(new byte[7]).skip(8));
    }

    @Test
    void anIndexMustNameAChoice() throws IOException {
        for (int index = 0; index < 3; index++) {
            int chosen = index;
            assertEquals(chosen, over(written(encoder -> encoder.writeIndex(chosen))).readIndex(3));
        }
        for (int index : new int[] {-1, 3, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            byte[] bytes = written(encoder -> encoder.writeIndex(index));
            malformed(MalformedException.NO_SUCH_CHOICE, () -> over(bytes).readIndex(3));
        }
    }

    @Test
    void anIndexIsNoLongerThanAnInt() throws IOException {
        for (long index : new long[] {1L << 32, Long.MIN_VALUE, Long.MAX_VALUE}) {
            byte[] bytes = written(encoder -> encoder.writeLong(index));
            malformed(MalformedException.NUMBER_TOO_LONG, () -> over(bytes).readIndex(3));
        }
        byte[] one = {(byte) 0x82, (byte) 0x80, (byte) 0x80, (byte) 0x80, (byte) 0x80, 0};
        malformed(MalformedException.NUMBER_TOO_LONG, () -> over(one).readIndex(3));
    }

    @Test
    void blocksCountTheirItems() throws IOException {
        Schema schema = Schema.createArray(Schema.create(Schema.Type.LONG));
        AvroCursor cursor = over(Samples.encode(schema, List.of(1L, 2L, 3L), false));
        assertEquals(3, cursor.readBlock());
        cursor.skip(3);
        assertEquals(0, cursor.readBlock());
        assertEquals(0, cursor.remaining());
    }

    @Test
    void aBlockThatGivesItsSizeMustEndThere() throws IOException {
        for (int wrong : new int[] {-1, 0, 1}) {
            AvroCursor cursor = over(written(encoder -> {
                encoder.writeLong(-3);
                encoder.writeLong(3 + wrong);
                encoder.writeFixed(new byte[4]);
            }));
            assertEquals(3, cursor.readBlock());
            int end = cursor.blockEnd();
            cursor.skip(3);
            if (wrong == 0) {
                cursor.endBlock(end);
            } else {
                malformed(MalformedException.IMPOSSIBLE_LENGTH, () -> cursor.endBlock(end));
            }
        }
    }

    @Test
    void aBlockWithoutASizeEndsAnywhere() throws IOException {
        AvroCursor cursor = over(bytes(6, 0, 0, 0));
        assertEquals(3, cursor.readBlock());
        cursor.endBlock(cursor.blockEnd());
    }

    @Test
    void aBlockOfImpossibleSizeIsMalformed() {
        malformed(MalformedException.IMPOSSIBLE_LENGTH, () -> over(bytes(1, 100, 0)).readBlock());
        malformed(MalformedException.IMPOSSIBLE_LENGTH, () -> over(bytes(1, 1, 0)).readBlock());
        malformed(MalformedException.ENDS_TOO_EARLY, () -> over(bytes(1)).readBlock());
    }

    @Test
    void garbageIsReadOrMalformedButNothingElse() {
        Random random = new Random(6);
        for (int i = 0; i < 20_000; i++) {
            byte[] garbage = new byte[random.nextInt(24)];
            random.nextBytes(garbage);
            AvroCursor cursor = over(garbage);
            try {
                while (cursor.remaining() > 0) {
                    switch (random.nextInt(5)) {
                        case 0 -> cursor.readInt();
                        case 1 -> cursor.readIndex(1 + random.nextInt(9));
                        case 2 -> cursor.skipLengthPrefixed();
                        case 3 -> cursor.readBlock();
                        default -> cursor.readLong();
                    }
                }
            } catch (MalformedException expected) {
                continue;
            }
            assertEquals(0, cursor.remaining());
        }
    }
}
