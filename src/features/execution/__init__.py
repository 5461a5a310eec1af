"""Work split over customers: partitions, checkpoints, Spark."""
