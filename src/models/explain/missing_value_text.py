"""Why a feature has no value: what the customer has none, or too few, of."""

from dataclasses import dataclass

from features.definitions.feature_registry import FeatureColumn

#: Aggregates that need more than one row.
SEVERAL = frozenset({"std", "slope", "gap_mean", "gap_std"})


@dataclass(frozen=True)
class Absence:
    """Rows that are not there: what they are, within how many days (None = ever), one or several."""

    what: str
    window: int | None
    several: bool


def absence(column: FeatureColumn) -> Absence | None:
    """What a missing value of a column means; None for what the CRM does not say."""
    leaves = list(column.expression.leaves())
    if not leaves or leaves[-1].view.table == "customers":
        return None
    leaf = leaves[-1]  # of a ratio what it is divided by
    what = leaf.view.table
    if what == "surveys":
        what = "answer" if leaf.view.clock == "answered_at" else "question"
        if leaf.column in {"sentiment", "tone"}:
            what = "comment"
    elif kinds := leaf.view.wanted("kind"):
        what = kinds[0]
    return Absence(what, leaf.view.window, any(one.operation in SEVERAL for one in leaves))
