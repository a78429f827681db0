package ctr.ingest;

import java.time.Instant;
import org.apache.flink.api.common.JobID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs what the job does, an event a line, as {@code event=restored job=... run=... key=value ...}: what {@code flink/job_log.py}
 * does in Python. The job is Flink's id; the run is Dagster's, of which the job was submitted.
 */
final class JobLog {

    private final Logger log;
    private final String origin;

    JobLog(Class<?> about, JobID job, IngestSettings settings) {
        log = LoggerFactory.getLogger(about);
        origin = " job=" + job + " run=" + value(settings.submittedBy);
    }

    /** Logs an event with its names and values, in turn. */
    void info(String event, Object... fields) {
        log.info(line(event, fields));
    }

    /** Logs one that somebody may have to do something about. */
    void warn(String event, Object... fields) {
        log.warn(line(event, fields));
    }

    String line(String event, Object... fields) {
        StringBuilder line = new StringBuilder("event=").append(event).append(origin);
        for (int i = 0; i < fields.length; i += 2) {
            line.append(' ').append(fields[i]).append('=').append(value(fields[i + 1]));
        }
        return line.toString();
    }

    /** A watermark as a person reads it. */
    static String time(long ms) {
        return ms == Windows.NONE ? "none" : Instant.ofEpochMilli(ms).toString();
    }

    /** In quotes where it would not be one word; on one line, whatever a record holds. */
    private static String value(Object value) {
        String text = String.valueOf(value);
        if (!text.isEmpty() && text.chars().allMatch(each -> each > ' ' && each < 127 && each != '"' && each != '=')) {
            return text;
        }
        StringBuilder quoted = new StringBuilder("\"");
        text.chars().forEach(each -> {
            if (each == '"' || each == '\\') {
                quoted.append('\\').append((char) each);
            } else {
                quoted.append(Character.isISOControl(each) ? ' ' : (char) each);
            }
        });
        return quoted.append('"').toString();
    }
}
