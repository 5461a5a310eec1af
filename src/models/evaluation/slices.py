"""Find the customer groups in which a model is evaluated, from the attributes of customers."""

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

#: Attributes with these names come first, and define groups even when they are numbers.
GROUP_NAMES = re.compile(
    r"segment|region|size|tier|plan|channel|language|country|state|industry|sector"
)
MAX_COLUMNS = 10
MAX_VALUES = 8
UNKNOWN = "unknown"
#: The first available column of each list is split into thirds: tenure and past spend.
TENURE = ("tenure_days", "crm_tenure_days", "days_since_first_order")
SPEND = ("revenue_365d", "revenue_all")


@dataclass(frozen=True)
class AttributeGroup:
    """The rows with one value of one attribute."""

    column: str
    value: str
    rows: Mask


@dataclass(frozen=True)
class AttributeGroups:
    """The groups that were found, and the attributes left out because there were too many."""

    found: tuple[AttributeGroup, ...]
    left_out: tuple[str, ...]


def find_groups(features: pa.Table) -> AttributeGroups:
    """Group feature rows by categorical CRM attributes, last channel, and thirds of tenure and spend.

    Rows without a value form the group "unknown". Of an attribute with more than 8 values, the 8 most
    frequent are groups and the others form one group. At most 10 attributes are used; those named
    like a segment, region, size, plan, channel or language come first.
    """
    texts = sorted(
        filter(lambda name: _defines_groups(features, name), features.column_names), key=_priority
    )
    found = [group for name in texts[:MAX_COLUMNS] for group in _by_value(features, name)]
    for names in (TENURE, SPEND):
        for name in [n for n in names if n in features.column_names][:1]:
            found += _by_thirds(features, name)
    return AttributeGroups(tuple(found), tuple(texts[MAX_COLUMNS:]))


def attribute_title(column: str) -> str:
    """The display name of an attribute: `crm_company_size` is "company size"."""
    return column.removeprefix("crm_").replace("_", " ")


def is_attribute(column: str) -> bool:
    """Whether a categorical column is an attribute of the customer rather than of their behaviour."""
    return column.startswith("crm_") or bool(GROUP_NAMES.search(column))


def _defines_groups(features: pa.Table, name: str) -> bool:
    """Whether a column defines groups: text, or a few numbers under a name like "segment"."""
    kind, named = features.schema.field(name).type, bool(GROUP_NAMES.search(name))
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return is_attribute(name)
    if not named or not name.startswith("crm_"):
        return False
    return bool(pc.count_distinct(features[name], mode="only_valid").as_py() <= MAX_VALUES)


def _priority(name: str) -> tuple[bool, bool, str]:
    return not GROUP_NAMES.search(name), not name.startswith("crm_"), name


def _by_value(features: pa.Table, name: str) -> list[AttributeGroup]:
    values = np.array([_text(v) for v in features[name].to_pylist()], dtype=object)
    known, counts = np.unique(values, return_counts=True)
    if len(known) < 2:
        return []
    ranked = known[np.argsort(-counts, kind="stable")]
    first, rest = ranked[:MAX_VALUES], ranked[MAX_VALUES:]
    if len(rest) == 1:
        first, rest = ranked, rest[:0]
    groups = [AttributeGroup(name, str(value), values == value) for value in first]
    if len(rest):
        groups.append(AttributeGroup(name, f"{len(rest)} others", np.isin(values, rest)))
    return groups


def _text(value: object) -> str:
    if value is None or value != value:
        return UNKNOWN
    return f"{value:g}" if isinstance(value, float) else str(value)


def _by_thirds(features: pa.Table, name: str) -> list[AttributeGroup]:
    """Rows up to the first tercile, up to the second, and above; equal values share a group."""
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
    return [AttributeGroup(name, words, rows) for words, rows in cuts if rows.any()]
