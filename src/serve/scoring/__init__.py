"""Loads models, snapshot and evaluation, and scores with them."""
