"""Numbers, money and dates as readers of a language write them."""

import math
import re
from dataclasses import dataclass
from datetime import date, datetime

from insight.business_report.translations import Words
from insight.formatting.numbers import MISSING
from insight.formatting.numbers import day as english_day

_UNIT = re.compile(r"\D+$")

#: Above which a number is said in a larger unit, the unit's word.
LARGE = {
    "en": ((1e9, "billion"), (1e6, "million")),
    "zh": ((1e8, "亿"), (1e4, "万")),
}


@dataclass(frozen=True)
class Numerals:
    """How numbers are written; what is not known is a dash."""

    words: Words
    currency: str

    def count(self, value: float | None) -> str:
        """A number of things: 5,000."""
        return MISSING if _unknown(value) else _minus(f"{value:,.0f}")

    def decimal(self, value: float | None, places: int = 1) -> str:
        """A plain number with a fixed number of decimals."""
        return MISSING if _unknown(value) else _minus(f"{value:,.{places}f}")

    def signed(self, value: float | None, places: int = 1) -> str:
        """A number whose sign matters."""
        return MISSING if _unknown(value) else _minus(f"{value:+,.{places}f}")

    def share(self, value: float | None, places: int = 1) -> str:
        """A share as per cent."""
        if value is None or _unknown(value):
            return MISSING
        space = "" if self.words.language == "zh" else " "
        if 0 < value < 0.0005:
            return f"< 0.1{space}%"
        places = 0 if value in (0, 1) else places
        return _minus(f"{100 * value:.{places}f}{space}%")

    def money(self, value: float | None) -> str:
        """An amount with its currency."""
        if value is None or _unknown(value):
            return MISSING
        text = self.large(value)
        if self.words.language == "zh":
            return f"{text}{self.words.named('currency', self.currency)}"
        return f"{self.currency} {text}"

    def large(self, value: float) -> str:
        """An amount without its currency, in a larger unit where that is shorter."""
        for size, unit in LARGE[self.words.language]:
            if abs(value) >= size:
                return _minus(f"{value / size:,.1f} {unit}")
        return _minus(f"{value:,.0f}")

    def between(self, low: str, high: str) -> str:
        """The ends of an interval; a unit both have is said once."""
        unit = _UNIT.search(high)
        if unit and low.endswith(unit.group()):
            low = low.removesuffix(unit.group())
        return self.words("between", low=low, high=high)

    def day(self, moment: date | datetime) -> str:
        """A day without a clock."""
        if self.words.language == "zh":
            return f"{moment.year}年{moment.month}月{moment.day}日"
        return english_day(moment)

    def period(self, start: date, length: str) -> str:
        """A period that begins on a day: March 2026, quarter 1 of 2026, 2026."""
        if length == "year":
            return self.words("year", year=start.year)
        if length == "quarter":
            return self.words("quarter", year=start.year, quarter=(start.month + 2) // 3)
        if self.words.language == "zh":
            return f"{start.year}年{start.month}月"
        return f"{start:%B %Y}"

    def short_period(self, start: date, length: str) -> str:
        """A period in few letters, for axes and rows."""
        if length == "year":
            return f"{start.year}"
        if length == "quarter":
            return f"{start.year} Q{(start.month + 2) // 3}"
        return f"{start.year}-{start.month:02d}"


def _unknown(value: float | None) -> bool:
    return value is None or not math.isfinite(value)


def _minus(text: str) -> str:
    return text.replace("-", "−")
