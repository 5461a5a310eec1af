"""The feature registry: `@feature` declares a column by a function, its name and its docstring."""

import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from features.config.toml_section import did_you_mean
from features.contract import TABLES
from features.definitions.company_schema import CompanySchema
from features.definitions.expressions import Expression, Past
from features.definitions.filters import HashBucket
from features.definitions.levers import Lever, attribute_lever
from features.definitions.phrases import CHINESE_VALUES, PLAIN, Phrases
from features.errors import ConfigRefused

#: What a feature may be repeated for: CRM attributes, survey dimensions, topics of comments, or the
#: top values of a text column, such as "events.category", and hash buckets for the rest. For one kind
#: of rows: "events.order.category".
EACH = (
    "attribute",
    "dimension",
    "topic",
    *(f"{t.name}.{c.name}" for t in TABLES.values() for c in t.columns if c.kind == "text"),
)
#: The label windows of the company's targets as look-back windows: one for each horizon.
HORIZON: Literal["horizon"] = "horizon"
Window = int | Literal["horizon"] | None


@dataclass(frozen=True)
class Feature:
    """A declared feature: one column for each of its windows and each value of `each`."""

    name: str
    meaning: str
    unit: str
    windows: tuple[Window, ...]
    each: str | None
    build: Callable[..., Expression]
    phrases: Phrases = PLAIN
    lever: Lever | None = None


@dataclass(frozen=True)
class FeatureColumn:
    """One feature column: name, meaning, unit and the expression that computes it.

    `is_text` is true for categorical columns, `declared_in` is the module of the function. The columns
    of one `factor` differ only in their `window`. `phrases` are the texts for salespeople, `lever` is
    what the company can do about the value.
    """

    name: str
    meaning: str
    unit: str
    expression: Expression
    is_text: bool = False
    declared_in: str = ""
    factor: str = ""
    window: int | None = None
    phrases: Phrases = PLAIN
    lever: Lever | None = None

    def reads(self, column: str) -> bool:
        """Whether its expression uses a column of that name, as a value or in a filter."""
        leaves = list(self.expression.leaves())
        filtered = (f.column for leaf in leaves for f in leaf.view.filters)
        return column in {*(leaf.column for leaf in leaves), *filtered}

    @property
    def source(self) -> str:
        """The tables it is computed from, or "calendar"."""
        tables = dict.fromkeys(leaf.view.table for leaf in self.expression.leaves())
        return ", ".join(tables) or "calendar"


#: Every registered feature, in the order of registration.
REGISTRY: dict[str, Feature] = {}


def feature(
    *,
    unit: str,
    windows: tuple[Window, ...] = (None,),
    each: str | None = None,
    en: str = "",
    zh: str = "",
    form: str = "",
    lever: Lever | None = None,
) -> Callable[[Callable[..., Expression]], Callable[..., Expression]]:
    """Register a feature: the function returns its expression, `windows` are days (None = all time).

    In the docstring's first line `{window}` stands for the days ("in the last {window} days" reads
    "so far" for all time) and `{value}` for the value of `each`. Defining a feature again
    replaces it, so that a notebook cell can be run twice.

    For the reasons of a prediction: `zh` is the docstring's first line in Chinese, `en` the text for
    salespeople where the docstring is too technical; with `{n}` for the value they are complete
    sentences. `form` is the format of the value if its unit does not imply it
    (`features.definitions.phrases`); `lever` is what the company can do about the value
    (`features.definitions.levers`).
    """

    def register(build: Callable[..., Expression]) -> Callable[..., Expression]:
        name = build.__name__
        meaning = (inspect.getdoc(build) or "").split("\n")[0]
        if not meaning:
            raise ConfigRefused(f"feature {name} has no docstring; describe it in one line")
        if not name.isidentifier() or name == "<lambda>":
            raise ConfigRefused(f"feature {name!r} needs a name, which becomes the column's name")
        _check(name, windows, each)
        phrases = Phrases(en or meaning, zh, form or unit)
        REGISTRY[name] = Feature(name, meaning, unit, windows, each, build, phrases, lever)
        return build

    return register


