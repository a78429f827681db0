package ctr.front;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.List;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.databind.DeserializationFeature;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.databind.ObjectMapper;

/**
 * What the front is told, as one JSON object. Field names are the JSON's; times are milliseconds.
 *
 * <p>A new dimension or measure is one more entry of {@link #dimensions} or {@link #measures}.
 */
public final class FrontSettings implements Serializable {

    private static final long serialVersionUID = 1L;

    /** A field that splits the counts. A string is normalised: see {@link Categories}. */
    public static final class Dimension implements Serializable {
        private static final long serialVersionUID = 1L;
        public String field;
        /** {@code string} or {@code int}. */
        public String type;
    }

    /** An integer field to sum. */
    public static final class Measure implements Serializable {
        private static final long serialVersionUID = 1L;
        public String field;
        /** Name of the sum. */
        public String column;
    }

    public String bootstrapServers;
    public String rawTopic;
    public String errorTopic;
    public String consumerGroup;
    public String registryUrl;

    /** The reader's Avro schema; its fields without a default are the ones a writer must have. */
    public String readerSchema;

    public List<Dimension> dimensions;

    /** What is summed beside the number of impressions. */
    public List<Measure> measures;

    public int parallelism;

    /** Partial counts leave the front at least this often. */
    public long flushMs;

    /** Names this submission in the ledger: milliseconds since the epoch. */
    public long runStartedMs;

    /** Stop at the offsets that are the topic's end at the start (benchmarks); else run for ever. */
    public boolean bounded;

    /**
     * Read the settings.
     *
     * @throws UncheckedIOException if the text is not such an object, or names an unknown setting
     */
    public static FrontSettings fromJson(String json) {
        try {
            return new ObjectMapper()
                    .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .readValue(json, FrontSettings.class);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
