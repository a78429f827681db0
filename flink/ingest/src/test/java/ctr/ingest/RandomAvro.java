package ctr.ingest;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericData;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;

/** Schemas that an ad event may evolve to, and records of them; all from one seed. */
final class RandomAvro {

    private static final String RECURSIVE =
            """
            {"type": "record", "name": "Node%d", "fields": [
                {"name": "value", "type": "long"},
                {"name": "next", "type": ["null", "Node%<d"]},
                {"name": "children", "type": {"type": "array", "items": "Node%<d"}}]}""";

    private final Random random;
    private int names;

    RandomAvro(long seed) {
        random = new Random(seed);
    }

    Random random() {
        return random;
    }

    /** A compatible writer schema: reordered, without some defaulted fields, with extra ones of any type. */
    Schema evolved() {
        List<Schema.Field> fields = new ArrayList<>();
        for (Schema.Field field : Samples.readerSchema().getFields()) {
            if (!field.hasDefaultValue() || random.nextBoolean()) {
                fields.add(new Schema.Field(field.name(), writtenAs(field)));
            }
        }
        for (int extra = random.nextInt(6); extra > 0; extra--) {
            fields.add(new Schema.Field("extra" + names++, type(3)));
        }
        Collections.shuffle(fields, random);
        return Schema.createRecord("AdEvent", null, "ctr", false, fields);
    }

    /** A type that the reader's can be read from. */
    private Schema writtenAs(Schema.Field field) {
        Schema plain = Schema.create(field.schema().getType());
        switch (plain.getType()) {
            case LONG:
                return Schema.create(random.nextBoolean() ? Schema.Type.INT : Schema.Type.LONG);
            case STRING:
                Schema none = Schema.create(Schema.Type.NULL);
                return switch (random.nextInt(3)) {
                    case 0 -> Schema.createUnion(none, plain);
                    case 1 -> Schema.createUnion(plain, none);
                    default -> plain;
                };
            default:
                return plain;
        }
    }

    private Schema type(int depth) {
        Schema.Type[] primitives = {
            Schema.Type.NULL, Schema.Type.BOOLEAN, Schema.Type.INT, Schema.Type.LONG, Schema.Type.FLOAT,
            Schema.Type.DOUBLE, Schema.Type.STRING, Schema.Type.BYTES
        };
        switch (random.nextInt(depth == 0 ? 3 : 8)) {
            case 1:
                return Schema.createEnum("Enum" + names++, null, "ctr", List.of("A", "B", "C"));
            case 2:
                return Schema.createFixed("Fixed" + names++, null, "ctr", random.nextInt(20));
            case 3:
                return Schema.createArray(type(depth - 1));
            case 4:
                return Schema.createMap(type(depth - 1));
            case 5:
                return Schema.createUnion(
                        Schema.create(Schema.Type.NULL),
                        Schema.create(Schema.Type.STRING),
                        Schema.createRecord("In" + names++, null, "ctr", false, someFields(depth - 1)));
            case 6:
                return Schema.createRecord("Nested" + names++, null, "ctr", false, someFields(depth - 1));
            case 7:
                return new Schema.Parser().parse(RECURSIVE.formatted(names++));
            default:
                return Schema.create(primitives[random.nextInt(primitives.length)]);
        }
    }

    private List<Schema.Field> someFields(int depth) {
        List<Schema.Field> fields = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            fields.add(new Schema.Field("field" + i, type(depth)));
        }
        return fields;
    }

    /** A valid ad event of this schema; other fields hold anything. */
    GenericRecord event(Schema schema) {
        GenericRecord event = (GenericRecord) datum(schema, 3);
        event.put("click", random.nextInt(2));
        event.put("device_type", random.nextInt());
        long time = 1 + random.nextInt(Integer.MAX_VALUE - 1);
        boolean narrow = schema.getField("timestamp").schema().getType() == Schema.Type.INT;
        event.put("timestamp", narrow ? (Object) (int) time : (Object) (time << 10));
        return event;
    }

    private Object datum(Schema schema, int depth) {
        switch (schema.getType()) {
            case NULL:
                return null;
            case BOOLEAN:
                return random.nextBoolean();
            case INT:
                return random.nextInt() >> random.nextInt(32);
            case LONG:
                return random.nextLong() >> random.nextInt(64);
            case FLOAT:
                return random.nextFloat();
            case DOUBLE:
                return random.nextDouble();
            case STRING:
                return text();
            case BYTES:
                return ByteBuffer.wrap(bytes(random.nextInt(40)));
            case FIXED:
                return new GenericData.Fixed(schema, bytes(schema.getFixedSize()));
            case ENUM:
                return new GenericData.EnumSymbol(schema, schema.getEnumSymbols().get(random.nextInt(3)));
            case ARRAY:
                List<Object> items = new ArrayList<>();
                for (int i = many(depth); i > 0; i--) {
                    items.add(datum(schema.getElementType(), depth - 1));
                }
                return items;
            case MAP:
                Map<String, Object> entries = new HashMap<>();
                for (int i = many(depth); i > 0; i--) {
                    entries.put(text(), datum(schema.getValueType(), depth - 1));
                }
                return entries;
            case UNION:
                List<Schema> branches = schema.getTypes();
                return datum(branches.get(depth <= 0 ? 0 : random.nextInt(branches.size())), depth - 1);
            default:
                GenericRecord record = new GenericData.Record(schema);
                for (Schema.Field field : schema.getFields()) {
                    record.put(field.name(), datum(field.schema(), depth - 1));
                }
                return record;
        }
    }

    private int many(int depth) {
        return depth <= 0 ? 0 : random.nextInt(4);
    }

    private String text() {
        return random.ints(random.nextInt(12), 0, 0x3000)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    byte[] bytes(int length) {
        byte[] result = new byte[length];
        random.nextBytes(result);
        return result;
    }
}
