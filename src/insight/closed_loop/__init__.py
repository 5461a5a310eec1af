"""The closed loop: targets, what was done, what it did, whom to treat next."""
