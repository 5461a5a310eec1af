"""Scores over HTTP, and the `goodwill` command."""
