"""How texts become times, and what numbers in a time column may be.

A text is a time only when all of it is one: a day with four digits of the year, a clock of 24 or 12
hours, and then nothing, an offset or a zone by its name. Anything else, such as an abbreviation that
several zones share, is unreadable rather than read without its last word.
"""

import re

import duckdb

from features.ingest.sql import quote_literal

_DAY = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?"
_NOON = r"\d{1,2}:\d{2}(?::\d{2})? ?[AaPp][Mm]"
#: An offset, or a zone by its name: Z, +02, +02:00, +0200, UTC, GMT, America/New_York.
_ZONE = r"[Zz]|[+-]\d{2}(?::?\d{2})?|UTC|GMT|[A-Z][A-Za-z_]+(?:/[A-Za-z_+-]+)+"
_NOON_FORMATS = [f"%Y-%m-%d %I:%M{seconds}{gap}%p" for seconds in ("", ":%S") for gap in ("", " ")]
#: Ranges of numbers that count something since a day, with the expression that reads them.
_COUNTED = (
    (20_000, 80_000, "days since 1900, as Excel counts them",
     "timestamp '1899-12-30' + to_microseconds(round({0} * 86400e6)::bigint)"),
    (19_000_101, 22_000_101, "days written as yyyymmdd", "strptime(({0})::bigint::varchar, '%Y%m%d')"),
    (1e8, 7.3e9, "seconds since 1970", "to_timestamp({0})"),
    (1e11, 7.3e12, "milliseconds since 1970", "to_timestamp({0} / 1e3)"),
    (1e14, 7.3e15, "microseconds since 1970", "to_timestamp({0} / 1e6)"),
    (1e17, 7.3e18, "nanoseconds since 1970", "to_timestamp({0} / 1e9)"),
)  # fmt: skip


def time_sql(text: str, zone: str) -> str:
    """SQL of the instant that a text names; null for a text that is no time.

    `text` is an SQL expression; `zone` is the time zone of texts that name none.
    """
    t, local = f"trim({text})", quote_literal(zone)
    day = f"replace({t}, '/', '-')"
    plain = f"try_cast(replace({day}, ',', '.') as timestamp)"
    noon = f"try_strptime(upper({day}), {_NOON_FORMATS!r})"
    split = f"'^({_DAY}[ Tt]{_CLOCK}) ?({_ZONE})$'"
    moment = f"replace(replace(regexp_extract({t}, {split}, 1), '/', '-'), ',', '.')"
    named = zone_sql(text)
    gap = f"case when {named} similar to '[A-Z].+' then ' ' else '' end"
    return (
        f"case when regexp_full_match({t}, '{_DAY}([ Tt]{_CLOCK})?') then timezone({local}, {plain}) "
        f"when regexp_full_match({t}, '{_DAY} {_NOON}') then timezone({local}, {noon}) "
        f"when {named} <> '' then try_cast({moment} || {gap} || {named} as timestamptz) end"
    )


def zone_sql(text: str) -> str:
    """SQL of the offset or zone at the end of a time, an empty text where it names none."""
    return f"regexp_extract(trim({text}), '^{_DAY}[ Tt]{_CLOCK} ?({_ZONE})$', 1)"


def describe_counted_times(con: duckdb.DuckDBPyConnection, relation: str, sql: str) -> str:
    """What the numbers of an expression may count, and the expression that makes times of them."""
    found = con.execute(
        f"select quantile_disc(x, [0.05, 0.95]) from (select ({sql})::double as x from {relation}) "
        "where isfinite(x)"
    ).fetchall()[0][0]
    if not found:
        return "it has no values"
    column = sql.strip() if re.fullmatch(r'\s*("[^"]+"|\w+)\s*', sql) else f"({sql})"
    for low, high, what, expression in _COUNTED:
        if low <= found[0] and found[1] <= high:
            shown = f"{found[0]:.0f} to {found[1]:.0f}"
            return f"{shown} may be {what}: then write {expression.format(column)}"
    return (
        f"numbers from {found[0]:g} to {found[1]:g} are no count of days, seconds, milliseconds, "
        "microseconds or nanoseconds that is known here; convert them in the expression"
    )
