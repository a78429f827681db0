package ctr.ingest;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.RestService;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.Schema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.SchemaReference;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.SchemaString;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;

/**
 * What the registry has answered, for all who ask in one process. One request of a schema id at a time is made by
 * {@link SchemaLookup}, those of a whole batch of records by {@link SchemaPrefetch}.
 */
final class SchemaAnswers {

    /** A schema of the registry with those that it refers to, each behind those that it refers to itself. */
    record Answer(String schema, List<String> referenced) {}

    /** The registry's word that it does not know an id. */
    static final Answer UNKNOWN = new Answer(null, List.of());

    private static final int HTTP_NOT_FOUND = 404;

    /** Confluent's error codes for a subject, version or schema that is not there begin with 404. */
    private static final int NOT_FOUND_CODES = 404;

    /** An answer takes milliseconds; one that takes longer was lost and is requested again. */
    private static final int TIMEOUT_MS = 5_000;

    /** An id that is unknown now may be registered later; until then one request in this time is enough. */
    private static final Duration UNKNOWN_KEPT = Duration.ofSeconds(10);

    /** Garbage may hold any id: beyond this many unknown ones are forgotten, and requested again. */
    private static final int MAX_UNKNOWN_KEPT = 1 << 16;

    private static final Map<String, SchemaAnswers> BY_REGISTRY = new ConcurrentHashMap<>();

    private final String url;
    private final RestService registry;
    private final Map<Integer, Answer> known = new ConcurrentHashMap<>();
    private final Map<Integer, Long> unknownUntilNanos = new ConcurrentHashMap<>();

    SchemaAnswers(String registryUrl) {
        url = registryUrl;
        registry = new RestService(registryUrl);
        registry.setHttpConnectTimeoutMs(TIMEOUT_MS);
        registry.setHttpReadTimeoutMs(TIMEOUT_MS);
    }

    /** Those of a registry in this process. */
    static SchemaAnswers of(String registryUrl) {
        return BY_REGISTRY.computeIfAbsent(registryUrl, SchemaAnswers::new);
    }

    /** Address of the registry. */
    String url() {
        return url;
    }

    /** Returns what is known of an id without asking, or null. */
    Answer known(int id) {
        Answer answer = known.get(id);
        if (answer != null) {
            return answer;
        }
        Long until = unknownUntilNanos.get(id);
        return id < 0 || until != null && System.nanoTime() < until ? UNKNOWN : null;
    }

    /** Lets what is unknown of these stay so from now on: to ask for all of them may have taken longer than that. */
    void keepUnknown(Collection<Integer> ids) {
        long until = System.nanoTime() + UNKNOWN_KEPT.toNanos();
        ids.forEach(id -> unknownUntilNanos.computeIfPresent(id, (same, before) -> until));
    }

    /**
     * Asks the registry once.
     *
     * @throws RestClientException when it gives another answer than a schema or that there is none
     * @throws IOException when it does not answer
     */
    Answer ask(int id) throws IOException, RestClientException {
        try {
            SchemaString schema = registry.getId(id);
            if (schema.getSchemaString() == null) {
                throw new IOException("an answer without a schema");
            }
            Answer answer = new Answer(schema.getSchemaString(), referenced(schema.getReferences()));
            known.put(id, answer);
            return answer;
        } catch (RestClientException answer) {
            if (answer.getStatus() != HTTP_NOT_FOUND || answer.getErrorCode() / 100 != NOT_FOUND_CODES) {
                throw answer;
            }
            if (unknownUntilNanos.size() >= MAX_UNKNOWN_KEPT) {
                unknownUntilNanos.clear();
            }
            unknownUntilNanos.put(id, System.nanoTime() + UNKNOWN_KEPT.toNanos());
            return UNKNOWN;
        }
    }

    private List<String> referenced(List<SchemaReference> references) throws IOException, RestClientException {
        Map<String, String> found = new LinkedHashMap<>();
        collect(references, new HashSet<>(), found);
        return new ArrayList<>(found.values());
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
}
