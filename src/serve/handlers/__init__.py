"""The handlers of the HTTP operations: from a parsed request to an answer."""
