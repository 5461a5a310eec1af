"""What the English and the Chinese sentences share: which units are counted, and what counts as a rise."""

import math

#: Units whose numbers are counted one by one.
COUNTS = {
    "orders", "returns", "payments", "visits", "logins", "contracts", "renewals", "questions",
    "answers", "comments", "tickets", "complaints", "changes", "categories", "channels", "units",
}  # fmt: skip


def rises(before: float, value: float, form: str) -> bool:
    """Whether a value is above the one before; a returned amount is a negative share of orders."""
    return value < before if form == "negative share" else value > before


def counted(value: float) -> int:
    """A count rounded to a whole number of at least 0."""
    return max(0, math.floor(value + 0.5))
