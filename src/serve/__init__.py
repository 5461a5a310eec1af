"""The HTTP service and the `goodwill` command."""
