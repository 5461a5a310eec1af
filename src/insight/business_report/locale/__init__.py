"""Catalogues of the report's texts and names: one TOML file for each language."""
