"""Measurements: speed as ratios in one run, accuracy against the truth. Run with `make bench`."""
