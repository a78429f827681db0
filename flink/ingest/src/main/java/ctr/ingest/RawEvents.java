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
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.connector.jdbc.JdbcConnectionOptions;
import org.apache.flink.connector.jdbc.JdbcExecutionOptions;
import org.apache.flink.connector.jdbc.core.datastream.sink.JdbcSink;
import org.apache.flink.types.Row;
import org.apache.flink.util.OutputTag;

/**
 * Valid events for {@code realtime.raw_events}: all of them, or those whose id falls into a share of all hashes, so that
 * the same ids are kept whenever and wherever they are read. Nothing here is counted.
 */
final class RawEvents {

    /** Slots of a row: these two, the dimensions as they are counted, what is kept beside, the event's time in ms. */
    private static final int ID = 0;

    private static final int CLICK = 1;
    private static final int FIRST_DIMENSION = 2;

    /** One statement of so many rows, of no more values than the driver takes. */
    private static final int BATCH_ROWS = 1000;

    private static final int BATCH_VALUES = 32_767;

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
    private final int columns;

    /** Where its rows leave the ingest stage. */
    final OutputTag<Row> output;

    /** Keeps the settings' share of all ids; of 100 percent or more: all. */
    RawEvents(IngestSettings settings) {
        below = (long) Math.ceil(HASHES * settings.rawEventsPercent / 100);
        columns = columns(settings).size();
        output = output(settings);
    }

    static OutputTag<Row> output(IngestSettings settings) {
        return new OutputTag<>("raw-events", type(settings));
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

    /** The row of an event that {@link #wants} has chosen. */
    Row row(Event event) {
        byte[] record = event.record.value();
        Row row = new Row(columns);
        row.setField(ID, key(text(record, event.idPosition, event.idLength)));
        row.setField(CLICK, (int) event.click);
        for (int i = 0; i < event.dimensions.length; i++) {
            row.setField(FIRST_DIMENSION + i, event.dimensions[i]);
        }
        cursor.reset(record, EventDecoder.HEADER_BYTES);
        try {
            event.plan.readKept(cursor, row);
        } catch (MalformedException impossible) {
            throw new IllegalStateException("a record that was read cannot be read again", impossible);
        }
        row.setField(columns - 1, event.timestampMs);
        return row;
    }

    /** Slot of the first field that is kept beside the dimensions. */
    static int firstKept(List<IngestSettings.Dimension> dimensions) {
        return FIRST_DIMENSION + dimensions.size();
    }

    /** Names of the table's columns, in the order of a row's slots. */
    static List<String> columns(IngestSettings settings) {
        List<String> names = new ArrayList<>(List.of("id", "click"));
        settings.dimensions.forEach(each -> names.add(each.column));
        settings.kept.forEach(each -> names.add(each.column));
        names.add("event_time");
        return names;
    }

    static TypeInformation<Row> type(IngestSettings settings) {
        Schema reader = new Schema.Parser().parse(settings.readerSchema);
        List<TypeInformation<?>> types = new ArrayList<>(List.of(Types.STRING, Types.INT));
        settings.dimensions.forEach(each -> types.add(each.isText() ? Types.STRING : Types.INT));
        settings.kept.forEach(each -> types.add(type(reader.getField(each.field).schema())));
        types.add(Types.LONG);
        return Types.ROW(types.toArray(TypeInformation<?>[]::new));
    }

    private static TypeInformation<?> type(Schema declared) {
        switch (declared.getType()) {
            case INT:
                return Types.INT;
            case LONG:
                return Types.LONG;
            case BOOLEAN:
                return Types.BOOLEAN;
            default:
                return Types.STRING;
        }
    }

    /** The first event of an id stays: to write one again, after a crash or by a replay, changes nothing. */
    static String insert(List<String> columns) {
        // Quoted: a field may be called like a word of SQL.
        String names = columns.stream().map(each -> '"' + each + '"').collect(Collectors.joining(", "));
        String values = String.join(", ", Collections.nCopies(columns.size(), "?"));
        return "INSERT INTO realtime.raw_events (" + names + ") VALUES (" + values + ") ON CONFLICT (id) DO NOTHING";
    }

    /** Text as Postgres can store it. */
    static String text(byte[] bytes, int offset, int length) {
        return storable(new String(bytes, offset, length, StandardCharsets.UTF_8));
    }

    static String storable(String text) {
        return text.replace('\0', '\uFFFD');
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
        List<String> columns = columns(settings);
        int time = columns.size() - 1;
        return JdbcSink.<Row>builder()
                .withQueryStatement(insert(columns), (statement, row) -> {
                    for (int i = 0; i < time; i++) {
                        statement.setObject(i + 1, row.getField(i));
                    }
                    Instant at = Instant.ofEpochMilli((Long) row.getField(time));
                    statement.setObject(time + 1, at.atOffset(ZoneOffset.UTC));
                })
                .withExecutionOptions(JdbcExecutionOptions.builder()
                        .withBatchSize(Math.min(BATCH_ROWS, BATCH_VALUES / columns.size()))
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
