package ctr.ingest;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.databind.ObjectMapper;

/** An HTTP server with a registry's paths, each schema in a subject of its own, that can also fail, in every way that a registry does. */
final class Registry implements AutoCloseable {

    /** One answer; may also leave the question unanswered. */
    interface Answer {
        void to(HttpExchange question) throws IOException;
    }

    static final Answer DROPPED = HttpExchange::close;

    final List<String> questions = Collections.synchronizedList(new ArrayList<>());
    private final Map<Integer, String> schemas = new HashMap<>();
    private final Queue<Answer> next = new ArrayDeque<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpServer server;

    /** At this port, or at a free one if it is 0. */
    Registry(int port) throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    int port() {
        return server.getAddress().getPort();
    }

    String url() {
        return "http://127.0.0.1:" + port();
    }

    synchronized Registry knows(int id, String schema) {
        schemas.put(id, schema);
        return this;
    }

    /** Give these answers first, one per question. */
    synchronized Registry first(Answer... answers) {
        next.addAll(List.of(answers));
        return this;
    }

    static Answer status(int status, String body) {
        return question -> {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            question.getResponseHeaders().add("Content-Type", "application/json");
            question.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
            if (bytes.length > 0) {
                question.getResponseBody().write(bytes);
            }
            question.close();
        };
    }

    private void handle(HttpExchange question) throws IOException {
        String path = question.getRequestURI().getPath();
        questions.add(path);
        answer(path).to(question);
    }

    private synchronized Answer answer(String path) throws IOException {
        Answer planned = next.poll();
        if (planned != null) {
            return planned;
        }
        ObjectMapper json = new ObjectMapper();
        if (path.equals("/subjects")) {
            return status(200, json.writeValueAsString(schemas.keySet().stream().map(id -> "subject-" + id).toList()));
        }
        if (path.endsWith("/versions/latest")) {
            int id = Integer.parseInt(path.split("/")[2].substring("subject-".length()));
            return status(200, json.writeValueAsString(Map.of("id", id, "version", 1, "schema", schemas.get(id))));
        }
        String schema = schemas.get(Integer.parseInt(path.substring(path.lastIndexOf('/') + 1)));
        return schema == null
                ? status(404, "{\"error_code\": 40403, \"message\": \"Schema not found\"}")
                : status(200, json.writeValueAsString(Map.of("schema", schema)));
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
