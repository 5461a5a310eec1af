"""The form of times that are written as texts or numbers, as SQL that reads them."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from features.ingest.sql import quote_literal

_DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y",
    "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y",
    "%d %B %Y", "%B %d, %Y", "%d-%b-%y",
)  # fmt: skip
_CLOCKS = (
    "", " %H:%M:%S", " %H:%M", " %H:%M:%S.%f", " %I:%M:%S %p", " %I:%M %p", ", %H:%M", ", %H:%M:%S",
    "T%H:%M:%S", "T%H:%M:%S.%f", "T%H:%M", " %H点%M分", " %H时%M分%S秒",
)  # fmt: skip
_ZONES = ("", "%z", " %z", " %Z", "Z")
#: Day and month in both orders: the same text may be read as either.
_TWINS = {"%d/%m": "%m/%d", "%d-%m-": "%m-%d-", "%m/%d": "%d/%m", "%m-%d-": "%d-%m-"}
#: The plausible numbers of each way to count time, and the SQL that reads them.
_NUMBERS: dict[str, tuple[float, float, str]] = {
    "yyyymmdd": (19_500_101, 21_001_231, "strptime({0}::bigint::varchar, '%Y%m%d')"),
    "yyyymmddhhmmss": (19500101e6, 21001231e6, "strptime({0}::bigint::varchar, '%Y%m%d%H%M%S')"),
    "seconds since 1970": (3e8, 4.2e9, "to_timestamp({0})"),
    "milliseconds since 1970": (3e11, 4.2e12, "to_timestamp({0} / 1000)"),
    "microseconds since 1970": (3e14, 4.2e15, "to_timestamp({0} / 1000000)"),
    "Excel's days": (14_000, 65_000, "(timestamp '1899-12-30' + to_seconds(round({0} * 86400.0)))"),
}


@dataclass(frozen=True)
class TimeForm:
    """A way to read a column as a time: its name, SQL with {0} for the column, and whether it has zones.

    `twin` reads the same texts with day and month exchanged, where nothing in them decides.
    """

    name: str
    sql: str
    has_zone: bool = False
    twin: "TimeForm | None" = None


def time_forms() -> list[str]:
    """All formats of `strptime` that are tried, the most specific date first."""
    return [d + c + z for d in _DATES for c in _CLOCKS for z in (_ZONES if c else ("",))]


def text_time_form(values: list[str], parses: Callable[[list[str]], list[int]]) -> TimeForm | None:
    """The form of texts that are all times; `parses` counts how many texts each format reads."""
    formats = _possible(values)
    if not formats:
        return None
    counts = parses(formats)
    fitting = [f for f, n in zip(formats, counts, strict=True) if n == len(values)]
    if not fitting:
        return None
    chosen = fitting[0]
    form = _form(chosen)
    for first, second in _TWINS.items():
        other = chosen.replace(first, second, 1) if first in chosen else ""
        if other in fitting and other != chosen:
            return TimeForm(form.name, form.sql, form.has_zone, _form(other))
    return form


def _form(fmt: str) -> TimeForm:
    """A format of strptime; one with a zone is read as an instant."""
    zone = "%z" in fmt or "%Z" in fmt
    if fmt.endswith("Z") and not zone:
        return TimeForm(fmt, f"timezone('UTC', strptime({{0}}, {quote_literal(fmt)}))", True)
    return TimeForm(fmt, f"strptime({{0}}, {quote_literal(fmt)})", zone)


def _possible(values: list[str]) -> list[str]:
    """The formats whose fixed characters and length can fit the first values."""
    probes = [value.strip() for value in values[:20]]
    if not probes or not all(any(c.isdigit() for c in p) and 6 <= len(p) <= 45 for p in probes):
        return []
    has_century = all(re.search(r"\d{4}", p) for p in probes)
    absent = [c for c in "-/.:年点时," if not any(c in p for p in probes)]
    present = [c for c in "/.:年点时," if all(c in p for p in probes)]
    return [f for f in time_forms() if _may_fit(f, has_century, absent, present)]


def _may_fit(fmt: str, has_century: bool, absent: list[str], present: list[str]) -> bool:
    """Whether a format has the fixed characters that texts have; only four digits are a whole year."""
    if ("%Y" in fmt) != has_century or any(c in fmt for c in absent):
        return False
    in_zone = {"%z": ":", "%Z": "/"}
    return all(
        c in fmt or any(z in fmt and c == sign for z, sign in in_zone.items()) for c in present
    )


def number_time_form(low: float, high: float) -> TimeForm | None:
    """The way in which whole numbers between two bounds count time; None if they count none."""
    for name, (least, most, sql) in _NUMBERS.items():
        if least <= low and high <= most:
            return TimeForm(name, sql, "since 1970" in name)
    return None
