"""Work split by customers: partitions, checkpoints, Spark."""
