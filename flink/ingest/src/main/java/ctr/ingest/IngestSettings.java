package ctr.ingest;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.databind.DeserializationFeature;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.databind.ObjectMapper;

/**
 * Holds what the ingest stage is told, as one JSON object. Field names are the JSON's; times are milliseconds.
 *
 * <p>A new dimension or measure is one more entry of {@link #dimensions} or {@link #measures}.
 */
public final class IngestSettings implements Serializable {

    private static final long serialVersionUID = 1L;

    /** A field that splits the counts. A string is normalised: see {@link StringDictionary}. */
    public static final class Dimension implements Serializable {
        private static final long serialVersionUID = 1L;
        public String field;

        /** Name of its values' column, and of the field in what leaves the stage. */
        public String column;

        /** {@code string}, {@code int}, {@code enum} or {@code boolean}; but for an int a text is counted by. */
        public String type;

        /** What a missing or blank text counts as. */
        public String blank;

        /** Whether its values are texts; else they are ints. */
        boolean isText() {
            return !type.equals("int");
        }
    }

    /** Which of the event's fields say what every event says. */
    public static final class EventFields implements Serializable {
        private static final long serialVersionUID = 1L;

        /** A string. */
        public String id;

        /** A long. */
        public String time;

        /** What the time counts since the epoch: {@code ms}, {@code s} or {@code us}. */
        public String timeUnit;

        /** An int of 0 or 1, or a boolean; with {@link #clickEquals} a string or an enum. */
        public String click;

        /** The value that means a click; null: the field itself says it. */
        public String clickEquals;
    }

    /** An integer field to sum. */
    public static final class Measure implements Serializable {
        private static final long serialVersionUID = 1L;
        public String field;
        /** Name of the sum. */
        public String column;
    }

    /** A field that raw events keep. */
    public static final class Kept implements Serializable {
        private static final long serialVersionUID = 1L;
        public String field;

        /** Of the warehouse. */
        public String column;
    }

    public String bootstrapServers;
    public String rawTopic;

    /** Kafka's id of the raw topic; null: whatever it is. One that is deleted and made anew has another, and other offsets. */
    public String topicId;

    /** How many topics have had the raw topic's name, this one included. State of another one's offsets is not its own. */
    public int topicEpoch;

    public String errorTopic;
    public String consumerGroup;
    public String registryUrl;

    /** The reader's Avro schema; its fields without a default are the ones a writer must have. */
    public String readerSchema;

    public EventFields event;

    public List<Dimension> dimensions;

    /** What is summed beside the number of impressions: the clicks, then fields. */
    public List<Measure> measures;

    /** What raw events keep beside id, click, dimensions and time. */
    public List<Kept> kept;

    public TimeRules timeRules;

    /** Of a 1 minute window, so many distinct segments of a partition keep their names; the others are counted as one. */
    public int maxSegments;

    /** Begins the uids of what depends on the dimensions and measures. */
    public String stateName;

    /** What the error topic takes of one message, compressed. */
    public int deadLetterMaxBytes;

    public int parallelism;

    /** Documents learn what was counted this often; windows do when they close, and before each checkpoint. */
    public long flushMs;

    /** Names this submission in the ledger: milliseconds since the epoch. */
    public long runStartedMs;

    /** Dagster's run that submits the job, for the log; empty: none does. */
    public String submittedBy;

    /** URI of the snapshot that the job starts from, for the log; empty: it starts at the topic's beginning. */
    public String restoreFrom;

    /** Stop at the offsets that are the topic's end at the start; else run for ever. */
    public boolean bounded;

    /** Only windows that start at or after this are counted here; the outcomes of other events are reported all the same. */
    public long countFromMs = Long.MIN_VALUE;

    /** The same for windows that start before this. */
    public long countUntilMs = Long.MAX_VALUE;

    /**
     * By partition, the offset from which on this job reports outcomes, as dead letters and in the ledger: it reads
     * earlier records again for its windows' sake, and another job has reported theirs.
     */
    public Map<Integer, Long> reportFromOffset = Map.of();

    /** Read from the first records that the broker wrote at this time or later; 0: from the topic's beginning. */
    public long readFromBrokerMs = 0;

    /** Of every hundred ids, those whose valid events are written to the warehouse as they are; 0: none. */
    public double rawEventsPercent;

    /** Address and account of the warehouse, for these. */
    public String jdbcUrl;

    public String postgresUser;
    public String postgresPassword;

    /**
     * Recompute windows and do nothing else: no dead letters, and no watermark before the end of the input, since partitions
     * that are read one after the other would seem idle in turn. Lateness is by partition content alone.
     */
    public boolean staging = false;

    /**
     * Read the settings.
     *
     * @throws UncheckedIOException if the text is not such an object, or names an unknown setting
     */
    public static IngestSettings fromJson(String json) {
        try {
            return new ObjectMapper()
                    .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .readValue(json, IngestSettings.class);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
