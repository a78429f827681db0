"""Alerts in Dagster: the sensor that tells what is red."""
