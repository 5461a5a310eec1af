"""Targets, training, evaluation and tracking of the models."""
