"""The quality report: rules on what every store holds, judged by Great Expectations."""
