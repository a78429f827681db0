package ctr.front;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.RestService;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the plan of a writer schema id. Only the registry's own word that it does not know an id makes
 * an id unknown; any other failure means that the registry is away, and the record waits for it.
 */
final class SchemaLookup {

    private static final Logger LOG = LoggerFactory.getLogger(SchemaLookup.class);

    private static final int HTTP_NOT_FOUND = 404;

    /** Confluent's error codes for a subject, version or schema that is not there begin with 404. */
    private static final int NOT_FOUND_CODES = 404;

    /** An answer takes milliseconds; one that takes longer was lost and is asked for again. */
    private static final int TIMEOUT_MS = 5_000;

    private static final Duration FIRST_PAUSE = Duration.ofMillis(100);

    /** Often enough that a registry that is back is used within a second. */
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);

    /** An id that is unknown now may be registered later; until then one question in this time is enough. */
    private static final Duration UNKNOWN_KEPT = Duration.ofSeconds(10);

    /** Garbage may hold any id: beyond this many unknown ones are forgotten, and asked for again. */
    private static final int MAX_UNKNOWN_KEPT = 1 << 16;

    private final RestService registry;
    private final WriterPlan.Compiler compiler;
    private final Map<Integer, WriterPlan> plans = new HashMap<>();
    private final Map<Integer, Long> unknownUntilNanos = new HashMap<>();

    SchemaLookup(String registryUrl, WriterPlan.Compiler compiler) {
        this.registry = new RestService(registryUrl);
        this.registry.setHttpConnectTimeoutMs(TIMEOUT_MS);
        this.registry.setHttpReadTimeoutMs(TIMEOUT_MS);
        this.compiler = compiler;
    }

    /**
     * The plan for a schema id, usable or not. Blocks while the registry is away.
     *
     * @throws InterruptedIOException when the task is cancelled meanwhile
     */
    WriterPlan plan(int id) throws IOException {
        WriterPlan plan = plans.get(id);
        return plan != null ? plan : ask(id);
    }

    private WriterPlan ask(int id) throws IOException {
        WriterPlan unknown = WriterPlan.unusable("the registry does not know schema id " + id);
        Long until = unknownUntilNanos.get(id);
        if (id < 0 || until != null && System.nanoTime() < until) {
            return unknown;
        }
        for (Duration pause = FIRST_PAUSE; ; pause = longer(pause)) {
            try {
                String schema = registry.getId(id).getSchemaString();
                if (schema == null) {
                    throw new IOException("an answer without a schema");
                }
                WriterPlan plan = compiler.compile(schema);
                plans.put(id, plan);
                return plan;
            } catch (RestClientException answer) {
                if (answer.getStatus() == HTTP_NOT_FOUND && answer.getErrorCode() / 100 == NOT_FOUND_CODES) {
                    if (unknownUntilNanos.size() >= MAX_UNKNOWN_KEPT) {
                        unknownUntilNanos.clear();
                    }
                    unknownUntilNanos.put(id, System.nanoTime() + UNKNOWN_KEPT.toNanos());
                    return unknown;
                }
                LOG.warn("Schema registry cannot answer for id {} (HTTP {}); waiting", id, answer.getStatus());
            } catch (IOException away) {
                LOG.warn("Schema registry is away ({}); waiting", away.toString());
            }
            sleep(pause);
        }
    }

    private static Duration longer(Duration pause) {
        Duration doubled = pause.multipliedBy(2);
        return doubled.compareTo(LONGEST_PAUSE) < 0 ? doubled : LONGEST_PAUSE;
    }

    private static void sleep(Duration pause) throws InterruptedIOException {
        try {
            Thread.sleep(pause.toMillis());
        } catch (InterruptedException cancelled) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("cancelled while the schema registry was away");
        }
    }
}
