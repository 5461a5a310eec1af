"""The feature language: expressions, filters, registry, levers."""
