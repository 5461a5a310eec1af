"""What comments say: language, sentiment, topics."""
