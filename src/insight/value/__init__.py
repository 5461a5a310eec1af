"""Customer value: metrics, dimensions, weights, expert ratings and the value score."""
