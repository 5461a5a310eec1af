"""`@feature`: a function whose name is the column, whose docstring is its meaning."""

import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from features.errors import ConfigRefused
from features.expressions import Expression, Past
from features.schema import Schema

Each = Literal["attribute", "dimension"]
#: As far back as a target of the company looks ahead: one window for each such horizon.
HORIZON: Literal["horizon"] = "horizon"
Window = int | Literal["horizon"] | None


@dataclass(frozen=True)
class Feature:
    """A declared feature: one column for each of its windows and each value of `each`."""

    name: str
    meaning: str
    unit: str
    windows: tuple[Window, ...]
    each: Each | None
    build: Callable[..., Expression]


@dataclass(frozen=True)
class Column:
    """One feature column as it is computed: name, meaning, unit and the expression behind it.

    `is_text` tells a categorical column from a number.
    """

    name: str
    meaning: str
    unit: str
    expression: Expression
    is_text: bool = False


#: Every registered feature, in the order of registration.
REGISTRY: dict[str, Feature] = {}


def feature(
    *, unit: str, windows: tuple[Window, ...] = (None,), each: Each | None = None
) -> Callable[[Callable[..., Expression]], Callable[..., Expression]]:
    """Register a feature: the function describes it, `windows` are days back (None = all time).

    In the docstring's first line `{window}` stands for the days ("in the last {window} days" reads
    "so far" for all time) and `{value}` for the value of `each`. Defining a feature of the same
    name again replaces it, so that a notebook cell can be run twice.
    """

    def register(build: Callable[..., Expression]) -> Callable[..., Expression]:
        name = build.__name__
        meaning = (inspect.getdoc(build) or "").split("\n")[0]
        if not meaning:
            raise ConfigRefused(f"feature {name} has no docstring; say what it means in a line")
        if not name.isidentifier() or name == "<lambda>":
            raise ConfigRefused(f"feature {name!r}: give it a name; it becomes the column's name")
        REGISTRY[name] = Feature(name, meaning, unit, windows, each, build)
        return build

    return register


def columns(schema: Schema) -> list[Column]:
    """Every column the registered features make for a company of this schema."""
    made = [c for f in REGISTRY.values() for c in _columns(f, schema)]
    offered = [c for c in made if schema.offers(c.expression)]
    twice = [name for name, n in Counter(c.name for c in offered).items() if n > 1]
    if twice:
        raise ConfigRefused(
            f"two features make a column {twice[0]!r}; rename one of them, or the attribute or "
            "dimension it is made for"
        )
    return offered


def _columns(feature: Feature, schema: Schema) -> Iterator[Column]:
    values: tuple[str | None, ...] = schema.values(feature.each) if feature.each else (None,)
    several = len(feature.windows) > 1
    for value in values:
        for window in _windows(feature, schema):
            past = Past(window)
            expression = feature.build(past) if value is None else feature.build(past, value)
            parts = [feature.name, value]
            if window is not None:
                parts.append(f"{window}d")
            elif several:
                parts.append("all")
            name = "_".join(p for p in parts if p)
            text = schema.is_text(expression)
            yield Column(name, _meaning(feature, window, value), feature.unit, expression, text)


def _windows(feature: Feature, schema: Schema) -> list[int | None]:
    """The declared windows, with the company's horizons in the place of HORIZON."""
    days: list[int | None] = []
    for window in feature.windows:
        days += schema.horizons if window == HORIZON else [window]
    return list(dict.fromkeys(days))


def _meaning(feature: Feature, window: int | None, value: str | None) -> str:
    text = feature.meaning
    if window is None:
        text = text.replace("in the last {window} days", "so far")
    text = text.replace("{window}", str(window)).replace("{value}", (value or "").replace("_", " "))
    return text[:1].upper() + text[1:]
