"""Metrics, bootstrap intervals, grades, calibration error, interval coverage."""
