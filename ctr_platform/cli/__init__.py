"""The `ctr` command line."""
