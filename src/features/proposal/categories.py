"""The category and the channel of an event: a column of its source, of its product, or a code."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from features.ingest.sql import quote_identifier
from features.proposal.column_profile import Column
from features.proposal.customer_paths import on_sql
from features.proposal.evidence import Evidence
from features.proposal.guess import Confidence
from features.proposal.joins import Join
from features.proposal.load_sources import Source

#: The most values of a category, and the rows that a value of a shortened code must have on average.
MOST_VALUES, ROWS_A_VALUE = 100, 100


@dataclass(frozen=True)
class Category:
    """SQL of a category per row; `join` leads to the source that has it, whose alias the SQL expects."""

    sql: Callable[[str], str]
    confidence: Confidence
    why: str
    join: Join | None = None


def find_category(evidence: Evidence, source: Source) -> Category | None:
    """The category of a source's rows: the coarsest of its own, else of its product."""
    own = _best(source, ("category", "reason"))
    if own:
        rivals = f"; could also be {', '.join(c.name for c in own[1:3])}" if own[1:] else ""
        return Category(
            partial(_text, own[0]), "likely" if rivals else "sure", own[0].name + rivals
        )
    for join in evidence.joins_from(source):
        if source.columns[join.column].means.share("product") < 0.4:
            continue
        product = evidence.sources[join.target]
        found = _best(product, ("category",))
        if found:
            why = f"{found[0].name} of {product.title}"
            why += f"; could also be {', '.join(c.name for c in found[1:3])}" if found[1:] else ""
            return Category(partial(_text, found[0]), "likely", why, join)
    return _code(evidence, source)


def find_channel(source: Source, payment: bool = False) -> Column | None:
    """The channel of a source's rows; of payments, the way they were paid."""
    found = [
        c
        for c in source.columns.values()
        if c.means.share("channel") >= 0.3
        and not c.is_time
        and not c.is_free_text
        and 1 < c.distinct <= 5_000
        and not {"person", "amount", "identifying"} & set(c.means.shares)
        and (c.is_text or c.is_whole)
    ]
    pays = [c for c in found if "payment" in c.name.lower() or "pay" in c.name.lower()]
    found = (pays or found) if payment else [c for c in found if c not in pays] or found
    return max(found, key=lambda c: (c.means.share("channel"), -c.distinct), default=None)


def shortened_code(evidence: Evidence, column: Column, rows: int) -> int | None:
    """How many first characters of a code have at least `ROWS_A_VALUE` rows each on average.

    None where none have, or nothing is gained.
    """
    source = next(s for s in evidence.sources.values() if s.columns.get(column.name) is column)
    best = None
    if column.prose > 0.1 or not any(c.isdigit() for c in f"{column.low}{column.high}"):
        return None
    for size in range(1, 9):
        groups = evidence.count(
            f"select count(distinct left({column.quoted}::varchar, {size})) from {source.quoted}"
        )
        if groups > rows / ROWS_A_VALUE or groups >= column.distinct:
            break
        if groups > 2:
            best = size
    return best


def join_sql(join: Join, alias: str, target: str) -> str:
    """SQL of an optional join to a list of codes."""
    return f"left join {quote_identifier(join.target)} {target} on {on_sql(join, alias, target)}"


def _best(source: Source, concepts: tuple[str, ...]) -> list[Column]:
    """Columns of few values that are called a category, the fewest values first."""
    found = [
        c
        for c in source.columns.values()
        if c.means.share(*concepts) >= 0.3
        and (c.is_text or (c.is_whole and c.distinct < 60))
        and not c.is_free_text
        and 1 < c.distinct <= MOST_VALUES
        and not {"person", "stable", "leak", "identifier"} & set(c.means.shares)
    ]
    return sorted(found, key=lambda c: (c.distinct < 5, c.distinct, c.name))


def _text(column: Column, alias: str) -> str:
    name = f"{alias}.{column.quoted}"
    return name if column.type == "VARCHAR" else f"{name}::varchar"


def _code(evidence: Evidence, source: Source) -> Category | None:
    """The product's own code or name, shortened where it has too many values."""
    products = [
        c
        for c in source.columns.values()
        if c.means.share("product") >= 0.4 and (c.is_text or c.is_whole) and c.distinct > 1
        and not {"line", "quantity", "unit_price"} & set(c.means.shares)
    ]  # fmt: skip
    if not products:
        return None
    column = min(products, key=lambda c: (c.distinct > MOST_VALUES, c.length, c.distinct))
    if column.distinct <= MOST_VALUES:
        return Category(partial(_text, column), "likely", column.name)
    size = shortened_code(evidence, column, source.rows // 20)
    if size is None or column.length > 16:
        return None
    return Category(
        lambda a: f"left({_text(column, a)}, {size})",
        "unsure",
        f"the first {size} characters of {column.name}: it has too many values; leave it out if they "
        "mean nothing",
    )
