package ctr.ingest;

import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.typeutils.RowTypeInfo;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.KafkaSourceBuilder;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.util.OutputTag;

/**
 * Reads the raw topic once and gives what the rest of the job needs: partial aggregates, what the window
 * documents are made of, and the ledger. Dead-letter messages go to the error topic from here.
 */
public final class Ingest {

    /** {@link RowEncoder#delta}; the record's time is the window's start. */
    static final OutputTag<Row> DOCUMENTS = new OutputTag<>(
            "documents",
            Types.ROW_NAMED(
                    new String[] {"window_start", "segments"}, Types.LONG, Types.PRIMITIVE_ARRAY(Types.BYTE)));

    /** {@link RowEncoder#summary}. */
    private static final TypeInformation<Row> SUMMARY = Types.ROW_NAMED(
            new String[] {"window_type", "window_start", "final", "summary"},
            Types.STRING, Types.LONG, Types.BOOLEAN, Types.STRING);

    static final OutputTag<Row> LEDGER = new OutputTag<>(
            "ledger",
            Types.ROW_NAMED(
                    new String[] {
                        "topic", "partition", "first_offset", "last_offset", "checkpoint_id", "records_read",
                        "counted", "late", "malformed", "unknown_schema", "invalid", "job_id", "run_started_ms",
                        "job_watermark_ms"
                    },
                    Types.STRING, Types.INT, Types.LONG, Types.LONG, Types.LONG, Types.LONG,
                    Types.LONG, Types.LONG, Types.LONG, Types.LONG, Types.LONG, Types.STRING, Types.LONG, Types.LONG));

    static final OutputTag<DeadLetter> DEAD_LETTERS = new OutputTag<>("dead-letters", TypeInformation.of(DeadLetter.class));

    /** The largest dead letter, before it is compressed. */
    private static final int MAX_REQUEST_BYTES = DeadLetter.MAX_UNCOMPRESSED_BYTES + (1 << 20);

    /** Large fetches: at millions of small records per second the default of 1 MiB per partition is a round trip each. */
    private static final int FETCH_BYTES = 8 << 20;

    /** The job watermark waits so long for a new partition to be read. */
    private static final String DISCOVERY_MS = "10000";

    private final IngestSettings settings;
    private final SingleOutputStreamOperator<Row> aggregates;

    private Ingest(IngestSettings settings, SingleOutputStreamOperator<Row> aggregates) {
        this.settings = settings;
        this.aggregates = aggregates;
    }

    /**
     * Adds the ingest stage to a job.
     *
     * <p>The uids are those of version 0.1, when the stage was called front: a savepoint names its state by them, so they
     * stay whatever the operators are called.
     */
    public static Ingest attach(StreamExecutionEnvironment env, String settingsJson) {
        IngestSettings settings = IngestSettings.fromJson(settingsJson);
        SingleOutputStreamOperator<Row> aggregates = env.fromSource(
                        source(settings), WatermarkStrategy.noWatermarks(), "read " + settings.rawTopic)
                .uid(settings.topicEpoch == 1 ? "front-source" : "front-source-epoch-" + settings.topicEpoch)
                .setParallelism(settings.parallelism)
                .transform("decode, outcome, pre-aggregate", countType(settings), new PreAggregatorFactory(settings))
                .uid("front-combiner")
                .setParallelism(settings.parallelism);
        if (!settings.staging) {
            aggregates.getSideOutput(DEAD_LETTERS)
                    .sinkTo(deadLetters(settings))
                    .name("dead letters to " + settings.errorTopic)
                    .uid("front-letters")
                    .setParallelism(settings.parallelism);
            // Also where none are wanted: else a snapshot would only fit jobs that want as many as its own.
            aggregates.getSideOutput(RawEvents.output(settings))
                    .sinkTo(RawEvents.sink(settings))
                    .name("raw events to Postgres")
                    .uid("front-raw-events")
                    .setParallelism(RawEvents.WRITERS);
        }
        return new Ingest(settings, aggregates);
    }

    /** The dimensions, {@code impressions} and the measures; the record's time is its 1 minute window's start. */
    public DataStream<Row> counts() {
        return aggregates;
    }

    /** {@code window_type, window_start} (ms){@code , final, summary} (JSON): what window documents are made of. */
    public DataStream<Row> summaries() {
        return aggregates
                .getSideOutput(DOCUMENTS)
                .transform("summarize windows", SUMMARY, new DocumentSummaries.Factory())
                .uid(settings.stateName + "_document-summaries")
                .setParallelism(1);
    }

    public DataStream<Row> ledger() {
        return aggregates.getSideOutput(LEDGER);
    }

    private static KafkaSource<Event> source(IngestSettings settings) {
        KafkaSourceBuilder<Event> builder = KafkaSource.<Event>builder()
                .setBootstrapServers(settings.bootstrapServers)
                .setTopics(settings.rawTopic)
                .setGroupId(settings.consumerGroup)
                .setStartingOffsets(
                        settings.readFromBrokerMs > 0
                                ? OffsetsInitializer.timestamp(settings.readFromBrokerMs)
                                : OffsetsInitializer.earliest())
                .setDeserializer(new EventDecoder(settings))
                .setProperty(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed")
                .setProperty(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, Integer.toString(FETCH_BYTES))
                .setProperty(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, "5000")
                .setProperty(ConsumerConfig.INTERCEPTOR_CLASSES_CONFIG, SchemaPrefetch.class.getName())
                .setProperty(SchemaPrefetch.REGISTRY_URL, settings.registryUrl)
                .setProperty("partition.discovery.interval.ms", DISCOVERY_MS);
        if (settings.bounded) {
            builder.setBounded(OffsetsInitializer.latest());
        }
        return builder.build();
    }

    private static KafkaSink<DeadLetter> deadLetters(IngestSettings settings) {
        Properties producer = new Properties();
        producer.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, MAX_REQUEST_BYTES);
        producer.put(ProducerConfig.BUFFER_MEMORY_CONFIG, 2L * MAX_REQUEST_BYTES);
        // The topics' limits are on compressed batches, so what came in compressed must leave so.
        producer.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
        return KafkaSink.<DeadLetter>builder()
                .setBootstrapServers(settings.bootstrapServers)
                .setKafkaProducerConfig(producer)
                .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
                .setRecordSerializer(new DeadLetterSerializer(settings.errorTopic))
                .build();
    }

    private static TypeInformation<Row> countType(IngestSettings settings) {
        List<String> names = new ArrayList<>();
        List<TypeInformation<?>> types = new ArrayList<>();
        for (IngestSettings.Dimension dimension : settings.dimensions) {
            names.add(dimension.column);
            types.add(dimension.isText() ? Types.STRING : Types.INT);
        }
        names.add("impressions");
        types.add(Types.LONG);
        for (IngestSettings.Measure measure : settings.measures) {
            names.add(measure.column);
            types.add(Types.LONG);
        }
        return new RowTypeInfo(types.toArray(new TypeInformation<?>[0]), names.toArray(new String[0]));
    }
}
