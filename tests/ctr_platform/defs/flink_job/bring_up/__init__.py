"""From a cold start to a job that is kept alive: all of it on one stack, which this package starts."""
