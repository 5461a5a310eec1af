"""The schema of a company: the tables and columns it has, which decide its features."""

import difflib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from features.config.toml_section import did_you_mean
from features.contract import KINDS, TABLES
from features.definitions.expressions import Aggregate, Expression
from features.definitions.filters import HashBucket
from features.errors import ConfigRefused
from features.history.derived_columns import DERIVED
from features.text.topics import TOPICS

#: How many values of a column get their own feature columns, and how many buckets share the rest.
TOP = 8
BUCKETS = 4


@dataclass(frozen=True)
class CompanySchema:
    """The tables of a company with their columns, its attributes and survey dimensions.

    `attributes` maps an attribute of the CRM to "text" or "number". `horizons` are the label windows
    in days, for features that look back equally far. `kinds` are the kinds of rows by table, `tops`
    the most frequent values of a text column ("events.category") in the older half of its time span,
    so that later data do not decide the columns. `time_zone` is where the calendar is read. `levers`
    are attributes that the company can lower.
    """

    tables: dict[str, tuple[str, ...]]
    attributes: dict[str, str]
    dimensions: tuple[str, ...]
    horizons: tuple[int, ...] = ()
    kinds: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tops: dict[str, tuple[str, ...]] = field(default_factory=dict)
    time_zone: str = "UTC"
    levers: tuple[str, ...] = ()

    def values(self, each: str) -> tuple[str | HashBucket, ...]:
        """The values that a feature declared with `each` is repeated for."""
        if each in {"attribute", "dimension"}:
            return tuple(self.attributes) if each == "attribute" else self.dimensions
        if each == "topic":  # only offered where there are comments
            return TOPICS
        top = self.tops.get(each, ())
        count = BUCKETS if len(top) == TOP else 1
        return (*top, *(HashBucket(top, n, count) for n in range(count))) if top else ()

    def check_kinds(self, feature: str, expression: Expression) -> None:
        """Raise ConfigRefused when an expression filters for a misspelt kind.

        A kind that resembles no known one is taken for one that this company does not have.
        """
        for leaf in expression.leaves():
            table = leaf.view.table
            known = [*dict.fromkeys((*KINDS.get(table, ()), *self.kinds.get(table, ())))]
            for wanted in leaf.view.wanted("kind"):
                if wanted not in known and difflib.get_close_matches(wanted, known, cutoff=0.7):
                    raise ConfigRefused(
                        f"feature {feature}: {table} has no kind {wanted!r}{did_you_mean(wanted, known)}"
                    )

    def offers(self, expression: Expression) -> bool:
        """Whether the company has every table and column an expression needs."""
        return all(self._offers(leaf) for leaf in expression.leaves())

    def _offers(self, leaf: Aggregate) -> bool:
        view = leaf.view
        if view.table not in self.tables:
            return False
        used = {view.clock, *(f.column for f in view.filters)}
        if leaf.column:
            used.add(leaf.column)
        if leaf.column and view.table == "customers":  # constants need no date
            used.discard("valid_from")
        kinds = {*KINDS.get(view.table, ()), *self.kinds.get(view.table, ())}
        wanted = view.wanted("kind")
        if wanted and self.kinds.get(view.table) and kinds.isdisjoint(wanted):
            return False
        return all(self._has(view.table, column) for column in used)

    def is_text(self, expression: Expression) -> bool:
        """Whether an expression is a text: the last or first value of a text column."""
        if not isinstance(expression, Aggregate) or expression.operation not in {"last", "first"}:
            return False
        declared = TABLES[expression.view.table].column(expression.column or "")
        if declared:
            return declared.kind == "text"
        return self.attributes.get(expression.column or "") == "text"

    def _has(self, table: str, column: str) -> bool:
        derived = DERIVED[table].get(column)
        needs = derived.needs if derived else (column,)
        return all(n in self.tables[table] for n in needs)

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "CompanySchema":
        raw: dict[str, Any] = json.loads(text)
        kinds, tops = (
            {k: tuple(v) for k, v in raw.get(name, {}).items()} for name in ("kinds", "tops")
        )
        return cls(
            {name: tuple(columns) for name, columns in raw["tables"].items()},
            dict(raw["attributes"]),
            tuple(raw["dimensions"]),
            tuple(raw["horizons"]),
            kinds,
            tops,
            raw.get("time_zone", "UTC"),
            tuple(raw.get("levers", ())),
        )
