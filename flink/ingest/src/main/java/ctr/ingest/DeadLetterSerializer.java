package ctr.front;

import java.nio.charset.StandardCharsets;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.header.Headers;

/** Writes a letter: the original key, value and headers, then where it came from and why. */
final class LetterSerializer implements KafkaRecordSerializationSchema<Letter> {

    private static final long serialVersionUID = 1L;

    private final String errorTopic;

    LetterSerializer(String errorTopic) {
        this.errorTopic = errorTopic;
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(Letter letter, KafkaSinkContext context, Long timestampMs) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(errorTopic, letter.key, letter.value);
        Headers headers = record.headers();
        for (int i = 0; i < letter.headerKeys.length; i++) {
            headers.add(letter.headerKeys[i], letter.headerValues[i]);
        }
        headers.add("reason", utf8(letter.reason));
        headers.add("__connect.errors.topic", utf8(letter.topic));
        headers.add("__connect.errors.partition", utf8(Integer.toString(letter.partition)));
        headers.add("__connect.errors.offset", utf8(Long.toString(letter.offset)));
        headers.add("__connect.errors.exception.message", letter.messageBytes());
        return record;
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