def _check(name: str, windows: tuple[Window, ...], each: str | None) -> None:
    """Raise ConfigRefused for windows and repetitions that do not exist."""
    for window in windows:
        if isinstance(window, str) and window != HORIZON:
            raise ConfigRefused(
                f"feature {name}: unknown window {window!r}{did_you_mean(window, [HORIZON])}"
            )
        is_days = isinstance(window, int) and not isinstance(window, bool) and window > 0
        if not is_days and window is not None and window != HORIZON:
            raise ConfigRefused(
                f"feature {name}: invalid window {window!r}; a window is a whole number of days above "
                "0, None for all time, or HORIZON"
            )
    table, _, column = (each or "").partition(".")
    if each is not None and f"{table}.{column.split('.')[-1]}" not in EACH and each not in EACH[:3]:
        raise ConfigRefused(
            f"feature {name}: cannot be made for each {each!r}{did_you_mean(each, [*EACH])}"
        )


def feature_columns(schema: CompanySchema) -> list[FeatureColumn]:
    """Every column that the registered features give for a company of this schema.

    Raises ConfigRefused for a misspelt kind, with similar ones.
    """
    declared = [c for f in REGISTRY.values() for c in _columns(f, schema)]
    offered = [c for c in declared if schema.offers(c.expression)]
    duplicates = [name for name, n in Counter(c.name for c in offered).items() if n > 1]
    if duplicates:
        raise ConfigRefused(
            f"two features have the column {duplicates[0]!r}; rename one of them, or the attribute or "
            "dimension it is repeated for"
        )
    return offered


def _columns(feature: Feature, schema: CompanySchema) -> Iterator[FeatureColumn]:
    values = schema.values(feature.each) if feature.each else (None,)
    several = len(feature.windows) > 1
    for value, slug in zip(values, _slugs(values), strict=True):
        for window in _windows(feature, schema):
            past = Past(window)
            expression = feature.build(past) if value is None else feature.build(past, value)
            if not isinstance(expression, Expression):
                raise ConfigRefused(
                    f"feature {feature.name} returns {expression!r}; it should return an expression "
                    "over the past, such as past.events.count()"
                )
            schema.check_kinds(feature.name, expression)
            parts = [feature.name, slug]
            if window is not None:
                parts.append(f"{window}d")
            elif several:
                parts.append("all")
            name = "_".join(p for p in parts if p)
            text = schema.is_text(expression)
            meaning = _meaning(feature.meaning, window, value)
            factor = "_".join(p for p in (feature.name, slug) if p)
            yield FeatureColumn(
                name, meaning, feature.unit, expression, text, feature.build.__module__,
                factor, window, _phrases(feature, window, value),
                feature.lever or _attribute_lever(feature, schema, value),
            )  # fmt: skip


def _attribute_lever(
    feature: Feature, schema: CompanySchema, value: str | HashBucket | None
) -> Lever | None:
    """The lever of an attribute that the company's file calls one."""
    if feature.each != "attribute" or value not in schema.levers:
        return None
    return attribute_lever(str(value))


def _slugs(values: Sequence[str | HashBucket | None]) -> list[str]:
    """Values as parts of column names: letters (of any script), digits and underscores.

    A slug that would occur twice gets a number.
    """
    slugs: list[str] = []
    for value in values:
        slug = re.sub(r"\W+", "_", str(value or "")).strip("_")
        if isinstance(value, HashBucket):
            slug = f"hashed{value.number + 1}"
        alike = sum(re.fullmatch(rf"{re.escape(slug)}(_\d+)?", m) is not None for m in slugs)
        slugs.append(f"{slug}_{alike + 1}" if alike else slug)
    return slugs


def _windows(feature: Feature, schema: CompanySchema) -> list[int | None]:
    """The declared windows, with HORIZON replaced by the company's horizons."""
    days: list[int | None] = []
    for window in feature.windows:
        days += schema.horizons if window == HORIZON else [window]
    return list(dict.fromkeys(days))


def _phrases(feature: Feature, window: int | None, value: str | HashBucket | None) -> Phrases:
    """The feature's phrases for one window and value; all time is "累计" in Chinese."""
    chinese = feature.phrases.zh
    if window is None:
        chinese = chinese.replace("近{window}天的", "累计").replace("近{window}天", "累计")
    shown = "" if value is None else CHINESE_VALUES.get(str(value), str(value).replace("_", " "))
    return Phrases(
        _meaning(feature.phrases.en, window, value),
        chinese.replace("{window}", str(window)).replace("{value}", shown),
        feature.phrases.form,
    )


def _meaning(text: str, window: int | None, value: str | HashBucket | None) -> str:
    if window is None:
        text = text.replace("in the last {window} days", "so far")
    shown = "" if value is None else str(value).replace("_", " ")
    text = text.replace("{window}", str(window)).replace("{value}", shown)
    return text[:1].upper() + text[1:]
