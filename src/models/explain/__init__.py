"""Explain scores: reasons per customer, changes between two dates, and what-ifs."""
