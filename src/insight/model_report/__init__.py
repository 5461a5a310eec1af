"""The page about the models."""
