"""Rules shared by the English and the Chinese sentences: counted units, rises, missing values."""

import math
from dataclasses import dataclass

from features.definitions.feature_registry import FeatureColumn
from features.formatting import is_label

#: Units whose numbers are counted one by one.
COUNTS = {
    "orders", "returns", "payments", "visits", "logins", "contracts", "renewals", "questions",
    "answers", "comments", "tickets", "complaints", "changes", "categories", "channels", "units",
}  # fmt: skip
#: Aggregates that need more than one row.
MULTI_ROW = frozenset({"std", "slope", "gap_mean", "gap_std"})


@dataclass(frozen=True)
class MissingRows:
    """The rows that are missing: their kind, within how many days (None: ever), one or several."""

    kind: str
    window: int | None
    several: bool


def missing_rows(column: FeatureColumn) -> MissingRows | None:
    """Which rows a column without a value lacks; None for a value that the CRM does not know."""
    leaves = list(column.expression.leaves())
    if not leaves or leaves[-1].view.table == "customers":
        return None
    leaf = leaves[-1]  # of a ratio, the denominator
    kind = leaf.view.table
    if kind == "surveys":
        kind = "answer" if leaf.view.clock == "answered_at" else "question"
        if leaf.column in {"sentiment", "tone"}:
            kind = "comment"
    elif kinds := leaf.view.wanted("kind"):
        kind = kinds[0]
    return MissingRows(kind, leaf.view.window, any(one.operation in MULTI_ROW for one in leaves))


def value_form(column: FeatureColumn) -> str:
    """The format of a column's values: `label` for an attribute such as a year or a postal code."""
    form = column.phrases.form
    return "label" if form == "attribute" and is_label(column.name) else form


def rises(before: float, value: float, form: str) -> bool:
    """Whether a value is above the one before; a returned amount is a negative share of orders."""
    return value < before if form == "negative share" else value > before


def counted(value: float) -> int:
    """A count rounded to a whole number of at least 0."""
    return max(0, math.floor(value + 0.5))
