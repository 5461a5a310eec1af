"""The `goodwill` command."""
