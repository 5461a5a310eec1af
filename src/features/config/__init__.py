"""A company's TOML file."""
