"""Writes `docs/reference` from the code: `make docs` runs it, a test fails when its pages are out of date."""
