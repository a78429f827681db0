package ctr.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Some schedules of {@link Simulation}; the drill has many more. */
class SimulationTest {

    private static final int SCHEDULES = 3_000;
    private static final int SCHEDULES_IN_HARNESS = 20;

    @Test
    void whateverHappensEveryRecordIsAccountedForOnce() throws Exception {
        IngestSettings rules = Simulation.rules();
        for (long seed = 0; seed < SCHEDULES; seed++) {
            assertEquals(List.of(), Simulation.run(seed, rules), "seed " + seed);
        }
    }

    @Test
    void theSameHoldsOfTheOperatorAroundIt() throws Exception {
        IngestSettings rules = Simulation.rules();
        for (long seed = 0; seed < SCHEDULES_IN_HARNESS; seed++) {
            assertEquals(List.of(), Simulation.runInHarness(seed, rules), "seed " + seed);
        }
    }
}
