package ctr.ingest;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the plan of a writer schema id. Only the registry's answer that it does not know an id, which was not seen
 * before either, makes an id unknown. One that refuses access is an error. At any other failure the registry counts as
 * unavailable, and the record waits.
 */
final class SchemaLookup {

    private static final Logger LOG = LoggerFactory.getLogger(SchemaLookup.class);

    private static final Duration FIRST_PAUSE = Duration.ofMillis(100);

    /** Often enough that a recovered registry is used within a second. */
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);

    private static final int HTTP_UNAUTHORIZED = 401;
    private static final int HTTP_FORBIDDEN = 403;

    /** Characters of what it says to it: a proxy may answer with a page. */
    private static final int MAX_SAID = 300;

    private final SchemaAnswers answers;
    private final DecodePlan.Compiler compiler;

    /** Null: nothing is kept. */
    private final KeptSchemas kept;

    private final Map<Integer, DecodePlan> plans = new HashMap<>();

    /** Of the record before, which nearly every record shares; null: it had none that is known for good. */
    private DecodePlan last;

    private int lastId;

    SchemaLookup(SchemaAnswers answers, DecodePlan.Compiler compiler, KeptSchemas kept) {
        this.answers = answers;
        this.compiler = compiler;
        this.kept = kept;
    }

    /**
     * Returns the plan for a schema id, usable or not. Blocks while the registry is unavailable.
     *
     * @throws InterruptedIOException when the task is cancelled meanwhile
     */
    DecodePlan plan(int id) throws IOException {
        if (last != null && id == lastId) {
            return last;
        }
        DecodePlan plan = plans.get(id);
        if (plan == null) {
            return request(id);
        }
        last = plan;
        lastId = id;
        return plan;
    }

    private DecodePlan request(int id) throws IOException {
        for (Duration pause = FIRST_PAUSE; ; pause = longer(pause)) {
            try {
                SchemaAnswers.Answer answer = answers.known(id);
                if (answer == null) {
                    answer = answers.ask(id);
                }
                if (answer == SchemaAnswers.UNKNOWN) {
                    answer = kept == null ? null : kept.find(id);
                    if (answer == null) {
                        return DecodePlan.unusable("the registry does not know schema id " + id);
                    }
                } else if (kept != null) {
                    kept.keep(id, answer);
                }
                DecodePlan plan = compiler.compile(answer.schema(), answer.referenced());
                plans.put(id, plan);
                return plan;
            } catch (RestClientException answer) {
                if (answer.getStatus() == HTTP_UNAUTHORIZED || answer.getStatus() == HTTP_FORBIDDEN) {
                    String said = String.valueOf(answer.getMessage()).replaceAll("\\s+", " ");
                    throw new IOException("The Schema Registry at " + answers.url() + " refuses access (HTTP "
                            + answer.getStatus() + "): " + said.substring(0, Math.min(said.length(), MAX_SAID)));
                }
                LOG.warn("Schema registry cannot answer for id {} (HTTP {}); waiting", id, answer.getStatus());
            } catch (SQLException unavailable) {
                LOG.warn("Postgres does not say whether schema id {} was known ({}); waiting", id, unavailable.toString());
            } catch (IOException unavailable) {
                LOG.warn("Schema registry is unavailable ({}); waiting", unavailable.toString());
            }
            sleep(pause);
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
