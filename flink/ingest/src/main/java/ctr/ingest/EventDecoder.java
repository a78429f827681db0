package ctr.ingest;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.java.typeutils.GenericTypeInfo;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.util.Collector;

/** Decodes the needed fields of each record and rejects what is dead; {@link PreAggregator} finds the late ones. */
final class EventDecoder implements KafkaRecordDeserializationSchema<Event> {

    private static final long serialVersionUID = 1L;

    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

    static final byte MAGIC = 0;
    static final int HEADER_BYTES = 1 + Integer.BYTES;

    /** Of a measure's value, or of its negative: nine million events of a window have a sum of 64 bits. */
    static final long MAX_MEASURE = 1_000_000_000_000L;

    private final IngestSettings settings;
    private transient SchemaLookup schemas;
    private transient AvroCursor cursor;
    private transient Event event;

    EventDecoder(IngestSettings settings) {
        this.settings = settings;
    }

    @Override
    public void open(org.apache.flink.api.common.serialization.DeserializationSchema.InitializationContext context) {
        schemas = new SchemaLookup(
                SchemaAnswers.of(settings.registryUrl), new DecodePlan.Compiler(settings), KeptSchemas.of(settings));
        cursor = new AvroCursor();
        event = new Event(settings.dimensions.size(), settings.measures.size());
    }

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Event> out) throws IOException {
        event.load(record);
        try {
            decode(record);
        } catch (MalformedException malformed) {
            event.reject(Outcome.MALFORMED, malformed.getMessage());
        }
        out.collect(event);
    }

    static boolean isWireFormat(byte[] value) {
        return value != null && value.length >= HEADER_BYTES && value[0] == MAGIC;
    }

    /** The id in a value in wire format. */
    static int schemaId(byte[] value) {
        return (int) INT.get(value, 1);
    }

    private void decode(ConsumerRecord<byte[], byte[]> record) throws IOException {
        byte[] value = record.value();
        if (!isWireFormat(value)) {
            throw MalformedException.NOT_WIRE_FORMAT;
        }
        DecodePlan plan = schemas.plan(schemaId(value));
        if (plan.problem != null) {
            event.reject(Outcome.UNKNOWN_SCHEMA, plan.problem);
            return;
        }
        cursor.reset(value, HEADER_BYTES);
        event.plan = plan;
        plan.read(cursor, event);
        if (event.click != 0 && event.click != 1) {
            event.reject(Outcome.INVALID, settings.event.click + " is " + event.click + ", not 0 or 1");
        } else if (event.timestampMs < settings.timeRules.earliestMs) {
            boolean seconds = event.timestampMs >= settings.timeRules.earliestMs / 1000;
            event.reject(
                    Outcome.INVALID,
                    settings.event.time + " is " + event.timestampMs + " ms, "
                            + (seconds ? "which looks like seconds" : "before the year 2000"));
        } else if (event.timestampMs > record.timestamp() + settings.timeRules.maxAheadMs) {
            event.reject(
                    Outcome.INVALID,
                    settings.event.time + " is " + (event.timestampMs - record.timestamp()) + " ms ahead of the broker's "
                            + record.timestamp());
        } else {
            checkMeasures();
        }
    }

    /** The first measure is the click, which has been checked. */
    private void checkMeasures() {
        for (int i = 1; i < event.measures.length; i++) {
            if (event.measures[i] > MAX_MEASURE || event.measures[i] < -MAX_MEASURE) {
                event.reject(
                        Outcome.INVALID,
                        settings.measures.get(i).field + " is " + event.measures[i] + ", beyond " + MAX_MEASURE
                                + " or its negative");
                return;
            }
        }
    }

    @Override
    public TypeInformation<Event> getProducedType() {
        return new GenericTypeInfo<>(Event.class);
    }
}
