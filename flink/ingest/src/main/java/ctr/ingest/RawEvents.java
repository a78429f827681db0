package ctr.ingest;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
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

    /** Place of the id in a row, before the kept fields; click, dimensions and time come behind these. */
    static final int ID = 0;

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
    private final int width;

    /** Keeps so many percent of the ids as the settings say; 100 or more: all. */
    RawEvents(IngestSettings settings) {
        below = (long) Math.ceil(HASHES * settings.rawEventsPercent / 100);
        width = columns(settings).size();
    }

    /** Columns of a row. */
    private static List<String> columns(IngestSettings settings) {
        List<String> columns = new ArrayList<>(List.of("id"));
        settings.kept.forEach(each -> columns.add(each.column));
        columns.add("click");
        settings.dimensions.forEach(each -> columns.add(each.column));
        columns.add("event_time");
        return columns;
    }

    /** Type of a row. */
    static TypeInformation<Row> type(IngestSettings settings) {
        List<TypeInformation<?>> types = new ArrayList<>(List.of(Types.STRING));
        settings.kept.forEach(each -> types.add(
                switch (each.type) {
                    case "int" -> Types.INT;
                    case "long" -> Types.LONG;
                    case "boolean" -> Types.BOOLEAN;
                    default -> Types.STRING;
                }));
        types.add(Types.INT);
        settings.dimensions.forEach(each -> types.add(each.isText() ? Types.STRING : Types.INT));
        types.add(Types.LONG);
        return Types.ROW(types.toArray(new TypeInformation<?>[0]));
    }

    /** The first event of an id stays: to write one again, after a crash or by a replay, changes nothing. */
    private static String insert(IngestSettings settings) {
        List<String> columns = columns(settings);
        String names = columns.stream().map(each -> '"' + each + '"').collect(Collectors.joining(", "));
        String places = String.join(", ", Collections.nCopies(columns.size(), "?"));
        return "INSERT INTO realtime.raw_events (" + names + ") VALUES (" + places + ") ON CONFLICT (id) DO NOTHING";
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

    /** The row of an event whose record has been read to its end before. */
    Row row(Event event) {
        Row row = new Row(width);
        cursor.reset(event.record.value(), EventDecoder.HEADER_BYTES);
        try {
            event.plan.readRaw(cursor, row);
        } catch (MalformedException impossible) {
            throw new IllegalStateException("a record that was read cannot be read again", impossible);
        }
        int place = width - event.dimensions.length - 2;
        row.setField(place++, (int) event.click);
        for (Object dimension : event.dimensions) {
            row.setField(place++, dimension);
        }
        row.setField(place, event.timestampMs);
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
                .withQueryStatement(insert(settings), (statement, row) -> {
                    int last = row.getArity() - 1;
                    for (int i = ID; i < last; i++) {
                        statement.setObject(i + 1, row.getField(i));
                    }
                    Instant at = Instant.ofEpochMilli((Long) row.getField(last));
                    statement.setObject(last + 1, at.atOffset(ZoneOffset.UTC));
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
