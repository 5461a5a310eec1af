"""The compiled pass that computes features."""
