package ctr.ingest;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/**
 * Defines the bytes of the ingest stage's state, of each class a format with a version of its own.
 *
 * <p>To change one: raise its version, write the new one only, and keep reading the old ones. Numbers are big-endian, a
 * text is its UTF-8 bytes, and bytes follow their number as an int (-1: null).
 */
final class StateFormats {

    static final SimpleVersionedSerializer<PartitionProgress> PROGRESS = new Format<>(2) {
        @Override
        void write(PartitionProgress progress, DataOutputSerializer out) throws IOException {
            out.writeInt(progress.partition);
            out.writeLong(progress.highestEventTimeMs);
            out.writeLong(progress.nextOffset);
            out.writeLong(progress.highestTimeMs);
        }

        @Override
        PartitionProgress read(int version, DataInputDeserializer in) throws IOException {
            PartitionProgress progress = new PartitionProgress(in.readInt());
            progress.highestEventTimeMs = in.readLong();
            progress.nextOffset = in.readLong();
            // Before version 2 the broker's time did not bound it.
            progress.highestTimeMs = version < 2 ? progress.highestEventTimeMs : in.readLong();
            return progress;
        }
    };

    static final SimpleVersionedSerializer<LedgerEntry> LEDGER_ENTRY = new Format<>(2) {
        @Override
        void write(LedgerEntry entry, DataOutputSerializer out) throws IOException {
            writeText(out, entry.jobId);
            out.writeLong(entry.checkpointId);
            out.writeLong(entry.runStartedMs);
            writeText(out, entry.topic);
            out.writeInt(entry.partition);
            out.writeLong(entry.firstOffset);
            out.writeLong(entry.lastOffset);
            out.writeLong(entry.recordsRead);
            out.writeLong(entry.jobWatermarkMs);
            out.writeInt(entry.byOutcome.length);
            for (Outcome outcome : Outcome.values()) {
                writeText(out, outcome.name());
                out.writeLong(entry.byOutcome[outcome.ordinal()]);
            }
        }

        @Override
        LedgerEntry read(int version, DataInputDeserializer in) throws IOException {
            LedgerEntry entry = new LedgerEntry();
            entry.jobId = readText(in);
            entry.checkpointId = in.readLong();
            entry.runStartedMs = in.readLong();
            entry.topic = readText(in);
            entry.partition = in.readInt();
            entry.firstOffset = in.readLong();
            entry.lastOffset = in.readLong();
            entry.recordsRead = in.readLong();
            entry.jobWatermarkMs = version < 2 ? 0 : in.readLong();
            for (int left = in.readInt(); left > 0; left--) {
                entry.byOutcome[Outcome.valueOf(readText(in)).ordinal()] = in.readLong();
            }
            return entry;
        }
    };

    static final SimpleVersionedSerializer<DeferredDeadLetter> DEFERRED_DEAD_LETTER = new Format<>(1) {
        @Override
        void write(DeferredDeadLetter deferred, DataOutputSerializer out) throws IOException {
            DeadLetter deadLetter = deferred.deadLetter;
            out.writeLong(deferred.checkpointId);
            writeText(out, deadLetter.topic);
            out.writeInt(deadLetter.partition);
            out.writeLong(deadLetter.offset);
            writeText(out, deadLetter.reason);
            writeText(out, deadLetter.message);
            writeBytes(out, deadLetter.key);
            writeBytes(out, deadLetter.value);
            out.writeInt(deadLetter.headerKeys.length);
            for (int i = 0; i < deadLetter.headerKeys.length; i++) {
                writeText(out, deadLetter.headerKeys[i]);
                writeBytes(out, deadLetter.headerValues[i]);
            }
        }

        @Override
        DeferredDeadLetter read(int version, DataInputDeserializer in) throws IOException {
            DeadLetter deadLetter = new DeadLetter();
            DeferredDeadLetter deferred = new DeferredDeadLetter(deadLetter);
            deferred.checkpointId = in.readLong();
            deadLetter.topic = readText(in);
            deadLetter.partition = in.readInt();
            deadLetter.offset = in.readLong();
            deadLetter.reason = readText(in);
            deadLetter.message = readText(in);
            deadLetter.key = readBytes(in);
            deadLetter.value = readBytes(in);
            int headers = in.readInt();
            deadLetter.headerKeys = new String[headers];
            deadLetter.headerValues = new byte[headers][];
            for (int i = 0; i < headers; i++) {
                deadLetter.headerKeys[i] = readText(in);
                deadLetter.headerValues[i] = readBytes(in);
            }
            return deferred;
        }
    };

    static final SimpleVersionedSerializer<NamedSegments> NAMED_SEGMENTS = new Format<>(1) {
        @Override
        void write(NamedSegments named, DataOutputSerializer out) throws IOException {
            out.writeInt(named.partition);
            out.writeLong(named.windowStart);
            out.writeInt(named.segments.size());
            for (Segment segment : named.segments) {
                SegmentBytes.write(segment, out);
            }
        }

        @Override
        NamedSegments read(int version, DataInputDeserializer in) throws IOException {
            int partition = in.readInt();
            long windowStart = in.readLong();
            List<Segment> segments = new ArrayList<>();
            for (int left = in.readInt(); left > 0; left--) {
                segments.add(SegmentBytes.read(in));
            }
            return new NamedSegments(partition, windowStart, segments);
        }
    };

    static final SimpleVersionedSerializer<OpenWindow> OPEN_WINDOW = new Format<>(1) {
        @Override
        void write(OpenWindow window, DataOutputSerializer out) throws IOException {
            out.writeLong(window.lengthMs);
            out.writeLong(window.startMs);
            SegmentBytes.write(window.segments, out);
        }

        @Override
        OpenWindow read(int version, DataInputDeserializer in) throws IOException {
            OpenWindow window = new OpenWindow(in.readLong(), in.readLong());
            window.add(SegmentBytes.readSums(in));
            return window;
        }
    };

    private StateFormats() {}

    /** Reads every version of a format up to the newest, which it writes. */
    private abstract static class Format<T> implements SimpleVersionedSerializer<T> {

        private final int newest;

        Format(int newest) {
            this.newest = newest;
        }

        abstract void write(T value, DataOutputSerializer out) throws IOException;

        abstract T read(int version, DataInputDeserializer in) throws IOException;

        @Override
        public int getVersion() {
            return newest;
        }

        @Override
        public byte[] serialize(T value) throws IOException {
            DataOutputSerializer out = new DataOutputSerializer(64);
            write(value, out);
            return out.getCopyOfBuffer();
        }

        @Override
        public T deserialize(int version, byte[] bytes) throws IOException {
            if (version > newest) {
                throw new IOException("the state is of format " + version + ", from a newer release than this one, which reads "
                        + newest);
            }
            return read(version, new DataInputDeserializer(bytes));
        }
    }

    private static void writeText(DataOutputSerializer out, String text) throws IOException {
        writeBytes(out, text.getBytes(StandardCharsets.UTF_8));
    }

    private static String readText(DataInputDeserializer in) throws IOException {
        return new String(readBytes(in), StandardCharsets.UTF_8);
    }

    private static void writeBytes(DataOutputSerializer out, byte[] bytes) throws IOException {
        out.writeInt(bytes == null ? -1 : bytes.length);
        if (bytes != null) {
            out.write(bytes);
        }
    }

    private static byte[] readBytes(DataInputDeserializer in) throws IOException {
        int length = in.readInt();
        if (length < 0) {
            return null;
        }
        byte[] bytes = new byte[length];
        in.readFully(bytes);
        return bytes;
    }
}
