"""What people read: reports of what is known and predicted."""
