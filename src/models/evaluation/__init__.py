"""Metrics, intervals, grades, calibration error."""
