"""The chain that a schedule runs, and one target's part in it."""
