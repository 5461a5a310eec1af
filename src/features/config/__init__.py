"""The configuration of a company: its TOML file."""
