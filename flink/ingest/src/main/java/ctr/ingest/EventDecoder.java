package ctr.front;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.java.typeutils.GenericTypeInfo;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.util.Collector;

/** Decodes the needed fields of each record and refuses what is dead; lateness is the combiner's matter. */
final class EventDecoder implements KafkaRecordDeserializationSchema<Event> {

    private static final long serialVersionUID = 1L;

    private static final byte MAGIC = 0;
    static final int HEADER_BYTES = 1 + Integer.BYTES;

    /** An event may be this much ahead of the moment the broker wrote it: clocks differ. */
    static final long MAX_AHEAD_MS = 60_000L;

    private final FrontSettings settings;
    private transient SchemaLookup schemas;
    private transient AvroCursor cursor;
    private transient Event event;

    EventDecoder(FrontSettings settings) {
        this.settings = settings;
    }

    @Override
    public void open(org.apache.flink.api.common.serialization.DeserializationSchema.InitializationContext context) {
        schemas = new SchemaLookup(settings.registryUrl, new WriterPlan.Compiler(settings));
        cursor = new AvroCursor();
        event = new Event(settings.dimensions.size(), settings.measures.size());
    }

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Event> out) throws IOException {
        event.accept(record);
        try {
            decode(record);
        } catch (MalformedException malformed) {
            event.refuse(Fate.MALFORMED, malformed.getMessage());
        }
        out.collect(event);
    }

    private void decode(ConsumerRecord<byte[], byte[]> record) throws IOException {
        byte[] value = record.value();
        if (value == null || value.length < HEADER_BYTES || value[0] != MAGIC) {
            throw MalformedException.NOT_WIRE_FORMAT;
        }
        WriterPlan plan = schemas.plan(ByteBuffer.wrap(value).getInt(1));
        if (plan.problem != null) {
            event.refuse(Fate.UNKNOWN_SCHEMA, plan.problem);
            return;
        }
        cursor.reset(value, HEADER_BYTES);
        event.plan = plan;
        plan.read(cursor, event);
        if (event.click != 0 && event.click != 1) {
            event.refuse(Fate.INVALID, "click is " + event.click + ", not 0 or 1");
        } else if (event.timestampMs <= 0) {
            event.refuse(Fate.INVALID, "timestamp is " + event.timestampMs + ", not after the epoch");
        } else if (event.timestampMs > record.timestamp() + MAX_AHEAD_MS) {
            event.refuse(
                    Fate.INVALID,
                    "timestamp is " + (event.timestampMs - record.timestamp()) + " ms ahead of the broker's "
                            + record.timestamp());
        }
    }

    @Override
    public TypeInformation<Event> getProducedType() {
        return new GenericTypeInfo<>(Event.class);
    }
}
