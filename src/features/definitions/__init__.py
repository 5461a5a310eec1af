"""The feature language: expressions, filters, the feature registry, levers."""
