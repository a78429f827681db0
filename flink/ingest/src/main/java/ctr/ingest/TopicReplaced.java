package ctr.ingest;

import org.apache.flink.kafka.shaded.org.apache.kafka.clients.admin.TopicDescription;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.runtime.execution.SuppressRestartsException;

/**
 * The raw topic was deleted and made anew, so that this job's offsets, and its state, speak of records that are gone. It ends the
 * job for good: a restart would find the same, and read the new topic from an old one's offset.
 */
final class TopicReplaced {

    private TopicReplaced() {}

    static SuppressRestartsException idIsAnother(TopicDescription topic, String expectedId) {
        return because("its id is " + topic.topicId() + ", no longer " + expectedId, topic.name());
    }

    static SuppressRestartsException offsetsGoBack(ConsumerRecord<?, ?> record, long nextOffset) {
        return because(
                "partition " + record.partition() + " gave offset " + record.offset() + " where " + nextOffset + " was to follow",
                record.topic());
    }

    private static SuppressRestartsException because(String seen, String topic) {
        return new SuppressRestartsException(new IllegalStateException(
                "the topic " + topic + " was deleted and made anew (" + seen + "): begin a new epoch of it"));
    }
}
