"""The leakage check: finds leaks in training data before a model is trained."""
