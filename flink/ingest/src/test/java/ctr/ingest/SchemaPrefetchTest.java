package ctr.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** The ids of a batch are asked for together, each once; the records pass as they are. */
class SchemaPrefetchTest {

    private static ConsumerRecords<byte[], byte[]> batch(List<byte[]> values) {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        values.forEach(value -> records.add(Samples.record(0, records.size(), Samples.NOON, value)));
        return new ConsumerRecords<>(Map.of(new TopicPartition("raw", 0), records), Map.of());
    }

    private static void prefetch(Registry registry, ConsumerRecords<byte[], byte[]> records) {
        SchemaPrefetch prefetch = new SchemaPrefetch();
        prefetch.configure(Map.of(SchemaPrefetch.REGISTRY_URL, registry.url()));
        assertSame(records, prefetch.onConsume(records));
        prefetch.close();
    }

    private static List<byte[]> ofIds(IntStream ids) {
        return ids.mapToObj(id -> Samples.wire(id, new byte[] {1})).toList();
    }

    private static long askedFor(Registry registry) {
        return registry.questions.stream().filter(path -> path.startsWith("/schemas/")).count();
    }

    @Test
    void idsOfABatchAreAskedForOnceAndThenKnown() throws IOException {
        try (Registry registry = new Registry(0).knows(7, Samples.settings().readerSchema)) {
            List<byte[]> values = new ArrayList<>(ofIds(IntStream.range(100, 300)));
            values.addAll(ofIds(IntStream.of(7, 7, 100, -1)));
            values.addAll(ofIds(IntStream.empty()));
            values.add(null);
            values.add(new byte[] {0, 1});
            values.add(new byte[] {1, 0, 0, 0, 9, 1});
            prefetch(registry, batch(values));
            assertEquals(201, askedFor(registry), "neither a negative id nor what is no wire format is asked for");
            assertEquals(203, new HashSet<>(registry.questions).size(), "and once what the newest id is");
            SchemaAnswers answers = SchemaAnswers.of(registry.url());
            assertSame(SchemaAnswers.UNKNOWN, answers.known(200));
            SchemaLookup lookup = new SchemaLookup(answers, new DecodePlan.Compiler(Samples.settings()), null);
            assertNull(lookup.plan(7).problem);
            assertEquals("the registry does not know schema id 200", lookup.plan(200).problem);
            assertEquals(203, registry.questions.size());
        }
    }

    @Test
    void ofManyIdsThoseFarAboveTheNewestAreNobodys() throws IOException {
        int newest = 40;
        try (Registry registry = new Registry(0)
                .knows(3, Samples.settings().readerSchema)
                .knows(newest, Samples.settings().readerSchema)) {
            int first = newest + SchemaAnswers.FAR_ABOVE + 1;
            prefetch(registry, batch(ofIds(IntStream.concat(IntStream.of(3, first - 1), IntStream.range(first, 50_000)))));
            assertEquals(2, askedFor(registry));
            SchemaAnswers answers = SchemaAnswers.of(registry.url());
            assertSame(SchemaAnswers.UNKNOWN, answers.known(first));
            assertSame(SchemaAnswers.UNKNOWN, answers.known(Integer.MAX_VALUE), "of later batches too, for a while");
            assertNull(answers.known(first - 2), "it may be given any moment");
            prefetch(registry, batch(ofIds(IntStream.range(first, 2 * first))));
            assertEquals(5, registry.questions.size(), "the subjects are looked through once in a while");
        }
    }

    @Test
    void aRegistryWithoutSubjectsMayCallThemNull() throws IOException {
        try (Registry registry = new Registry(0).first(Registry.status(200, "null"))) {
            prefetch(registry, batch(ofIds(IntStream.range(1 << 30, (1 << 30) + 100))));
            assertEquals(List.of("/subjects"), registry.questions);
        }
    }

    @Test
    void ofMoreSubjectsThanCanBeLookedThroughEachIdIsAskedFor() throws IOException {
        String names = IntStream.range(0, 5_001).mapToObj(number -> "\"s" + number + "\"").collect(Collectors.joining(",", "[", "]"));
        try (Registry registry = new Registry(0).first(Registry.status(200, names))) {
            prefetch(registry, batch(ofIds(IntStream.range(1 << 30, (1 << 30) + 100))));
            prefetch(registry, batch(ofIds(IntStream.range(1 << 29, (1 << 29) + 100))));
            assertEquals(200, askedFor(registry));
            assertEquals(201, registry.questions.size(), "and once what subjects there are");
        }
    }

    @Test
    void fewUnknownIdsAreAskedForEach() throws IOException {
        try (Registry registry = new Registry(0).knows(1, Samples.settings().readerSchema)) {
            prefetch(registry, batch(ofIds(IntStream.range(1 << 30, (1 << 30) + SchemaPrefetch.MANY_IDS))));
            assertEquals(SchemaPrefetch.MANY_IDS, registry.questions.size());
            assertEquals(SchemaPrefetch.MANY_IDS, askedFor(registry));
        }
    }

    @Test
    void oneUnknownIdIsLeftToItsRecord() throws IOException {
        try (Registry registry = new Registry(0)) {
            prefetch(registry, batch(ofIds(IntStream.of(5, 5, 5))));
            assertEquals(0, registry.questions.size());
        }
    }

    @Test
    void aRegistryThatIsUnavailableLeavesThemUnknown() throws IOException {
        try (Registry registry = new Registry(0)) {
            Registry.Answer[] errors = new Registry.Answer[100];
            java.util.Arrays.fill(errors, Registry.status(503, ""));
            registry.first(errors);
            prefetch(registry, batch(ofIds(IntStream.range(1, 50))));
            assertNull(SchemaAnswers.of(registry.url()).known(49));
        }
    }
}
