"""The leak court: whatever would tell a model the future is named before it can train."""
