"""Format values of indicators, with data attributes that hold the exact numbers."""

from dataclasses import dataclass

from insight.business_report.translations import Translator
from insight.evaluation.evaluation_schema import (
    GroupValue,
    Indicator,
    IntervalEstimate,
    PeriodValue,
)

#: Indicators for which lower is better, unless a target says otherwise.
LOWER_IS_BETTER = {
    "complaint", "complaints_per_100", "hours_to_reply", "days_to_solution", "reopen_rate", "churn",
}  # fmt: skip


@dataclass(frozen=True)
class FormattedFigure:
    """A formatted value with interval and number of answers; `exact` are its data attributes."""

    value: str
    interval: str
    cases: str
    exact: dict[str, str]


def format_figure(
    indicator: Indicator,
    of: Indicator | GroupValue | PeriodValue | IntervalEstimate,
    translate: Translator,
    what: str = "",
) -> FormattedFigure:
    """Format a value of an indicator; `what` identifies it unless it is the last overall value."""
    numbers = translate.numbers
    low, high = of.low, of.high
    interval = ""
    if low is not None and high is not None:
        interval = numbers.interval(
            format_value(indicator, low, translate), format_value(indicator, high, translate)
        )
    answered = getattr(of, "answered", None)
    exact = {
        "indicator": indicator.name,
        "dimension": indicator.dimension or "",
        "value": repr(of.value),
        "low": "" if low is None else repr(low),
        "high": "" if high is None else repr(high),
        "n": "" if answered is None else repr(answered),
        "of": what,
    }
    cases = "" if answered is None else translate("n", n=numbers.count(answered))
    return FormattedFigure(
        format_value(indicator, of.value, translate),
        interval,
        cases,
        {k: v for k, v in exact.items() if v},
    )


def data_attributes(**values: object) -> dict[str, str]:
    """Data attributes that hold numbers exactly; None has no attribute."""
    return {
        name.replace("_", "-"): value if isinstance(value, str) else repr(value)
        for name, value in values.items()
        if value is not None
    }


def is_share(indicator: Indicator) -> bool:
    """Whether an indicator is written in percent."""
    return indicator.kind == "rate" or indicator.unit.startswith("share")


def format_value(indicator: Indicator, value: float | None, translate: Translator) -> str:
    """Format a value of an indicator in its unit."""
    numbers = translate.numbers
    if is_share(indicator):
        return numbers.percent(value)
    if indicator.unit == "-100 to 100":
        return numbers.signed(value)
    if indicator.unit in ("hours", "days") and value is not None:
        unit = translate.name("short", indicator.unit)
        return f"{numbers.decimal(value)} {unit}"
    return numbers.decimal(value, 2 if indicator.unit == "0 to 10" else 1)


def indicator_title(indicator: Indicator, translate: Translator) -> str:
    """The name of an indicator, with its dimension if it has one."""
    name = indicator.title
    if translate.has_name("indicator", indicator.name):
        name = translate.name("indicator", indicator.name)
    if indicator.dimension is None:
        return name
    dimension = translate.name("dimension", indicator.dimension)
    return translate("of_dimension", name=name, dimension=dimension)


def better_direction(indicator: Indicator) -> str:
    """Whether `higher` or `lower` is better: as the target says, otherwise as usual."""
    if indicator.goal:
        return indicator.goal.better
    return "lower" if indicator.name in LOWER_IS_BETTER else "higher"


def targets_first(indicators: list[Indicator]) -> list[Indicator]:
    """Indicators with a target first, otherwise in the order of the evaluation."""
    return sorted(indicators, key=lambda i: (i.goal is None, i.dimension is not None))
