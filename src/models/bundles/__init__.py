"""A trained model as plain files, and its registry."""
