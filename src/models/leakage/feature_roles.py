"""What kind of evidence a feature is: an attribute, the label's own past, records that came or not."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.definitions.expressions import Aggregate
from features.definitions.feature_registry import Column
from models.leakage.audit_sample import Case
from models.leakage.label_windows import Mask
from models.targets.registry import Target

#: Of more records: more. Of more recent records: fewer days.
MORE = ("count", "sum", "mean", "min", "max", "std", "last", "first", "distinct", "decayed_sum")
LESS = ("days_since",)


@dataclass(frozen=True)
class Roles:
    """For each planned feature, what it can honestly tell.

    `attribute` shows a column of the CRM, `fixed` one that never changes for anybody. `way` is +1
    where records in it make it larger, -1 where they make it smaller, 0 where neither holds.
    """

    attribute: Mask
    fixed: Mask
    way: np.ndarray

    @classmethod
    def of(cls, case: Case) -> "Roles":
        columns = case.plan.columns
        attribute = np.array([_attribute(c) is not None for c in columns])
        table = case.tables.get("customers")
        fixed = {n for n in case.manifest.schema.attributes if table and _never_changes(table, n)}
        return cls(
            attribute,
            np.array([_attribute(c) in fixed for c in columns]),
            np.array([_way(c) for c in columns]),
        )


def _attribute(column: Column) -> str | None:
    """The attribute of the CRM whose value a feature shows."""
    leaf = column.expression
    if not isinstance(leaf, Aggregate) or leaf.view.table != "customers":
        return None
    return leaf.column if leaf.operation in ("last", "first") else None


def _way(column: Column) -> int:
    leaf = column.expression
    if not isinstance(leaf, Aggregate) or column.is_text:
        return 0
    return int(leaf.operation in MORE) - int(leaf.operation in LESS)


def own_past(case: Case, target: Target) -> Mask:
    """Which features look at the kinds of events that the target's label is made of."""
    named = target.labels(case.company.target(target.name))
    return np.array([_shares(c, named) for c in case.plan.columns])


def _shares(column: Column, sql: str) -> bool:
    leaf = column.expression
    if not isinstance(leaf, Aggregate):
        return True  # a mixture: what is in it is a feature by itself
    if leaf.view.table != "events":
        return False
    kinds = leaf.view.wanted("kind")
    return not kinds or any(f"'{kind}'" in sql for kind in kinds)


def _never_changes(table: pa.Table, name: str) -> bool:
    pairs = table.select(["customer_id", name]).group_by(["customer_id", name]).aggregate([])
    return bool(pairs.num_rows == len(pc.unique(table["customer_id"])))
