"""How sources are joined: columns whose values are contained in a key of another source."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from features.proposal.column_profile import Column
from features.proposal.load_sources import Source
from features.proposal.vocabulary import read_name, tokens

#: The share of a column's values that the key must contain, and the distinct values compared.
CONTAINED, COMPARED = 0.8, 20_000
#: Concepts that say what a key identifies.
ENTITIES = ("person", "document", "product", "campaign")


@dataclass(frozen=True)
class Join:
    """A join from a column of a source to the unique key of another; `share` of its values are there.

    Where names are the same, `share` may be that of the key's values that the column has.
    """

    source: str
    column: str
    target: str
    key: str
    share: float


def find_joins(con: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> list[Join]:
    """Find the joins between sources whose columns have names that go together."""
    found = []
    for target in sources:
        for key in target.columns.values():
            if not is_key(key):
                continue
            for source in sources:
                if source.name == target.name:
                    continue
                for column in source.columns.values():
                    if names_agree(column, key, target):
                        share = contained(con, source, column, target, key)
                        if share < CONTAINED and _stems(column.name) == _stems(key.name):
                            # An extract may hold only some of the documents that others refer to.
                            share = contained(con, target, key, source, column)
                        if share >= CONTAINED:
                            found.append(
                                Join(source.name, column.name, target.name, key.name, share)
                            )
    return found


def is_key(column: Column) -> bool:
    """Whether a column identifies the rows of its source."""
    return (
        column.is_unique
        and not column.is_time
        and not column.is_free_text
        and (column.is_text or column.is_whole)
    )


def names_agree(column: Column, key: Column, target: Source) -> bool:
    """Whether a column is called like a key, or like the table that the key identifies."""
    if column.is_time or column.is_free_text or not (column.is_text or column.type == key.type
                                                     or column.is_number):  # fmt: skip
        return False
    ours, theirs = _stems(column.name), _stems(key.name)
    if ours == theirs and ours != {"id"}:
        return True
    if not _stems(key.name, drop_identifier=True):  # the key is only called "id"
        return bool(_stems(column.name, drop_identifier=True)) and _stems(
            column.name, drop_identifier=True
        ) <= _stems(target.title)
    entities = [e for e in ENTITIES if e in column.means and e in key.means]
    return bool(entities) and "identifier" in column.means and "identifier" in key.means


def contained(
    con: duckdb.DuckDBPyConnection, source: Source, column: Column, target: Source, key: Column
) -> float:
    """The share of a column's distinct values that a key contains."""
    rows = con.execute(
        f"with ours as (select distinct {column.quoted}::varchar as v from {source.quoted} "
        f"where {column.quoted} is not null limit {COMPARED}) "
        f"select count(*), count(*) filter (v in (select {key.quoted}::varchar from {target.quoted})) "
        "from ours"
    ).fetchall()
    total, inside = rows[0]
    return inside / total if total else 0.0


def _stems(name: str, drop_identifier: bool = False) -> frozenset[str]:
    """The words of a name without plural endings, optionally without words such as id."""
    words = tokens(name)
    if drop_identifier:
        words = tuple(w for w in words if read_name(w).share("identifier") < 1)
    return frozenset(
        "id" if read_name(w).share("identifier") == 1 else w.rstrip("s") for w in words
    )
