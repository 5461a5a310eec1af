"""The report people read: figures against targets, whom to call, why, and how far to trust it."""
