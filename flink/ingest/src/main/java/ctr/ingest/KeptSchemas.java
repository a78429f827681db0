package ctr.ingest;

import java.sql.Array;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps in Postgres what schema ids stand for: an id that was seen keeps its meaning when the registry has forgotten it, also
 * after a restart. It connects when an id is seen first, or is unknown.
 */
final class KeptSchemas {

    private static final Logger LOG = LoggerFactory.getLogger(KeptSchemas.class);

    private static final String INSERT = "INSERT INTO quality.writer_schemas (schema_id, schema_text, referenced)"
            + " VALUES (?, ?, ?) ON CONFLICT (schema_id) DO NOTHING";

    private static final String SELECT = "SELECT schema_id, schema_text, referenced FROM quality.writer_schemas";

    /** Garbage may hold any number of unknown ids: all that is kept is read at once, and no sooner again. */
    private static final Duration READ_AGAIN = Duration.ofSeconds(10);

    private static final Map<String, KeptSchemas> BY_WAREHOUSE = new ConcurrentHashMap<>();

    private final String url;
    private final String user;
    private final String password;
    private Map<Integer, SchemaAnswers.Answer> kept = Map.of();
    private long readNanos = System.nanoTime() - READ_AGAIN.toNanos();

    private KeptSchemas(IngestSettings settings) {
        url = settings.jdbcUrl;
        user = settings.postgresUser;
        password = settings.postgresPassword;
    }

    /** Those of a warehouse in this process; null where the job is told of none. */
    static KeptSchemas of(IngestSettings settings) {
        return settings.jdbcUrl == null
                ? null
                : BY_WAREHOUSE.computeIfAbsent(settings.jdbcUrl, url -> new KeptSchemas(settings));
    }

    /**
     * What an id stood for when it was first seen; null: it has not been seen.
     *
     * @throws SQLException when Postgres does not say
     */
    synchronized SchemaAnswers.Answer find(int id) throws SQLException {
        if (!kept.containsKey(id) && System.nanoTime() - readNanos >= READ_AGAIN.toNanos()) {
            kept = read();
            readNanos = System.nanoTime();
        }
        return kept.get(id);
    }

    /** Puts an id on record, unless it is. Where that fails the recount, which reads the same records, does it. */
    synchronized void keep(int id, SchemaAnswers.Answer answer) {
        try (Connection connection = connect();
                PreparedStatement insert = connection.prepareStatement(INSERT)) {
            insert.setInt(1, id);
            insert.setString(2, answer.schema());
            insert.setArray(3, connection.createArrayOf("text", answer.referenced().toArray()));
            insert.executeUpdate();
        } catch (SQLException unavailable) {
            LOG.warn("schema id {} is not kept: {}", id, unavailable.toString());
        }
    }

    private Map<Integer, SchemaAnswers.Answer> read() throws SQLException {
        Map<Integer, SchemaAnswers.Answer> found = new ConcurrentHashMap<>();
        try (Connection connection = connect();
                PreparedStatement select = connection.prepareStatement(SELECT);
                ResultSet rows = select.executeQuery()) {
            while (rows.next()) {
                Array referenced = rows.getArray(3);
                List<String> schemas = Arrays.asList((String[]) referenced.getArray());
                found.put(rows.getInt(1), new SchemaAnswers.Answer(rows.getString(2), schemas));
            }
        }
        return found;
    }

    private Connection connect() throws SQLException {
        return DriverManager.getConnection(url, user, password);
    }
}
