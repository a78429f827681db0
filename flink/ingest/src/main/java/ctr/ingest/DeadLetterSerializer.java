package ctr.ingest;

import java.nio.charset.StandardCharsets;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.header.Headers;

/** Writes a dead letter: the original key, value and headers, then where it came from and why. */
final class DeadLetterSerializer implements KafkaRecordSerializationSchema<DeadLetter> {

    private static final long serialVersionUID = 1L;

    private final String errorTopic;

    DeadLetterSerializer(String errorTopic) {
        this.errorTopic = errorTopic;
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(DeadLetter deadLetter, KafkaSinkContext context, Long timestampMs) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(errorTopic, deadLetter.key, deadLetter.value);
        Headers headers = record.headers();
        for (int i = 0; i < deadLetter.headerKeys.length; i++) {
            headers.add(deadLetter.headerKeys[i], deadLetter.headerValues[i]);
        }
        headers.add("reason", utf8(deadLetter.reason));
        headers.add("__connect.errors.topic", utf8(deadLetter.topic));
        headers.add("__connect.errors.partition", utf8(Integer.toString(deadLetter.partition)));
        headers.add("__connect.errors.offset", utf8(Long.toString(deadLetter.offset)));
        headers.add("__connect.errors.exception.message", deadLetter.messageBytes());
        return record;
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
