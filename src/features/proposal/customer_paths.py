"""The customer of each row: the column that identifies them, or the joins that lead to it."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from features.ingest.sql import quote_identifier
from features.proposal.column_profile import Column
from features.proposal.guess import GuessBook
from features.proposal.joins import Join, contained
from features.proposal.load_sources import Source

#: Words that a customer's key may have beside those of customer and identifier.
_NEUTRAL = {"unique", "master", "main", "global", "external", "crm", "ext", "the", "of", "hash"}
LONGEST = 3


@dataclass(frozen=True)
class CustomerPath:
    """The way from a source to its customers: joins in their order, then a column of the last source."""

    joins: tuple[Join, ...]
    column: Column

    def from_sql(self, source: Source, start: str = "t") -> str:
        """SQL of the source with its joins; the source is `t`, the joined ones `j1`, `j2`, ..."""
        sql, alias = f"{source.quoted} {start}", start
        for number, join in enumerate(self.joins, start=1):
            following = f"j{number}"
            sql += f" join {quote_identifier(join.target)} {following} on " + on_sql(
                join, alias, following
            )
            alias = following
        return sql

    def alias(self, start: str = "t") -> str:
        return f"j{len(self.joins)}" if self.joins else start

    def customer_sql(self, start: str = "t") -> str:
        """SQL of the customer's key as a text; whole numbers that came as decimals lose their ".0"."""
        name = f"{self.alias(start)}.{self.column.quoted}"
        if self.column.type in {"DOUBLE", "FLOAT"}:
            name += "::bigint"
        return name if self.column.type == "VARCHAR" else f"{name}::varchar"


def on_sql(join: Join, left: str, right: str) -> str:
    """The condition of a join; keys are compared as texts."""
    return (
        f"{left}.{quote_identifier(join.column)}::varchar = "
        f"{right}.{quote_identifier(join.key)}::varchar"
    )


def find_customer_paths(
    con: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    joins: Sequence[Join],
    book: GuessBook,
) -> dict[str, CustomerPath]:
    """Find the way to the customer for every source that has one."""
    by_name = {s.name: s for s in sources}
    people = _person_of_orders(con, sources, joins, book)
    paths: dict[str, CustomerPath] = {}
    for source in sources:
        column = _own_column(con, source, sources, joins)
        if column is None:
            continue
        if people and people.column == column.name and source.name != people.source:
            join = Join(source.name, column.name, people.source, people.column, 1.0)
            paths[source.name] = CustomerPath(
                (join,), by_name[people.source].columns[people.person]
            )
        elif people and source.name == people.source:
            paths[source.name] = CustomerPath((), source.columns[people.person])
        else:
            paths[source.name] = CustomerPath((), column)
    for _ in range(LONGEST - 1):
        for join in sorted(joins, key=lambda j: -j.share):
            if join.source not in paths and join.target in paths and _leads(join, by_name):
                rest = paths[join.target]
                paths[join.source] = CustomerPath((join, *rest.joins), rest.column)
    return paths


@dataclass(frozen=True)
class _Person:
    """A source in which `column` identifies one order only, and `person` who made it."""

    source: str
    column: str
    person: str


def _person_of_orders(
    con: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    joins: Sequence[Join],
    book: GuessBook,
) -> _Person | None:
    """Find a key called customer that is new with every order, beside a key of the person."""
    for source in sources:
        keys = [c for c in source.columns.values() if is_customer_key(c)]
        once = [c for c in keys if c.is_unique]
        people = [c for c in keys if not c.is_unique and c.distinct < source.rows]
        for column in once:
            used = [j for j in joins if j.target == source.name and j.key == column.name]
            single = any(
                s.name == j.source and s.columns[j.column].is_unique for j in used for s in sources
            )
            if single and people:
                person = min(people, key=lambda c: c.distinct)
                book.add(
                    "customer",
                    "likely",
                    f"{column.name} of {source.title} has one order each: the person is {person.name}",
                )
                return _Person(source.name, column.name, person.name)
    return None


def is_customer_key(column: Column) -> bool:
    """Whether a column is called like the key of a customer, and has values like one."""
    means = column.means
    if "person" not in means or column.is_time or column.is_free_text or column.is_flag:
        return False
    if not (column.is_text or column.is_whole or column.type == "DOUBLE") or column.distinct < 2:
        return False
    if any(w not in _NEUTRAL and not w.isdigit() for w in means.left):
        return False
    alone = means.share("person") >= 0.99
    others = {"stable", "identifying", "signup", "leak", "kind", "status", "category", "comment",
              "amount", "quantity", "severity", "weight"}  # fmt: skip
    if any(means.share(o) > 0 and means.share(o) != means.share("person") for o in others):
        return False
    return "identifier" in means or (alone and (column.length <= 24 or not column.is_text))


def _own_column(
    con: duckdb.DuckDBPyConnection, source: Source, sources: Sequence[Source], joins: Sequence[Join]
) -> Column | None:
    """The column of a source that identifies its customers; None without one."""
    keys = [c for c in source.columns.values() if is_customer_key(c)]
    if not keys and "customers" in source.means:
        keys = [
            c
            for c in source.columns.values()
            if c.means.share("identifier") > 0.9
            and (c.is_unique or c.distinct > 0.3 * source.rows)
            and not c.is_time
        ]
    targets = {j.column for j in joins if j.source == source.name}
    return max(
        keys,
        key=lambda c: (
            c.name in targets,
            c.means.share("person") + c.means.share("identifier"),
            c.filled,
            c.distinct,
        ),
        default=None,
    )


def _leads(join: Join, sources: dict[str, Source]) -> bool:
    """Whether a join leads from a row to its document or customer, and not to a product or place."""
    column = sources[join.source].columns[join.column]
    return column.means.share("product") < 0.5


def share_of_customers(
    con: duckdb.DuckDBPyConnection, source: Source, path: CustomerPath, master: Source, key: Column
) -> float:
    """The share of a source's customers that the customers table has."""
    if path.joins:
        return 1.0
    return contained(con, source, path.column, master, key)
