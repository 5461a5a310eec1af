"""Numbers as people write them, the same in every language."""

import math

#: Units whose numbers are counted one by one.
COUNTS = {
    "orders", "returns", "payments", "visits", "logins", "contracts", "renewals", "questions",
    "answers", "comments", "tickets", "complaints", "changes", "categories", "channels", "units",
}  # fmt: skip


def number(value: float) -> str:
    """A number with two or three digits that matter: 1,234; 56; 3.4; 0.25."""
    size = abs(value)
    digits = 0 if size >= 9.95 else 1 if size >= 0.995 else 2
    text = f"{value:,.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def signed(value: float) -> str:
    """A number with its sign; ±0 for what is too small to show."""
    text = number(value)
    return "±0" if text == "0" else text if value < 0 else f"+{text}"


def percent(share: float) -> str:
    """A share of 1 as a percentage; what is rare is not called 0 %."""
    return "< 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def rises(before: float, value: float, form: str) -> bool:
    """Whether a value is above the one before; returned money is a negative share of ordered money."""
    return value < before if form == "negative share" else value > before


def counted(value: float) -> int:
    """A count; below zero there is nothing to count."""
    return max(0, math.floor(value + 0.5))
