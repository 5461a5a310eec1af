"""The page about the quality of the tables."""
