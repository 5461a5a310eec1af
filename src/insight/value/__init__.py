"""What a customer is worth: dimensions, their weights, ratings by people, and how sure all of it is."""
