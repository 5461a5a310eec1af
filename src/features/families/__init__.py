"""The features themselves, one file a subject."""
