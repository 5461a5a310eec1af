"""Which groups of customers a model is looked at in: the attributes a company sorts them by."""

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

#: Attributes named like these come first, and count as groups even when they are numbers.
NAMED = re.compile(r"segment|region|size|tier|plan|channel|language|country|state|industry|sector")
MOST_COLUMNS = 10
MOST_VALUES = 8
UNKNOWN = "unknown"
#: The first of each that a company has is cut into thirds: how long a customer, how much spent.
TENURE = ("tenure_days", "crm_tenure_days", "days_since_first_order")
SPEND = ("revenue_365d", "revenue_all")


@dataclass(frozen=True)
class CustomerGroup:
    """The rows of one value of one attribute."""

    column: str
    value: str
    rows: Mask


@dataclass(frozen=True)
class CustomerGroups:
    """All groups of some rows, and the attributes that were left out because there are too many."""

    found: tuple[CustomerGroup, ...]
    left_out: tuple[str, ...]


def find_groups(features: pa.Table) -> CustomerGroups:
    """The groups of feature rows: every categorical attribute of the CRM, the last
    channel, tenure and past spend by thirds.

    Rows without a value are the group "unknown". Of an attribute with more than 8 values the 8 most
    frequent are groups and the others one together; of more than 10 attributes those named like a
    segment, region, size, plan, channel or language come first.
    """
    texts = sorted(filter(lambda name: _sorts(features, name), features.column_names), key=_order)
    found = [group for name in texts[:MOST_COLUMNS] for group in _by_value(features, name)]
    for names in (TENURE, SPEND):
        for name in [n for n in names if n in features.column_names][:1]:
            found += _by_thirds(features, name)
    return CustomerGroups(tuple(found), tuple(texts[MOST_COLUMNS:]))


def attribute_title(column: str) -> str:
    """The name of an attribute as people say it: `crm_company_size` is "company size"."""
    return column.removeprefix("crm_").replace("_", " ")


def is_attribute(column: str) -> bool:
    """Whether a categorical column says what kind of customer it is, rather than what one did."""
    return column.startswith("crm_") or bool(NAMED.search(column))


def _sorts(features: pa.Table, name: str) -> bool:
    """Whether a column sorts customers: words, or few numbers under a name like "segment"."""
    kind, named = features.schema.field(name).type, bool(NAMED.search(name))
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return is_attribute(name)
    if not named or not name.startswith("crm_"):
        return False
    return bool(pc.count_distinct(features[name], mode="only_valid").as_py() <= MOST_VALUES)


def _order(name: str) -> tuple[bool, bool, str]:
    return not NAMED.search(name), not name.startswith("crm_"), name


def _by_value(features: pa.Table, name: str) -> list[CustomerGroup]:
    values = np.array([_text(v) for v in features[name].to_pylist()], dtype=object)
    known, counts = np.unique(values, return_counts=True)
    if len(known) < 2:
        return []
    ranked = known[np.argsort(-counts, kind="stable")]
    first, rest = ranked[:MOST_VALUES], ranked[MOST_VALUES:]
    if len(rest) == 1:
        first, rest = ranked, rest[:0]
    groups = [CustomerGroup(name, str(value), values == value) for value in first]
    if len(rest):
        groups.append(CustomerGroup(name, f"{len(rest)} others", np.isin(values, rest)))
    return groups


def _text(value: object) -> str:
    if value is None or value != value:
        return UNKNOWN
    return f"{value:g}" if isinstance(value, float) else str(value)


def _by_thirds(features: pa.Table, name: str) -> list[CustomerGroup]:
    """Rows up to the first tercile, up to the second, and above; equal values stay together."""
    values = np.asarray(features[name].to_numpy(), np.float64)
    known = values[np.isfinite(values)]
    if not len(known) or known.min() == known.max():
        return []
    low, high = (float(q) for q in np.quantile(known, [1 / 3, 2 / 3], method="lower"))
    cuts = (
        (f"up to {low:,.0f}", values <= low),
        (f"{low:,.0f} to {high:,.0f}", (values > low) & (values <= high)),
        (f"over {high:,.0f}", values > high),
        (UNKNOWN, np.isnan(values)),
    )
    return [CustomerGroup(name, words, rows) for words, rows in cuts if rows.any()]
