"""Profiles of the columns of a source: types, values, how many, and how texts are to be read."""

from dataclasses import dataclass, field
from functools import cached_property

import duckdb

from features.ingest.casts import is_number
from features.ingest.sql import quote_identifier, quote_literal
from features.proposal.number_formats import NO_VALUE, NumberForm, number_form
from features.proposal.time_formats import TimeForm, number_time_form, text_time_form
from features.proposal.vocabulary import Reading, read_name

#: Values that are looked at for the form of texts, and distinct values that are listed.
FORM_VALUES, LISTED = 2_000, 60
#: Texts that are kept as examples.
EXAMPLES = 200
#: The rows from which distinct values are estimated.
ESTIMATE_FROM = 3_000_000


@dataclass(frozen=True)
class Column:
    """A column of a source: its values in short, and the form of its texts if they are times or numbers.

    `prose` is the share of values with several words or Chinese characters; `examples` are some texts.
    """

    name: str
    type: str
    rows: int
    filled: int
    distinct: int
    low: str | None
    high: str | None
    length: float
    prose: float = 0.0
    values: dict[str, int] = field(default_factory=dict)
    time: TimeForm | None = None
    number: NumberForm | None = None
    examples: tuple[str, ...] = ()

    @cached_property
    def means(self) -> Reading:
        """The concepts that the column's name mentions."""
        return read_name(self.name)

    @property
    def quoted(self) -> str:
        return quote_identifier(self.name)

    @property
    def is_time(self) -> bool:
        """Whether every value is a time, of a time type or written as one."""
        return self.type.startswith(("TIMESTAMP", "DATE")) or self.time is not None

    @property
    def is_number(self) -> bool:
        """Whether every value is a number and not a time."""
        return (is_number(self.type) or self.number is not None) and not self.is_time

    @property
    def is_flag(self) -> bool:
        return self.type == "BOOLEAN"

    @property
    def is_whole(self) -> bool:
        """Whether every value is a whole number."""
        return "INT" in self.type

    @property
    def is_text(self) -> bool:
        return self.type == "VARCHAR" and not self.is_time and self.number is None

    @property
    def is_free_text(self) -> bool:
        """Whether values are sentences: long, of several words or Chinese, and mostly different."""
        long = self.length > 18 or (self.length > 8 and (self.low or "") > "\u2e80")
        return (
            self.is_text
            and self.prose > 0.5
            and long
            and self.distinct > max(20, 0.2 * self.filled)
        )

    @property
    def is_unique(self) -> bool:
        return self.filled == self.rows > 0 and self.distinct >= self.rows

    @property
    def has_zone(self) -> bool:
        return "TIME ZONE" in self.type or bool(self.time and self.time.has_zone)

    @property
    def has_clock(self) -> bool:
        """Whether times have a time of day."""
        if self.time is not None:
            return "H" in self.time.name or "I" in self.time.name or "since" in self.time.name
        return self.type.startswith("TIMESTAMP") and not (
            (self.low or "").endswith("00:00:00") and (self.high or "").endswith("00:00:00")
        )

    def sql(self, alias: str = "") -> str:
        """SQL of the column's values as times, numbers or texts."""
        name = f"{alias}.{self.quoted}" if alias else self.quoted
        form = self.time or self.number
        return form.sql.format(name) if form else name


def profile_columns(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, Column]:
    """Profile every column of a relation; lists and maps are left out."""
    described = [(str(r[0]), str(r[1])) for r in con.execute(f"describe {relation}").fetchall()]
    described = [(n, t) for n, t in described if not t.endswith("[]") and "(" not in t[:7]]
    rows = int(con.execute(f"select count(*) from {relation}").fetchall()[0][0])
    counted = "approx_count_distinct" if rows > ESTIMATE_FROM else "count(distinct "
    asked = []
    for name, kind in described:
        q = quote_identifier(name)
        distinct = f"{counted}({q})" if "approx" in counted else f"count(distinct {q})"
        asked.append(
            f"count({q}), {distinct}, min({q})::varchar, max({q})::varchar, avg(length({q}::varchar)), "
            f"avg(regexp_matches({q}::varchar, '\\S\\s+\\S|[\u4e00-\u9fff]')::int)"
            if kind == "VARCHAR"
            else f"count({q}), {distinct}, min({q})::varchar, max({q})::varchar, "
            f"avg(length({q}::varchar)), 0"
        )
    found = con.execute(f"select {', '.join(asked)} from {relation}").fetchall()[0]
    columns = {}
    for index, (name, kind) in enumerate(described):
        filled, distinct, low, high, length, prose = found[index * 6 : index * 6 + 6]
        sizes = float(length or 0.0), float(prose or 0.0)
        plain = Column(name, kind, rows, filled, distinct, low, high, *sizes)
        columns[name] = _with_values(con, relation, plain)
    return columns


