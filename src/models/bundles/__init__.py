"""Trained models as plain files, champions, and the MLflow registry."""
