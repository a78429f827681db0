package ctr.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Some schedules of {@link Simulation}; the drill has many more. */
class SimulationTest {

    private static final int SEEDS = 60;

    @Test
    void whateverHappensEveryRecordIsAccountedForOnce() throws Exception {
        for (long seed = 0; seed < SEEDS; seed++) {
            assertEquals(List.of(), Simulation.run(seed), "seed " + seed);
        }
    }
}
