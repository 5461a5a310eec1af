"""Evaluation of a company: indicators, customer status, segments, migration, targets."""
