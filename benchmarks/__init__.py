"""Measurements: speed as ratios in one run, accuracy beside the truth. Run with `make bench`."""
