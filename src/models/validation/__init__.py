"""Validation of trained models: holdout evaluation, metrics by customer group, staleness."""
