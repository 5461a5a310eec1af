"""Checks of a trained model: holdout, slices, staleness."""
