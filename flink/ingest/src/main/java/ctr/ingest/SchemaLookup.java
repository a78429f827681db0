package ctr.ingest;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.RestService;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.Schema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.SchemaReference;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.SchemaString;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the plan of a writer schema id. Only the registry's answer that it does not know an id makes
 * an id unknown; at any other failure the registry counts as unavailable, and the record waits for it.
 */
final class SchemaLookup {

    private static final Logger LOG = LoggerFactory.getLogger(SchemaLookup.class);

    private static final int HTTP_NOT_FOUND = 404;

    /** Confluent's error codes for a subject, version or schema that is not there begin with 404. */
    private static final int NOT_FOUND_CODES = 404;

    /** An answer takes milliseconds; one that takes longer was lost and is requested again. */
    private static final int TIMEOUT_MS = 5_000;

    private static final Duration FIRST_PAUSE = Duration.ofMillis(100);

    /** Often enough that a recovered registry is used within a second. */
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);

    /** An id that is unknown now may be registered later; until then one request in this time is enough. */
    private static final Duration UNKNOWN_KEPT = Duration.ofSeconds(10);

    /** Garbage may hold any id: beyond this many unknown ones are forgotten, and requested again. */
    private static final int MAX_UNKNOWN_KEPT = 1 << 16;

    private final RestService registry;
    private final DecodePlan.Compiler compiler;
    private final Map<Integer, DecodePlan> plans = new HashMap<>();
    private final Map<Integer, Long> unknownUntilNanos = new HashMap<>();

    SchemaLookup(String registryUrl, DecodePlan.Compiler compiler) {
        this.registry = new RestService(registryUrl);
        this.registry.setHttpConnectTimeoutMs(TIMEOUT_MS);
        this.registry.setHttpReadTimeoutMs(TIMEOUT_MS);
        this.compiler = compiler;
    }

    /**
     * Returns the plan for a schema id, usable or not. Blocks while the registry is unavailable.
     *
     * @throws InterruptedIOException when the task is cancelled meanwhile
     */
    DecodePlan plan(int id) throws IOException {
        DecodePlan plan = plans.get(id);
        return plan != null ? plan : request(id);
    }

    private DecodePlan request(int id) throws IOException {
        DecodePlan unknown = DecodePlan.unusable("the registry does not know schema id " + id);
        Long until = unknownUntilNanos.get(id);
        if (id < 0 || until != null && System.nanoTime() < until) {
            return unknown;
        }
        for (Duration pause = FIRST_PAUSE; ; pause = longer(pause)) {
            try {
                SchemaString schema = registry.getId(id);
                if (schema.getSchemaString() == null) {
                    throw new IOException("an answer without a schema");
                }
                DecodePlan plan = compiler.compile(schema.getSchemaString(), referenced(schema.getReferences()));
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
            } catch (IOException unavailable) {
                LOG.warn("Schema registry is unavailable ({}); waiting", unavailable.toString());
            }
            sleep(pause);
        }
    }

    /** The schemas referred to, directly or not, each once and behind those that it refers to itself. */
    private List<String> referenced(List<SchemaReference> references) throws IOException, RestClientException {
        Map<String, String> found = new LinkedHashMap<>();
        collect(references, new HashSet<>(), found);
        return List.copyOf(found.values());
    }

    private void collect(List<SchemaReference> references, Set<String> seen, Map<String, String> found)
            throws IOException, RestClientException {
        for (SchemaReference each : references == null ? List.<SchemaReference>of() : references) {
            String place = each.getSubject() + ":" + each.getVersion();
            if (seen.add(place)) {
                Schema schema = registry.getVersion(each.getSubject(), each.getVersion());
                collect(schema.getReferences(), seen, found);
                found.put(place, schema.getSchema());
            }
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
            throw new InterruptedIOException("cancelled while the schema registry was unavailable");
        }
    }
}
