"""The texts of the report in each language."""
