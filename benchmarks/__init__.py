"""Measurements. Each is a program: `python -m benchmarks.<name> --help`; none is part of the tests."""
