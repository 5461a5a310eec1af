"""The feature language: expressions over a customer's past, filtered, windowed and aggregated.

`past.events.where(kind="order").count()` is not a number but an expression; the engine evaluates it
for many customers and cutoffs at once. Expressions combine with `+ - * /`, dividing by zero gives NaN,
and compare with `above`, `at_most` and `or_at_least`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from features.config.toml_section import did_you_mean
from features.contract import TABLES
from features.definitions.filters import Filter, Test, Wanted
from features.errors import ConfigRefused
from features.history.derived_columns import DERIVED

Operation = Literal[
    "count", "sum", "mean", "min", "max", "std", "last", "first", "distinct", "days_since",
    "days_since_first", "gap_mean", "gap_std", "slope", "decayed_sum",
]  # fmt: skip


class Expression:
    """A value that the engine can compute for a customer and a cutoff."""

    def leaves(self) -> Iterator["Aggregate"]:
        """The aggregates it consists of."""
        return iter(())

    def __add__(self, other: "Expression | float") -> "Arithmetic":
        return Arithmetic("+", self, as_expression(other))

    def __sub__(self, other: "Expression | float") -> "Arithmetic":
        return Arithmetic("-", self, as_expression(other))

    def __mul__(self, other: "Expression | float") -> "Arithmetic":
        return Arithmetic("*", self, as_expression(other))

    def __truediv__(self, other: "Expression | float") -> "Arithmetic":
        return Arithmetic("/", self, as_expression(other))

    def above(self, other: "Expression | float") -> "Arithmetic":
        """1 where it is greater than the other, else 0, also where either is missing."""
        return Arithmetic(">", self, as_expression(other))

    def at_most(self, other: "Expression | float") -> "Arithmetic":
        """1 where it is not greater than the other, else 0, also where either is missing."""
        return Arithmetic("<=", self, as_expression(other))

    def or_at_least(self, other: "Expression | float") -> "Arithmetic":
        """The greater of the two; missing where either is."""
        return Arithmetic("max", self, as_expression(other))


@dataclass(frozen=True)
class Constant(Expression):
    """A number, the same for all customers."""

    value: float


@dataclass(frozen=True)
class Month(Expression):
    """The month of the cutoff where the company is, 1 to 12: the season a label window starts in."""


@dataclass(frozen=True)
class Arithmetic(Expression):
    """Two expressions combined; dividing by zero gives NaN, comparing with NaN gives 0."""

    operator: Literal["+", "-", "*", "/", ">", "<=", "max"]
    left: Expression
    right: Expression

    def leaves(self) -> Iterator["Aggregate"]:
        yield from self.left.leaves()
        yield from self.right.leaves()


def as_expression(value: "Expression | float") -> Expression:
    """Convert a number to an expression; expressions are returned unchanged."""
    return value if isinstance(value, Expression) else Constant(float(value))


@dataclass(frozen=True)
class Aggregate(Expression):
    """One number (or text, for `last`/`first` of a text) computed from the rows of a view.

    `column` is None for operations that count or date rows; `half_life` is in days, for decayed sums.
    """

    view: "View"
    operation: Operation
    column: str | None = None
    half_life: float = 0.0

    def leaves(self) -> Iterator["Aggregate"]:
        yield self


@dataclass(frozen=True)
class View:
    """Rows of one table: `clock` is the time axis, `window` in days (None = all time)."""

    table: str
    clock: str
    window: int | None
    filters: tuple[Filter, ...] = ()

    def wanted(self, column: str) -> tuple[str, ...]:
        """The texts that a column is filtered for."""
        matching = [f for f in self.filters if f.column == column and f.test == "is"]
        return tuple(v for f in matching for v in f.values if isinstance(v, str))

    def where(self, **conditions: Wanted | tuple[Wanted, ...]) -> "View":
        """Rows whose columns equal the value, or one of the values; flags are 1.0 and 0.0."""
        filters = []
        for column, value in conditions.items():
            values = value if isinstance(value, tuple) else (value,)
            kind = "number" if all(isinstance(v, int | float) for v in values) else "text"
            filters.append(Filter(self._checked(column, kind), "is", values))
        return self._filtered(*filters)

    def at_least(self, **conditions: float) -> "View":
        """Rows whose number columns are at least the value."""
        return self._bounded("at least", conditions)

    def at_most(self, **conditions: float) -> "View":
        """Rows whose number columns are at most the value."""
        return self._bounded("at most", conditions)

    def known(self, *columns: str) -> "View":
        """Rows in which these columns have a value that is known at the cutoff."""
        return self._filtered(*(Filter(self._checked(c), "known") for c in columns))

    def share(self, **conditions: Wanted | tuple[Wanted, ...]) -> Arithmetic:
        """The share of the rows whose columns equal the values; NaN without rows."""
        return self.where(**conditions).count() / self.count()

    def within(self, days: int | None) -> "View":
        """The same rows, looking back another number of days (None = all time)."""
        return replace(self, window=days)

    def count(self) -> Aggregate:
        return Aggregate(self, "count")

    def sum(self, column: str) -> Aggregate:
        return self._over("sum", column)

    def mean(self, column: str) -> Aggregate:
        return self._over("mean", column)

    def min(self, column: str) -> Aggregate:
        return self._over("min", column)

    def max(self, column: str) -> Aggregate:
        return self._over("max", column)

    def std(self, column: str) -> Aggregate:
        """Sample standard deviation; NaN with fewer than two values."""
        return self._over("std", column)

    def last(self, column: str) -> Aggregate:
        return self._over("last", column)

    def first(self, column: str) -> Aggregate:
        return self._over("first", column)

    def distinct(self, column: str) -> Aggregate:
        """The number of distinct values."""
        return self._over("distinct", column)

    def slope(self, column: str) -> Aggregate:
        """Least-squares change of the column per 30 days; NaN without two different times."""
        return self._over("slope", column)

    def decayed_sum(self, column: str, half_life: float) -> Aggregate:
        """Sum in which a value counts half after `half_life` days."""
        return replace(self._over("decayed_sum", column), half_life=half_life)

    def days_since(self) -> Aggregate:
        """Days from the latest row to the cutoff."""
        return Aggregate(self, "days_since")

    def days_since_first(self) -> Aggregate:
        """Days from the earliest row to the cutoff."""
        return Aggregate(self, "days_since_first")

    def gap_mean(self) -> Aggregate:
        """Mean days between one row and the next; NaN with fewer than two rows."""
        return Aggregate(self, "gap_mean")

    def gap_std(self) -> Aggregate:
        """Sample standard deviation of the days between rows; NaN with fewer than three rows."""
        return Aggregate(self, "gap_std")

    def _bounded(self, test: Test, conditions: dict[str, float]) -> "View":
        return self._filtered(
            *(Filter(self._checked(c, "number"), test, (), float(v)) for c, v in conditions.items())
        )

    def _filtered(self, *filters: Filter) -> "View":
        return replace(self, filters=self.filters + filters)

    def _over(self, operation: Operation, column: str) -> Aggregate:
        kinds = ("number", "text") if operation in {"last", "first", "distinct"} else ("number",)
        return Aggregate(self, operation, self._checked(column, *kinds))

    def _checked(self, column: str, *kinds: str) -> str:
        """The column, if the table has it and its kind fits (attributes of customers are not checked).

        Raises ConfigRefused otherwise.
        """
        contract = TABLES[self.table]
        known = [*contract.names, *DERIVED[self.table]]
        if column not in known and not contract.open_ended:
            raise ConfigRefused(
                f"{self.table} has no column {column!r}{did_you_mean(column, known)}"
            )
        declared = contract.column(column)
        kind = declared.kind.replace("flag", "number") if declared else None
        if kinds and kind and kind not in kinds:
            raise ConfigRefused(
                f"{self.table}.{column} is a {kind} column; a {' or '.join(kinds)} column is needed"
            )
        return column


@dataclass(frozen=True)
class Past:
    """What was known about one customer before a cutoff, looking back `window` days (None = all)."""

    window: int | None = None

    def within(self, days: int | None) -> "Past":
        """The same past with another window, for ratios and trends."""
        return Past(days)

    @property
    def month(self) -> Month:
        return Month()

    @property
    def customers(self) -> View:
        """The versions of the customer's CRM record."""
        return View("customers", "valid_from", self.window)

    @property
    def events(self) -> View:
        return View("events", "occurred_at", self.window)

    @property
    def surveys(self) -> View:
        """Survey questions by the time they were sent."""
        return View("surveys", "sent_at", self.window)

    @property
    def answers(self) -> View:
        """Answered survey questions by the time of the answer."""
        return View("surveys", "answered_at", self.window).known("answered_at")

    @property
    def tickets(self) -> View:
        """Tickets by the time they were opened."""
        return View("tickets", "opened_at", self.window)
