"""What a feature is made of: a CRM attribute, the events of the label itself, or other records."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.definitions.expressions import Aggregate
from features.definitions.feature_registry import FeatureColumn
from models.leakage.audit_sample import AuditSample
from models.leakage.sampled_windows import Mask
from models.targets.target import Target

#: Aggregates that grow with more records, and those that shrink with more recent ones.
GROWING = ("count", "sum", "mean", "min", "max", "std", "last", "first", "distinct", "decayed_sum")
SHRINKING = ("days_since",)


@dataclass(frozen=True)
class FeatureRoles:
    """Roles of the planned features, one element per feature.

    `attribute`: shows a CRM column; `constant`: shows a CRM column that never changes for any
    customer. `direction`: +1 if more records make it larger, -1 if smaller, 0 otherwise.
    """

    attribute: Mask
    constant: Mask
    direction: np.ndarray

    @classmethod
    def for_sample(cls, sample: AuditSample) -> "FeatureRoles":
        columns = sample.plan.columns
        attribute = np.array([_attribute(c) is not None for c in columns])
        table = sample.tables.get("customers")
        constant = {
            n for n in sample.manifest.schema.attributes if table and _never_changes(table, n)
        }
        return cls(
            attribute,
            np.array([_attribute(c) in constant for c in columns]),
            np.array([_direction(c) for c in columns]),
        )


def _attribute(column: FeatureColumn) -> str | None:
    """The CRM attribute whose value a feature shows, if any."""
    leaf = column.expression
    if not isinstance(leaf, Aggregate) or leaf.view.table != "customers":
        return None
    return leaf.column if leaf.operation in ("last", "first") else None


def _direction(column: FeatureColumn) -> int:
    leaf = column.expression
    if not isinstance(leaf, Aggregate) or column.is_text:
        return 0
    return int(leaf.operation in GROWING) - int(leaf.operation in SHRINKING)


def reads_label_events(sample: AuditSample, target: Target) -> Mask:
    """Which features read the kinds of events that define the target's label."""
    sql = target.label_sql(sample.company.target(target.name))
    return np.array([_reads_kinds_in(c, sql) for c in sample.plan.columns])


def _reads_kinds_in(column: FeatureColumn, sql: str) -> bool:
    leaf = column.expression
    if not isinstance(leaf, Aggregate):
        return True  # a combination: its parts are features themselves
    if leaf.view.table != "events":
        return False
    kinds = leaf.view.wanted("kind")
    return not kinds or any(f"'{kind}'" in sql for kind in kinds)


def _never_changes(table: pa.Table, name: str) -> bool:
    pairs = table.select(["customer_id", name]).group_by(["customer_id", name]).aggregate([])
    return bool(pairs.num_rows == len(pc.unique(table["customer_id"])))
