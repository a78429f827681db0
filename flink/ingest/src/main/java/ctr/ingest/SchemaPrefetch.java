package ctr.ingest;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the registry for all unknown schema ids of a batch at once, in the thread that fetches it, so that records of
 * many ids (garbage holds any) do not hold up the others one request after the other. What it leaves open, the
 * {@link SchemaLookup} asks for when it comes to the record.
 */
public final class SchemaPrefetch implements ConsumerInterceptor<byte[], byte[]> {

    private static final Logger LOG = LoggerFactory.getLogger(SchemaPrefetch.class);

    /** Setting of the consumer. */
    static final String REGISTRY_URL = "ctr.registry.url";

    /** More would ask more of a registry than the platform's share of it. */
    private static final int THREADS = 16;

    /** Producers do not bring more new schemas at once; beyond, it is worth a look at which ids there can be. */
    static final int MANY_IDS = 16;

    /** A negative one is nobody's, and never asked for. */
    private static final int NO_ID = -1;

    /** A batch waits no longer: a registry that is unavailable is waited for where a record needs it. */
    private static final long WITHIN_S = 10;

    private SchemaAnswers answers;
    private ExecutorService threads;

    @Override
    public void configure(Map<String, ?> settings) {
        answers = SchemaAnswers.of((String) settings.get(REGISTRY_URL));
        threads = Executors.newFixedThreadPool(THREADS, task -> {
            Thread thread = new Thread(task, "ctr-schema-prefetch");
            thread.setDaemon(true);
            return thread;
        });
    }

    @Override
    public ConsumerRecords<byte[], byte[]> onConsume(ConsumerRecords<byte[], byte[]> records) {
        Set<Integer> ids = new HashSet<>();
        // Nearly all records have the id of the one before.
        int last = NO_ID;
        for (ConsumerRecord<byte[], byte[]> record : records) {
            byte[] value = record.value();
            if (EventDecoder.isWireFormat(value)) {
                int id = EventDecoder.schemaId(value);
                if (id != last) {
                    last = id;
                    ids.add(id);
                }
            }
        }
        ids.removeIf(id -> answers.known(id) != null);
        if (ids.size() > MANY_IDS) {
            ruleOut(ids);
        }
        // A single one is no detour.
        if (ids.size() > 1) {
            askFor(ids);
        }
        return records;
    }

    private void ruleOut(Set<Integer> ids) {
        try {
            answers.findNewest(threads);
            ids.removeIf(id -> answers.known(id) != null);
        } catch (IOException noAnswer) {
            LOG.debug("each id of a batch is asked for: {}", noAnswer.toString());
        } catch (InterruptedException cancelled) {
            Thread.currentThread().interrupt();
        }
    }

    private void askFor(Set<Integer> ids) {
        AtomicBoolean unavailable = new AtomicBoolean();
        List<Callable<Void>> requests = new ArrayList<>();
        for (int id : ids) {
            requests.add(() -> {
                if (!unavailable.get()) {
                    try {
                        answers.ask(id);
                    } catch (IOException | RestClientException noAnswer) {
                        unavailable.set(true);
                    }
                }
                return null;
            });
        }
        try {
            threads.invokeAll(requests, WITHIN_S, TimeUnit.SECONDS);
            answers.keepUnknown(ids);
        } catch (InterruptedException cancelled) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {}

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
