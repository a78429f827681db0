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
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
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

    /**
     * A registry gives ids in sequence. One this far above the newest of all subjects has not been given; nearer ones are
     * asked for each, as they may be given meanwhile, or have been to what was deleted since.
     */
    static final int FAR_ABOVE = 1_000;

    /** The newest id is good for this long at least: nobody registers so many schemas in that time. */
    private static final Duration NEWEST_KEPT = Duration.ofSeconds(10);

    /** To look for it takes a tenth of the time at most: where that takes long, it is good for longer. */
    private static final int KEPT_PER_LOOK = 9;

    /** With more subjects, to look through them would cost more than to ask for the ids of a batch. */
    private static final int MAX_SUBJECTS = 5_000;

    private static final Map<String, SchemaAnswers> BY_REGISTRY = new ConcurrentHashMap<>();

    private final String url;
    private final RestService registry;
    private final Map<Integer, Answer> known = new ConcurrentHashMap<>();
    private final Map<Integer, Long> unknownUntilNanos = new ConcurrentHashMap<>();

    /** The newest id that was given, and until when that is good; null: not known. */
    private record Newest(int id, long untilNanos) {}

    private volatile Newest newest;

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
        boolean unknown = id < 0 || until != null && System.nanoTime() < until || isFarAboveNewest(id);
        return unknown ? UNKNOWN : null;
    }

    private boolean isFarAboveNewest(int id) {
        Newest last = newest;
        return last != null && System.nanoTime() < last.untilNanos && (long) id > (long) last.id + FAR_ABOVE;
    }

    /**
     * Looks through the newest versions of all subjects, so that ids far above theirs need not be asked for: garbage may
     * hold any number of those. Does nothing while the last look is good.
     *
     * @throws IOException when the registry does not answer, or not as one: then nothing is known
     */
    void findNewest(ExecutorService threads) throws IOException, InterruptedException {
        Newest last = newest;
        if (last != null && System.nanoTime() < last.untilNanos) {
            return;
        }
        long began = System.nanoTime();
        try {
            List<String> subjects = registry.getAllSubjects();
            // Some registries say null where they hold none.
            int highest = subjects == null ? 0 : newestOf(subjects, threads);
            long now = System.nanoTime();
            newest = new Newest(highest, now + Math.max(NEWEST_KEPT.toNanos(), KEPT_PER_LOOK * (now - began)));
        } catch (RestClientException | ExecutionException noAnswer) {
            throw new IOException(noAnswer);
        }
    }

    private int newestOf(List<String> subjects, ExecutorService threads)
            throws InterruptedException, ExecutionException {
        if (subjects.size() > MAX_SUBJECTS) {
            return Integer.MAX_VALUE;
        }
        List<Callable<Integer>> requests = new ArrayList<>();
        subjects.forEach(subject -> requests.add(() -> newestOf(subject)));
        int highest = known.keySet().stream().mapToInt(Integer::intValue).max().orElse(0);
        for (Future<Integer> found : threads.invokeAll(requests)) {
            highest = Math.max(highest, found.get());
        }
        return highest;
    }

    private int newestOf(String subject) throws IOException, RestClientException {
        try {
            return registry.getLatestVersion(subject).getId();
        } catch (RestClientException answer) {
            if (answer.getStatus() == HTTP_NOT_FOUND) {
                // Deleted meanwhile.
                return 0;
            }
            throw answer;
        }
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
