package ctr.ingest;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumReader;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;
import org.apache.flink.avro.shaded.org.apache.avro.io.BinaryDecoder;
import org.apache.flink.avro.shaded.org.apache.avro.io.DecoderFactory;

/**
 * A program that says what the job makes of bytes, and what Avro's own reader does, for a test in another language.
 *
 * <p>Lines in: a JSON array of the schemas that the next one refers to, {@code schema JSON}, then {@code hex} of an event of it, as
 * often as wanted. Lines out, one for each event: the
 * job's judgement, a tab, Avro's. A judgement is {@code malformed}, {@code unknown_schema} or the four fields that count, the
 * category in base 64; Avro's may be {@code too large}: it makes an object of every value.
 */
final class Judge {

    private Judge() {}

    public static void main(String[] arguments) throws IOException {
        DecodePlan.Compiler compiler = new DecodePlan.Compiler(Samples.settings());
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        DecodePlan plan = null;
        Schema schema = null;
        List<String> referenced = List.of();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (line.startsWith("[")) {
                referenced = List.of(new ObjectMapper().readValue(line, String[].class));
                continue;
            }
            if (line.startsWith("{")) {
                plan = compiler.compile(line, referenced);
                schema = plan.problem == null ? parse(line, referenced) : null;
                continue;
            }
            byte[] avro = HexFormat.of().parseHex(line);
            out.println(plan.problem == null ? ours(plan, avro) + "\t" + avros(schema, avro) : "unknown_schema\tunknown_schema");
        }
        out.flush();
    }

    private static Schema parse(String schema, List<String> referenced) {
        Schema.Parser parser = new Schema.Parser().setValidate(false).setValidateDefaults(false);
        referenced.forEach(parser::parse);
        return parser.parse(schema);
    }

    private static String ours(DecodePlan plan, byte[] avro) {
        Event event = new Event(2, 1);
        AvroCursor cursor = new AvroCursor();
        cursor.reset(avro, 0);
        try {
            plan.read(cursor, event);
        } catch (MalformedException malformed) {
            return "malformed";
        }
        return fields(event.timestampMs, event.click, event.dimensions[1], (String) event.dimensions[0]);
    }

    private static String avros(Schema schema, byte[] avro) {
        BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(avro, null);
        try {
            GenericRecord event = new GenericDatumReader<GenericRecord>(schema).read(null, decoder);
            if (!decoder.isEnd()) {
                return "malformed";
            }
            Object category = event.get("site_category");
            String text = category instanceof java.nio.ByteBuffer bytes
                    ? new String(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining(), StandardCharsets.UTF_8)
                    : category == null ? "" : category.toString();
            return fields(
                    ((Number) event.get("timestamp")).longValue(),
                    ((Number) event.get("click")).longValue(),
                    event.get("device_type"),
                    new StringDictionary("unknown").normalForm(text));
        } catch (UnsupportedOperationException | OutOfMemoryError | StackOverflowError tooLarge) {
            return "too large";
        } catch (IOException | RuntimeException malformed) {
            return "malformed";
        }
    }

    private static String fields(long timestampMs, long click, Object deviceType, String category) {
        String text = Base64.getEncoder().encodeToString(category.getBytes(StandardCharsets.UTF_8));
        return timestampMs + " " + click + " " + deviceType + " " + text;
    }
}
