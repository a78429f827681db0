package ctr.python;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.types.Row;
import pemja.core.PythonInterpreter;
import pemja.core.PythonInterpreterConfig;

/**
 * Starts the TaskManager's Python on a thread that nobody interrupts, before the operator in front opens.
 *
 * <p>Left to themselves, PyFlink's operators start it on the task's thread. A task that is cancelled just then is
 * interrupted, pemja (0.5.7) keeps that as the reason why Python did not start, and no task has Python again until the
 * TaskManager's process is another. Flink opens the operators of a chain from its end, so that one behind the Python
 * operator comes first.
 */
public final class StartPython extends RichMapFunction<Row, Row> {

    private static final long serialVersionUID = 1L;

    private final String executable;
    private final String path;

    private StartPython(String executable, String path) {
        this.executable = executable;
        this.path = path;
    }

    /** Adds itself behind a Python operator, chained to it; rows pass as they are. {@code path} is a PYTHONPATH. */
    public static SingleOutputStreamOperator<Row> behind(DataStream<Row> rows, String executable, String path) {
        return rows.map(new StartPython(executable, path)).returns(rows.getType());
    }

    @Override
    public void open(OpenContext context) {
        now(executable, path);
    }

    @Override
    public Row map(Row row) {
        return row;
    }

    /** Returns when Python runs in this process, however often the caller is interrupted meanwhile. */
    static void now(String executable, String path) {
        Thread starting = new Thread(() -> start(executable, path), "start Python");
        starting.setDaemon(true);
        starting.start();
        boolean interrupted = false;
        while (true) {
            try {
                starting.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** A Python that does not start shows when its operator opens, with that operator's words. */
    private static void start(String executable, String path) {
        PythonInterpreterConfig config = PythonInterpreterConfig.newBuilder()
                .setPythonExec(executable)
                .addPythonPaths(path)
                .setExcType(PythonInterpreterConfig.ExecType.MULTI_THREAD)
                .build();
        new PythonInterpreter(config).close();
    }
}
