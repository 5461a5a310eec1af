"""Numbers, shares, money and dates as readers of English and of Chinese write them.

Words and orders that differ by language (months, millions, 万) come from CLDR through Babel. Digits are
grouped here: both languages write 1,234.5, a test compares them with Babel, and Babel takes thirty times
as long, which the reasons of all customers cannot afford.
"""

import math
import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from babel import Locale

Language = Literal["en", "zh"]

#: Stands for a value that is not known.
MISSING = "–"
MINUS = "\N{MINUS SIGN}"
#: From this size on an amount is written in a larger unit.
LARGE = {"en": 1e6, "zh": 1e4}
_LOCALES = {"en": "en_GB", "zh": "zh_Hans_CN"}
_WITHOUT_YEAR = {
    "en": {"month": "MMMM", "quarter": "QQQ"},
    "zh": {"month": "M月", "quarter": "第Q季度"},
}
_UNIT = re.compile(r"\D+$")
#: Names of numbers that label something. A time since something is a measure.
_LABEL = re.compile(
    r"(^|_)(year|founded|established|zip|zip_code|postcode|postal_code|plz|id|code)(_prefix)?$"
    r"|(^|_)year_of_|(?<!days)(?<!months)(?<!years)_since$|年份|邮编|编号"
)


@dataclass(frozen=True)
class NumberFormat:
    """Formats for one language. None, NaN and infinity are written as a dash."""

    language: Language

    def count(self, value: float | None) -> str:
        """A whole number: 5,000."""
        return self.decimal(value, 0)

    def decimal(self, value: float | None, places: int = 1) -> str:
        """A number with a fixed number of decimals: 1,234.5."""
        return MISSING if _unknown(value) else _minus(f"{value:,.{places}f}")

    def signed(self, value: float | None, places: int = 1) -> str:
        """A number with its sign: +5.5, −12.0."""
        return MISSING if _unknown(value) else _minus(f"{value:+,.{places}f}")

    def percent(self, share: float | None, places: int = 1) -> str:
        """A share of 1: 37.7%, 100%, < 0.1%, > 99.9%."""
        if share is None or _unknown(share):
            return MISSING
        last = 10.0 ** -max(places, 1)  # a share that is not 0 or 1 is not written as one of them
        if 0 < 100 * share < last / 2:
            return f"< {last:.{max(places, 1)}f}%"
        if last / 2 > 100 * (1 - share) > 0:
            return f"> {100 - last:.{max(places, 1)}f}%"
        return _minus(f"{100 * share:.{0 if share in (0, 1) else places}f}%")

    def amount(self, value: float | None) -> str:
        """An amount without its currency: 12,345; 7.9 million; 790万."""
        if value is None or _unknown(value):
            return MISSING
        if abs(value) < LARGE[self.language]:
            return self.count(value)
        from babel.numbers import format_compact_decimal

        kind: Literal["long", "short"] = "long" if self.language == "en" else "short"
        text = format_compact_decimal(
            value, format_type=kind, locale=self.locale, fraction_digits=1
        )
        return _minus(text)

    def money(self, value: float | None, currency: str) -> str:
        """An amount with its currency: EUR 7.9 million, 790万欧元."""
        text = self.amount(value)
        if text == MISSING:
            return text
        if self.language == "en":
            return f"{currency} {text}"
        return f"{text}{self.currency(currency)}"

    def currency(self, code: str) -> str:
        """What a currency is called in a heading: its code in English, its name in Chinese."""
        if self.language == "en":
            return code
        from babel.numbers import get_currency_name

        return get_currency_name(code, locale=self.locale)

    def interval(self, low: str, high: str) -> str:
        """The two ends of an interval, already formatted; a unit they share is written once."""
        unit = _UNIT.search(high)
        if unit and low.endswith(unit.group()):
            low = low.removesuffix(unit.group())
        return f"{low} to {high}" if self.language == "en" else f"{low} 至 {high}"

    def day(self, moment: date | datetime) -> str:
        """A day: 2 April 2026, 2026年4月2日."""
        from babel.dates import format_date

        return format_date(moment, "long", locale=self.locale)

    def period(self, start: date, length: str) -> str:
        """The month, quarter or year that begins on a day: April 2026, Q2 2026, 2026."""
        from babel.dates import format_date, format_skeleton

        if length == "year":
            return format_date(start, "y" if self.language == "en" else "y年", self.locale)
        skeleton = "yQQQ" if length == "quarter" else "yMMMM"
        return format_skeleton(skeleton, start, locale=self.locale)

    def period_before(self, start: date, length: str) -> str:
        """The period before the one that begins on `start`, without the year if it is the same."""
        from babel.dates import format_date

        months = {"month": 1, "quarter": 3, "year": 12}[length]
        years, month = divmod(start.month - 1 - months, 12)
        before = date(start.year + years, month + 1, 1)
        if before.year != start.year:
            return self.period(before, length)
        return format_date(before, _WITHOUT_YEAR[self.language][length], locale=self.locale)

    def short_period(self, start: date, length: str) -> str:
        """A period in few characters, for axes and rows: 2026-04, 2026 Q2, 2026."""
        if length == "year":
            return f"{start.year}"
        if length == "quarter":
            return f"{start.year} Q{(start.month + 2) // 3}"
        return f"{start.year}-{start.month:02d}"

    @cached_property
    def locale(self) -> "Locale":
        """The CLDR locale of the language."""
        from babel import Locale

        return Locale.parse(_LOCALES[self.language])


ENGLISH = NumberFormat("en")


def listed(words: list[str]) -> str:
    """Words as an English sentence lists them: a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def short_number(value: float) -> str:
    """A number with two or three significant digits, as reasons write it: 1,234; 56; 3.4; 0.25."""
    size = abs(value)
    digits = 0 if size >= 9.95 else 1 if size >= 0.995 else 2
    text = f"{value:,.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def is_label(name: str) -> bool:
    """Whether the numbers under a name label something (a year, a code, an id) instead of measuring it.

    They have no thousands separator: 2022, not 2,022.
    """
    return _LABEL.search(name) is not None


def label_number(value: float) -> str:
    """A number that labels something, as it is: 2022, 80331; a median between two years is 2021.5."""
    return f"{value:.15g}"


def short_signed(value: float) -> str:
    """`short_number` with its sign; ±0 for what rounds to nothing."""
    text = short_number(value)
    return "±0" if text == "0" else text if value < 0 else f"+{text}"


def short_percent(share: float) -> str:
    """A share of 1 in whole percent, as reasons write it; a small share is not written as 0.

    The space before the sign is part of the sentences in reasons.parquet; pages remove it
    (`close_up_percent`).
    """
    return "< 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def close_up_percent(text: str) -> str:
    """A sentence with its percent signs directly after the numbers: 5 % becomes 5%."""
    return re.sub(r"(?<=\d) %", "%", text)


def _unknown(value: float | None) -> bool:
    return value is None or not math.isfinite(value)


def _minus(text: str) -> str:
    return text.replace("-", MINUS)
