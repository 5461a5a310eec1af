"""The sample company: a simulated wholesaler with known ground truth."""
