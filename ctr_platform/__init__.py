"""The control plane: settings, command line, embedded stack, traffic and the Dagster code location."""
