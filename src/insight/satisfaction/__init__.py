"""Customer satisfaction: rating scales, metrics, drivers, clusters, trends."""
