"""A company's checked history in memory."""