def _with_values(con: duckdb.DuckDBPyConnection, relation: str, plain: Column) -> Column:
    """Add the listed values, and the form of texts and of numbers that count time."""
    kept = dict(vars(plain))
    if 0 < plain.distinct <= LISTED:
        kept["values"] = {
            str(value): int(count)
            for value, count in con.execute(
                f"select {plain.quoted}::varchar, count(*) from {relation} where {plain.quoted} is not "
                "null group by 1 order by 2 desc, 1"
            ).fetchall()
        }
    if plain.type == "VARCHAR" and plain.filled:
        values = _distinct_values(con, relation, plain)
        kept["examples"] = tuple(values[:EXAMPLES])
        kept["time"] = _time_of_texts(con, relation, plain, values)
        if kept["time"] is None:
            kept["number"] = _number_of_texts(con, relation, plain, values)
    elif _may_count_time(plain):
        kept["time"] = number_time_form(float(plain.low or 0), float(plain.high or 0))
    return Column(**kept)


def _may_count_time(column: Column) -> bool:
    """Whether a number may be a time: whole, or Excel's days, with a name that says so."""
    if not is_number(column.type) or column.type == "BOOLEAN" or not column.filled:
        return False
    means = column.means
    others = ("identifier", "amount", "quantity", "unit_price", "product")
    return means.share(
        "time", "due", "changed", "signup", "sent", "answered", "opened", "closed"
    ) > 0 and (means.share(*others) <= 0.3)


def _distinct_values(con: duckdb.DuckDBPyConnection, relation: str, column: Column) -> list[str]:
    rows = con.execute(
        f"select distinct {column.quoted} from {relation} where trim({column.quoted}) <> '' "
        f"limit {FORM_VALUES}"
    ).fetchall()
    return [str(row[0]) for row in rows]


def _time_of_texts(
    con: duckdb.DuckDBPyConnection, relation: str, column: Column, values: list[str]
) -> TimeForm | None:
    """The form of texts that are times; words for no value become null."""
    missing = [v for v in values if v.strip().lower() in NO_VALUE]
    times = [v for v in values if v not in missing]

    def parses(formats: list[str]) -> list[int]:
        asked = ", ".join(f"count(try_strptime(trim(v), {quote_literal(f)}))" for f in formats)
        listed = con.execute(f"select {asked} from (select unnest(?::varchar[]) as v)", [times])
        return [int(n) for n in listed.fetchall()[0]]

    form = text_time_form(times, parses)
    if form is None:
        return None
    form = _confirmed(con, relation, column, form, missing)
    return form


def _confirmed(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    column: Column,
    form: TimeForm,
    missing: list[str],
) -> TimeForm | None:
    """The form with its words for no value, if it reads all rows; its twin only if that does too."""
    listed = ", ".join(quote_literal(v.strip()) for v in [*missing, ""])

    def reads_all(candidate: TimeForm) -> bool:
        asked = f"trim({column.quoted}) not in ({listed})"
        left = con.execute(
            f"select count(*) from {relation} where {asked} and "
            f"try_strptime(trim({column.quoted}), {quote_literal(candidate.name)}) is null"
        ).fetchall()
        return not left[0][0]

    def trimmed(candidate: TimeForm) -> TimeForm:
        text = f"case when trim({{0}}::varchar) not in ({listed}) then trim({{0}}::varchar) end"
        text = text if missing else "trim({0}::varchar)"
        sql = candidate.sql.replace("{0}", text)
        return TimeForm(candidate.name, sql, candidate.has_zone)

    twin = form.twin if form.twin and reads_all(form.twin) else None
    if not reads_all(form):
        return trimmed(twin) if twin else None
    chosen = trimmed(form)
    return TimeForm(chosen.name, chosen.sql, chosen.has_zone, trimmed(twin) if twin else None)


def _number_of_texts(
    con: duckdb.DuckDBPyConnection, relation: str, column: Column, values: list[str]
) -> NumberForm | None:
    """The form of texts that are numbers, checked on all distinct values."""
    first = number_form(values)
    if first is None or column.distinct <= FORM_VALUES:
        return first
    rows = con.execute(f"select distinct {column.quoted} from {relation}").fetchall()
    return number_form([str(row[0]) for row in rows if row[0] is not None and str(row[0]).strip()])
