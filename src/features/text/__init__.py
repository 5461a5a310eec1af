"""Comments: language, sentiment, topics and predicted scores."""
