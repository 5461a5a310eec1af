"""Satisfaction as it is measured: scales, measures, drivers, segments, trend."""
