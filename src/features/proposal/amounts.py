"""The amount and the quantity of a row: which column, or price times quantity."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

from features.proposal.column_profile import Column
from features.proposal.evidence import Evidence
from features.proposal.guess import Confidence, Question
from features.proposal.load_sources import Source

#: What is a number, but not what the customer pays for goods.
_OTHERS = ("deduction", "charges", "leak", "score", "weight", "identifier", "severity", "line")


@dataclass(frozen=True)
class Amount:
    """SQL of an amount per row, with its columns and how sure it is."""

    sql: Callable[[str], str]
    confidence: Confidence
    why: str
    columns: tuple[Column, ...]


def find_amount(evidence: Evidence, source: Source, refunds: bool = False) -> Amount | None:
    """The amount of a source's rows; of a source of returns, the refund."""
    amounts = _candidates(source, ("refund", "amount") if refunds else ("amount",))
    quantity, prices = find_quantity(source), _candidates(source, ("unit_price",))
    price = prices[0] if prices else None
    if amounts:
        best = amounts[0]
        rivals = [c.name for c in amounts[1:] if _rank(c, refunds)[:2] == _rank(best, refunds)[:2]]
        why = f"{best.name}" + (f"; could also be {', '.join(rivals[:3])}" if rivals else "")
        confidence: Confidence = "likely" if rivals else "sure"
        return _decimal(evidence, source, best, Amount(best.sql, confidence, why, (best,)))
    if price is None:
        return None
    if quantity is None:
        return Amount(price.sql, "likely", f"{price.name}, one piece a row", (price,))
    per_piece, confidence, why = _price_is_of_a_piece(evidence, source, price, quantity)
    if not per_piece:
        return Amount(price.sql, confidence, f"{price.name} {why}", (price,))

    def product(alias: str) -> str:
        return f"{quantity.sql(alias)} * {price.sql(alias)}"

    return Amount(product, confidence, f"{quantity.name} x {price.name}: {why}", (price, quantity))


def find_quantity(source: Source) -> Column | None:
    """The number of pieces of a row."""
    found = [
        c
        for c in source.columns.values()
        if c.is_number and c.means.share("quantity") >= 0.3
        and not {"leak", "identifier", "person", "deduction"} & set(c.means.shares)
    ]  # fmt: skip
    return max(found, key=lambda c: (c.means.share("quantity"), c.filled), default=None)


def find_charges(source: Source) -> Column | None:
    """What the delivery cost the customer."""
    found = [c for c in source.columns.values() if c.is_number and c.means.share("charges") >= 0.3]
    return found[0] if found else None


def _candidates(source: Source, concepts: tuple[str, ...]) -> list[Column]:
    refunds = "refund" in concepts
    found = [
        c
        for c in source.columns.values()
        if c.is_number
        and not c.is_flag
        and c.means.share(*concepts) >= 0.3
        and not any(o in c.means and c.means.share(o) >= c.means.share(*concepts) for o in _OTHERS)
        and c.means.share("quantity") < c.means.share(*concepts)
        and ("unit_price" in concepts or c.means.share("unit_price") <= c.means.share("amount"))
    ]
    return sorted(found, key=lambda c: _rank(c, refunds), reverse=True)


def _rank(column: Column, refunds: bool) -> tuple[float, float, int]:
    """Refunds first among returns, then net amounts, then by how much of the name says amount."""
    means = column.means
    special = means.share("refund") if refunds else float("net" in means) - float("refund" in means)
    return special, round(means.share("amount", "unit_price", "refund"), 2), column.filled


def _price_is_of_a_piece(
    evidence: Evidence, source: Source, price: Column, quantity: Column
) -> tuple[bool, Confidence, str]:
    """Whether a price is that of a piece: then it does not grow with the quantity of a product."""
    slope = _growth_with_quantity(evidence, source, price, quantity)
    if slope is not None and slope < 0.3:
        return True, "sure", "the price of a product does not grow with the quantity"
    if slope is not None and slope > 0.7:
        return False, "likely", "grows with the quantity: it is that of the whole line"
    if price.means.share("unit_price") >= 0.99 and price.name.lower() not in {"price", "preis"}:
        return True, "likely", "called the price of a piece"
    answer = evidence.book.ask(
        Question(
            f"{source.title}.{price.name}",
            f"is {price.name} in {source.title} the price of one piece or of the whole line?",
            {"piece": "of one piece: multiply by the quantity", "line": "of the whole line"},
            "piece",
        )
    )
    return (
        answer == "piece",
        "unsure",
        f"price of {'one piece' if answer == 'piece' else 'the whole line'}",
    )


def _growth_with_quantity(
    evidence: Evidence, source: Source, price: Column, quantity: Column
) -> float | None:
    """By which power of the quantity the price of the same product grows; None without products."""
    products = [
        c for c in source.columns.values() if c.means.share("product") >= 0.4 and not c.is_time
    ]
    if not products:
        return None
    product = min(products, key=lambda c: c.distinct if c.distinct > 1 else 1 << 60)
    p, q = price.sql(), quantity.sql()
    slope = evidence.number(
        f"with rows as (select {product.quoted} as product, ln({p}) as price, ln({q}) as pieces "
        f"from {source.quoted} where {p} > 0 and {q} > 0), centred as (select "
        "price - avg(price) over (partition by product) as price, "
        "pieces - avg(pieces) over (partition by product) as pieces from rows) "
        "select regr_slope(price, pieces) from centred"
    )
    return slope if slope is None or isfinite(slope) else None


def _decimal(evidence: Evidence, source: Source, column: Column, amount: Amount) -> Amount:
    """The amount with its separator decided, where that may be one of thousands or of decimals."""
    form = column.number
    if form is None or not form.unclear:
        return amount
    other = "decimal point" if form.name == "decimal comma" else "decimal comma"
    example = next(iter(column.values), column.low)
    semicolons = source.form.delimiter == ";"
    safer = "decimal comma" if semicolons else "decimal point"
    answer = evidence.book.ask(
        Question(
            f"{source.title}.{column.name}",
            f"{column.name} in {source.title} has values such as {example}: how are they written?",
            {
                "decimal comma": "1,234 is one and a bit",
                "decimal point": "1,234 is a thousand and more",
            },
            safer,
        )
    )
    sql = form.sql if answer == form.name else form.other

    def read(alias: str) -> str:
        return sql.format(f"{alias}.{column.quoted}" if alias else column.quoted)

    return Amount(
        read, "unsure", f"{amount.why}; read with {answer}, could be {other}", amount.columns
    )
