"""Closed loop: targets, logged actions, their effects, and customers to treat next."""
