package ctr.ingest;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;

/**
 * A program that summarizes a window, for a test in another language.
 *
 * <p>Lines in, one for each partial sum: category in base 64, device type, impressions, the measures. Out: the summary.
 */
final class Summarize {

    private Summarize() {}

    public static void main(String[] arguments) throws IOException {
        OpenWindow window = new OpenWindow(Windows.ONE_MINUTE_MS, 0);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] parts = line.split(" ", -1);
            String category = new String(Base64.getDecoder().decode(parts[0]), StandardCharsets.UTF_8);
            Segment segment = new Segment(new Object[] {category, Integer.valueOf(parts[1])});
            window.add(Map.of(segment, Arrays.stream(parts).skip(2).mapToLong(Long::parseLong).toArray()));
        }
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        out.println(new RowEncoder().summary(window, false).getValue().getField(3));
    }
}
