"""Which tables and columns a company really has: decides which features can be made for it."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from features.contract import TABLES
from features.derived import DERIVED
from features.expressions import Aggregate, Arithmetic, Expression


@dataclass(frozen=True)
class Schema:
    """The tables of a company with their mapped columns, its attributes and survey dimensions.

    `attributes` maps an attribute of the CRM to "text" or "number". `horizons` are the label windows
    in days, for features that look back just as far.
    """

    tables: dict[str, tuple[str, ...]]
    attributes: dict[str, str]
    dimensions: tuple[str, ...]
    horizons: tuple[int, ...] = ()

    def values(self, each: str) -> tuple[str, ...]:
        """What a feature declared with `each` is repeated for."""
        return tuple(self.attributes) if each == "attribute" else self.dimensions

    def offers(self, expression: Expression) -> bool:
        """Whether the company has every table and column an expression needs."""
        if isinstance(expression, Arithmetic):
            return self.offers(expression.left) and self.offers(expression.right)
        if not isinstance(expression, Aggregate):
            return True
        view = expression.view
        if view.table not in self.tables:
            return False
        used = {view.clock, *view.having, *(c for c, _ in view.equal), *(c for c, _ in view.least)}
        if expression.column:
            used.add(expression.column)
        if expression.column is None and view.table == "customers":
            used.add("valid_from")
        elif view.table == "customers":
            used.discard("valid_from")
        return all(self._has(view.table, column) for column in used)

    def is_text(self, expression: Expression) -> bool:
        """Whether an expression yields a text: the last or first value of a text column."""
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
    def from_json(cls, text: str) -> "Schema":
        raw: dict[str, Any] = json.loads(text)
        return cls(
            {name: tuple(columns) for name, columns in raw["tables"].items()},
            dict(raw["attributes"]),
            tuple(raw["dimensions"]),
            tuple(raw["horizons"]),
        )
