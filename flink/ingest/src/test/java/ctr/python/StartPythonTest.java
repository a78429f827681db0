package ctr.python;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import pemja.core.PythonInterpreter;
import pemja.core.PythonInterpreterConfig;

/** The only test that starts Python: a process starts it once. */
final class StartPythonTest {

    private static final String EXECUTABLE = System.getProperty("ctr.python.executable");
    private static final String PATH = System.getProperty("ctr.python.path");

    @Test
    void aTaskCancelledWhilePythonStartsDoesNotTakeItFromAllOthers() {
        Thread.currentThread().interrupt();
        StartPython.now(EXECUTABLE, PATH);
        assertTrue(Thread.interrupted(), "the task still learns of it");
        PythonInterpreterConfig config = PythonInterpreterConfig.newBuilder()
                .setPythonExec(EXECUTABLE)
                .addPythonPaths(PATH)
                .setExcType(PythonInterpreterConfig.ExecType.MULTI_THREAD)
                .build();
        try (PythonInterpreter python = new PythonInterpreter(config)) {
            python.exec("answer = 6 * 7");
            assertEquals(42L, python.get("answer"));
        }
    }
}
