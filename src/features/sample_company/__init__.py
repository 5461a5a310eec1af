"""The sample company: a simulated wholesaler whose truth is known."""
