package ctr.ingest;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.avro.shaded.org.apache.avro.JsonProperties;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.types.Row;

/**
 * Reads the fields that raw events keep into a row, from a record that has been read to its end before. A field that a
 * writer lacks, or has in a type that is not readable as its own, has the reader's default: whether a record counts does
 * not depend on what is kept of it.
 */
final class KeptReaders {

    private interface KeptReader {
        void read(AvroCursor in, Row out) throws MalformedException;
    }

    /** Nothing is kept. */
    static final KeptReaders NONE = new KeptReaders(List.of());

    private final KeptReader[] readers;

    private KeptReaders(List<KeptReader> readers) {
        this.readers = readers.toArray(KeptReader[]::new);
    }

    /**
     * Those of a writer schema, which has all fields that the reader has no default for.
     *
     * @param first slot of the first kept field; the others follow in the order of the settings
     */
    static KeptReaders of(Schema writer, Schema reader, List<IngestSettings.Kept> kept, int first) {
        KeptReader[] bySlot = new KeptReader[kept.size()];
        List<KeptReader> readers = new ArrayList<>();
        // What comes behind the last field that is kept is not read.
        int last = 0;
        for (Schema.Field written : writer.getFields()) {
            int i = indexOf(written.name(), kept);
            Schema declared = i < 0 ? null : reader.getField(written.name()).schema();
            if (i >= 0 && DecodePlan.isReadableAs(written.schema(), declared)) {
                bySlot[i] = reader(written.schema(), declared, first + i);
                readers.add(bySlot[i]);
                last = readers.size();
            } else {
                readers.add(skip(written.schema()));
            }
        }
        readers.subList(last, readers.size()).clear();
        for (int i = 0; i < bySlot.length; i++) {
            if (bySlot[i] == null) {
                readers.add(fallback(reader.getField(kept.get(i).field).defaultVal(), first + i));
            }
        }
        return new KeptReaders(readers);
    }

    private static int indexOf(String field, List<IngestSettings.Kept> kept) {
        for (int i = 0; i < kept.size(); i++) {
            if (kept.get(i).field.equals(field)) {
                return i;
            }
        }
        return -1;
    }

    /** @param in at the record's first field */
    void read(AvroCursor in, Row out) throws MalformedException {
        for (KeptReader each : readers) {
            each.read(in, out);
        }
    }

    private static KeptReader fallback(Object value, int slot) {
        Object stored = value == JsonProperties.NULL_VALUE ? "" : value;
        Object kept = stored instanceof String ? RawEvents.storable((String) stored) : stored;
        return (in, out) -> out.setField(slot, kept);
    }

    private static KeptReader skip(Schema schema) {
        FieldReaders.FieldReader skip = FieldReaders.skip(schema);
        return (in, out) -> skip.read(in, null);
    }

    private static KeptReader reader(Schema written, Schema declared, int slot) {
        switch (declared.getType()) {
            case INT:
                return (in, out) -> out.setField(slot, in.readInt());
            case LONG:
                FieldReaders.NumberReader number = FieldReaders.number(written);
                return (in, out) -> out.setField(slot, number.read(in));
            case BOOLEAN:
                return (in, out) -> out.setField(slot, in.readBoolean());
            default:
                return text(written, slot);
        }
    }

    /** A missing text is an empty one. */
    private static KeptReader text(Schema written, int slot) {
        KeptReader present = present(FieldReaders.withoutNull(written), slot);
        int nullBranch = FieldReaders.nullBranch(written);
        if (nullBranch < 0) {
            return present;
        }
        return (in, out) -> {
            if (in.readIndex(2) == nullBranch) {
                out.setField(slot, "");
            } else {
                present.read(in, out);
            }
        };
    }

    private static KeptReader present(Schema written, int slot) {
        if (written.getType() == Schema.Type.ENUM) {
            String[] symbols = written.getEnumSymbols().toArray(String[]::new);
            return (in, out) -> out.setField(slot, symbols[in.readIndex(symbols.length)]);
        }
        return (in, out) -> {
            int length = in.readLength();
            out.setField(slot, RawEvents.text(in.bytes(), in.position(), length));
            in.skip(length);
        };
    }
}
