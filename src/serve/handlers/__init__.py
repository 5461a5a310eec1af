"""One handler an operation: from a parsed request to an answer."""
