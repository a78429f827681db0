package ctr.ingest;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32C;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.connector.jdbc.JdbcConnectionOptions;
import org.apache.flink.connector.jdbc.JdbcExecutionOptions;
import org.apache.flink.connector.jdbc.core.datastream.sink.JdbcSink;
import org.apache.flink.types.Row;

/**
 * Valid events for {@code realtime.raw_events}: all of them, or those whose id falls into a share of all hashes, so that
 * the same ids are kept whenever and wherever they are read. Nothing here is counted.
 */
final class RawEvents {

    /** Fields of the event, in the order of the table's columns. */
    static final List<String> FIELDS = List.of(
            "id", "click", "hour", "C1", "banner_pos", "site_id", "site_category", "device_type", "device_ip", "timestamp");

    static final int ID = 0;
    private static final int TIMESTAMP = FIELDS.size() - 1;

    static final TypeInformation<Row> TYPE = Types.ROW(
            Types.STRING, Types.INT, Types.INT, Types.INT, Types.INT, Types.STRING, Types.STRING, Types.INT, Types.STRING,
            Types.LONG);

    /** The first event of an id stays: to write one again, after a crash or by a replay, changes nothing. */
    private static final String INSERT = "INSERT INTO realtime.raw_events (id, click, hour, c1, banner_pos, site_id,"
            + " site_category, device_type, device_ip, event_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            + " ON CONFLICT (id) DO NOTHING";

    /** One statement of so many rows; the driver takes at most 32,767 values. */
    private static final int BATCH_ROWS = 1000;

    /** Rows wait this long for company. */
    private static final long BATCH_MS = 1000;

    /** The connector pauses 1, 2, 3 ... s between tries; after that the job restarts from its checkpoint. */
    private static final int MAX_RETRIES = 5;

    /** Fewer than ingest subtasks, so that these never wait for Postgres themselves. */
    static final int WRITERS = 1;

    private static final int MAX_ID_CHARACTERS = 256;

    /** Of a longer id; with its hash in hexadecimal these are as many again as the longest that is kept. */
    private static final int CUT_ID_CHARACTERS = 192;

    private static final double HASHES = 0x1p32;

    private final CRC32C hash = new CRC32C();
    private final AvroCursor cursor = new AvroCursor();
    private final long below;

    /** Keeps so many percent of the ids; 100 or more: all. */
    RawEvents(double percent) {
        below = (long) Math.ceil(HASHES * percent / 100);
    }

    /** Whether an event is kept; one without an id never is. */
    boolean wants(Event event) {
        if (event.idLength < 0) {
            return false;
        }
        hash.reset();
        hash.update(event.record.value(), event.idPosition, event.idLength);
        return hash.getValue() < below;
    }

    /** The fields of an event whose record has been read to its end before. */
    Row row(Event event) {
        Row row = new Row(FIELDS.size());
        cursor.reset(event.record.value(), EventDecoder.HEADER_BYTES);
        try {
            event.plan.readRaw(cursor, row);
        } catch (MalformedException impossible) {
            throw new IllegalStateException("a record that was read cannot be read again", impossible);
        }
        return row;
    }

    /** Text as Postgres can store it. */
    static String text(byte[] bytes, int offset, int length) {
        return new String(bytes, offset, length, StandardCharsets.UTF_8).replace('\0', '\uFFFD');
    }

    /** An id as the table's key: Postgres indexes no text of any length, so a long one is cut, and its hash added. */
    static String key(String id) {
        if (id.codePointCount(0, id.length()) <= MAX_ID_CHARACTERS) {
            return id;
        }
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(id.getBytes(StandardCharsets.UTF_8));
            return id.substring(0, id.offsetByCodePoints(0, CUT_ID_CHARACTERS)) + HexFormat.of().formatHex(hash);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    static Sink<Row> sink(IngestSettings settings) {
        return JdbcSink.<Row>builder()
                .withQueryStatement(INSERT, (statement, row) -> {
                    for (int i = ID; i < TIMESTAMP; i++) {
                        statement.setObject(i + 1, row.getField(i));
                    }
                    Instant at = Instant.ofEpochMilli((Long) row.getField(TIMESTAMP));
                    statement.setObject(TIMESTAMP + 1, at.atOffset(ZoneOffset.UTC));
                })
                .withExecutionOptions(JdbcExecutionOptions.builder()
                        .withBatchSize(BATCH_ROWS)
                        .withBatchIntervalMs(BATCH_MS)
                        .withMaxRetries(MAX_RETRIES)
                        .build())
                .buildAtLeastOnce(new JdbcConnectionOptions.JdbcConnectionOptionsBuilder()
                        .withUrl(settings.jdbcUrl)
                        .withDriverName("org.postgresql.Driver")
                        .withUsername(settings.postgresUser)
                        .withPassword(settings.postgresPassword)
                        .build());
    }
}
