package ctr.ingest;

import static ctr.ingest.Samples.NOON;
import static ctr.ingest.Samples.SCHEMA_ID;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** An unavailable registry delays, and one that refuses is an error; neither makes a good record dead. */
class RegistryUnavailableTest {

    private static Registry registry(int port) throws IOException {
        return new Registry(port).knows(SCHEMA_ID, Samples.settings().readerSchema);
    }

    private static Outcome outcome(EventDecoder decoder) throws IOException {
        return EventDecoderTest.decode(decoder, EventDecoderTest.good(), NOON).outcome;
    }

    /** These answers first, then the right one: the record waits for that. */
    private static void assertWaits(Registry.Answer... answers) throws IOException {
        try (Registry registry = registry(0).first(answers)) {
            assertEquals(Outcome.COUNTED, outcome(EventDecoderTest.decoder(registry.url())));
            assertTrue(registry.questions.size() > answers.length);
        }
    }

    @Test
    void serverErrorsDelay() throws IOException {
        assertWaits(
                Registry.status(500, ""),
                Registry.status(500, "{\"error_code\": 50001, \"message\": \"Error in the backend datastore\"}"),
                Registry.status(503, "<html>Service Unavailable</html>"));
    }

    @Test
    void anAnswerThatThereAreTooManyQuestionsDelays() throws IOException {
        assertWaits(Registry.status(429, ""));
    }

    @Test
    void refusedAccessIsAnErrorInOneLine() throws IOException {
        for (Registry.Answer refusal : List.of(
                Registry.status(401, "{\"error_code\": 40101, \"message\": \"Unauthorized\"}"),
                Registry.status(401, "<html>\n" + "log in\n".repeat(1000) + "</html>"),
                Registry.status(403, ""))) {
            try (Registry registry = registry(0).first(refusal)) {
                EventDecoder decoder = EventDecoderTest.decoder(registry.url());
                String message = assertThrows(IOException.class, () -> outcome(decoder)).getMessage();
                assertTrue(message.startsWith("The Schema Registry at " + registry.url() + " refuses access (HTTP 40"));
                assertTrue(message.length() < 500 && !message.contains("\n"), message);
                assertEquals(Outcome.COUNTED, outcome(decoder));
            }
        }
    }

    @Test
    void aNotFoundThatIsNotTheRegistrysOwnWordDelays() throws IOException {
        assertWaits(
                Registry.status(404, ""),
                Registry.status(404, "<html>no such page</html>"),
                Registry.status(404, "{\"message\": \"no route\"}"),
                Registry.status(404, "{\"error_code\": 404, \"message\": \"HTTP 404 Not Found\"}"));
    }

    @Test
    void anAnswerThatIsNoSchemaDelays() throws IOException {
        assertWaits(
                Registry.status(200, "<html>Welcome to the proxy</html>"),
                Registry.status(200, ""),
                Registry.status(200, "{}"),
                Registry.status(200, "{\"schema\": "));
    }

    @Test
    void droppedConnectionsDelay() throws IOException {
        assertWaits(Registry.DROPPED, Registry.DROPPED);
    }

    @Test
    void anAnswerThatNeverComesIsAskedForAgain() throws IOException {
        assertWaits(neverAnswered -> {});
    }

    @Test
    void aRegistryThatIsDownDelaysUntilItIsBack() throws Exception {
        int port;
        try (Registry before = registry(0)) {
            port = before.port();
        }
        EventDecoder decoder = EventDecoderTest.decoder("http://127.0.0.1:" + port);
        CompletableFuture<Outcome> decoded = CompletableFuture.supplyAsync(() -> {
            try {
                return outcome(decoder);
            } catch (IOException error) {
                throw new java.io.UncheckedIOException(error);
            }
        });
        Thread.sleep(500);
        assertTrue(!decoded.isDone(), "the record waits");
        try (Registry back = registry(port)) {
            assertEquals(Outcome.COUNTED, decoded.get(30, TimeUnit.SECONDS));
        }
    }

    @Test
    void aKnownSchemaNeedsNoRegistry() throws IOException {
        EventDecoder decoder;
        try (Registry registry = registry(0)) {
            decoder = EventDecoderTest.decoder(registry.url());
            assertEquals(Outcome.COUNTED, outcome(decoder));
        }
        assertEquals(Outcome.COUNTED, outcome(decoder));
    }

    @Test
    void cancellingTheTaskEndsTheWait() throws Exception {
        int port;
        try (Registry before = registry(0)) {
            port = before.port();
        }
        EventDecoder decoder = EventDecoderTest.decoder("http://127.0.0.1:" + port);
        AtomicReference<Throwable> ended = new AtomicReference<>();
        Thread task = new Thread(() -> {
            try {
                outcome(decoder);
            } catch (IOException error) {
                ended.set(error);
            }
        });
        task.start();
        task.interrupt();
        task.join(30_000);
        assertInstanceOf(InterruptedIOException.class, ended.get());
    }
}
