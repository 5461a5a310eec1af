"""Numbers as people read them: separators, few digits, a true minus."""

import math
from datetime import date, datetime

MISSING = "–"


def count(value: float) -> str:
    """A number of things: 5,000."""
    return _minus(f"{value:,.0f}")


def share(value: float) -> str:
    """A share as per cent in two to three digits: 37.7 %, 9.3 %, < 0.1 %."""
    if not math.isfinite(value):
        return MISSING
    if 0 < value < 0.001:
        return "< 0.1 %"
    percent = 100 * value
    return _minus(f"{percent:.0f} %" if percent in (0, 100) else f"{percent:.1f} %")


def money(value: float, currency: str) -> str:
    """An amount with its currency, in at least three digits: EUR 7.90 million, EUR 12,345."""
    if not math.isfinite(value):
        return MISSING
    for size, unit in ((1e9, "billion"), (1e6, "million")):
        if abs(value) >= size:
            return _minus(f"{currency} {value / size:,.2f} {unit}")
    return _minus(f"{currency} {value:,.{0 if abs(value) >= 10 else 2}f}")


def signed(value: float, places: int = 1) -> str:
    """A number whose sign matters: +5.5, −12.0."""
    return _minus(f"{value:+,.{places}f}") if math.isfinite(value) else MISSING


def decimal(value: float, places: int) -> str:
    """A plain number with a fixed number of decimals."""
    return _minus(f"{value:,.{places}f}") if math.isfinite(value) else MISSING


def day(moment: date | datetime) -> str:
    """A day without a clock: 2 April 2026."""
    return f"{moment.day} {moment:%B %Y}"


def listed(words: list[str]) -> str:
    """Words as a sentence lists them: a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _minus(text: str) -> str:
    return text.replace("-", "−")
