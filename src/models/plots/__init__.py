"""Pictures of how well a model does."""
