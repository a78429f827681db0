package ctr.ingest;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.admin.Admin;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.admin.TopicDescription;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.IsolationLevel;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.KafkaException;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.KafkaFuture;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.TopicPartition;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.errors.InterruptException;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Asks the broker which topic the raw topic is, and where each of its partitions ends. */
final class BrokerState implements AutoCloseable {

    /** A request to an available broker takes milliseconds; to an unavailable one, this long. */
    private static final int TIMEOUT_MS = 5_000;

    /** Enough for a fetch to pass over transaction markers at a partition's end. */
    private static final Duration FETCH = Duration.ofSeconds(2);

    private final String topic;
    private final Admin admin;
    private final KafkaConsumer<byte[], byte[]> consumer;

    /** What {@link #endOffsets} was last asked. */
    private final Map<Integer, Long> askedOffsets = new HashMap<>();

    BrokerState(IngestSettings settings) {
        topic = settings.rawTopic;
        Properties properties = new Properties();
        properties.put(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, settings.bootstrapServers);
        properties.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, TIMEOUT_MS);
        properties.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, TIMEOUT_MS);
        admin = Admin.create(properties);
        properties.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        properties.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, "1");
        consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    TopicDescription topic() {
        return await(admin.describeTopics(List.of(topic)).allTopicNames()).get(topic);
    }

    /**
     * Where each partition ends for someone who has read up to {@code nextOffsets}: no record lies at or beyond, be it
     * readable or of a transaction that is still open.
     *
     * <p>Markers of transactions take offsets too, so the broker's end can lie beyond the last record. Whether it does is
     * looked up for a partition whose offset has not moved since the last question; one that moves has records.
     */
    Map<Integer, Long> endOffsets(Map<Integer, Long> nextOffsets) {
        Map<Integer, Long> committed = latest(nextOffsets, IsolationLevel.READ_COMMITTED);
        Map<Integer, Long> all = latest(nextOffsets, IsolationLevel.READ_UNCOMMITTED);
        Map<Integer, Long> ends = new TreeMap<>();
        nextOffsets.forEach((partition, next) -> {
            long end = all.get(partition);
            boolean transactionOpen = committed.get(partition) < end;
            boolean unmoved = next.equals(askedOffsets.put(partition, next));
            if (!transactionOpen && next < end && unmoved && onlyMarkersBetween(partition, next, end)) {
                end = next;
            }
            ends.put(partition, end);
        });
        return ends;
    }

    private Map<Integer, Long> latest(Map<Integer, Long> nextOffsets, IsolationLevel isolation) {
        Map<TopicPartition, OffsetSpec> request = new HashMap<>();
        nextOffsets.keySet().forEach(number -> request.put(new TopicPartition(topic, number), OffsetSpec.latest()));
        Map<Integer, Long> offsets = new HashMap<>();
        await(admin.listOffsets(request, new ListOffsetsOptions(isolation)).all())
                .forEach((partition, found) -> offsets.put(partition.partition(), found.offset()));
        return offsets;
    }

    /** Whether nothing that a reader may see lies between; what retention has deleted does not. */
    private boolean onlyMarkersBetween(int number, long next, long end) {
        TopicPartition partition = new TopicPartition(topic, number);
        consumer.assign(List.of(partition));
        consumer.seek(partition, next);
        long deadlineNanos = System.nanoTime() + FETCH.toNanos();
        while (System.nanoTime() < deadlineNanos) {
            if (!consumer.poll(Duration.ofMillis(100)).isEmpty()) {
                return false;
            }
            if (consumer.position(partition) >= end) {
                return true;
            }
        }
        return false;
    }

    private static <T> T await(KafkaFuture<T> answer) {
        try {
            return answer.get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException interrupted) {
            throw new InterruptException(interrupted);
        } catch (ExecutionException refused) {
            throw new KafkaException(refused.getCause());
        } catch (TimeoutException late) {
            throw new KafkaException("no answer within " + TIMEOUT_MS + " ms", late);
        }
    }

    @Override
    public void close() {
        consumer.close(Duration.ZERO);
        admin.close(Duration.ZERO);
    }
}
