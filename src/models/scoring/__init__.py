"""Scores of every customer, with reasons and history."""
