"""Plots of a model and its baseline rule."""
