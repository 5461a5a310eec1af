"""Format values of indicators, with data attributes that hold the exact numbers."""

from dataclasses import dataclass

from insight.business_report.translations import Translator
from insight.evaluation.indicator_schema import GroupValue, Indicator, IntervalEstimate, PeriodValue

#: Indicators for which lower is better, unless a target says otherwise.
LOWER_IS_BETTER = {
    "complaint", "complaints_per_100", "hours_to_reply", "days_to_solution", "reopen_rate", "churn",
}  # fmt: skip
#: Decimals beyond the usual ones that an interval may need.
MOST_PLACES = 4


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
    interval, more = "", 0
    if low is not None and high is not None:
        more = _more_places(indicator, low, high, translate)
        interval = numbers.interval(
            *(format_value(indicator, end, translate, more) for end in (low, high))
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
        format_value(indicator, of.value, translate, more),
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


def format_value(
    indicator: Indicator, value: float | None, translate: Translator, more: int = 0
) -> str:
    """Format a value of an indicator in its unit, with so many `more` decimals than usual."""
    numbers, places = translate.numbers, 1 + more
    if is_share(indicator):
        return numbers.percent(value, places)
    if indicator.unit == "-100 to 100":
        return numbers.signed(value, places)
    if indicator.unit in ("hours", "days") and value is not None:
        unit = translate.name("short", indicator.unit)
        return f"{numbers.decimal(value, places)} {unit}"
    return numbers.decimal(value, places + (indicator.unit == "0 to 10"))


def _more_places(indicator: Indicator, low: float, high: float, translate: Translator) -> int:
    """The decimals that it takes to tell the ends of an interval apart: 0.00 to 0.04, not 0.0 to 0.0."""
    for more in range(MOST_PLACES):
        one, other = (format_value(indicator, end, translate, more) for end in (low, high))
        if one != other:
            return more
    return 0


def indicator_title(indicator: Indicator, translate: Translator) -> str:
    """The name of an indicator, with its dimension if it has one."""
    name = indicator.title
    if translate.has_name("indicator", indicator.name):
        name = translate.name("indicator", indicator.name)
    if indicator.dimension is None:
        return name
    dimension = translate.name("dimension", indicator.dimension)
    return translate("of_dimension", name=name, dimension=dimension)


def describe_empty_period(indicator: Indicator, length: str, translate: Translator) -> str:
    """State that the last whole period has too few cases, and when the value is from; else empty."""
    empty, numbers = indicator.empty_period, translate.numbers
    if empty is None:
        return ""
    period, shown = (numbers.period(day, length) for day in (empty.period, indicator.period))
    cases = translate.name("cases", empty.cases)
    if empty.answered:
        count = numbers.count(empty.answered)
        return translate("thin_period", n=count, cases=cases, period=period, shown=shown)
    last = shown if empty.last is None else numbers.period(empty.last, "month")
    return translate("empty_period", cases=cases, period=period, last=last)


def better_direction(indicator: Indicator) -> str:
    """Whether `higher` or `lower` is better: as the target says, otherwise as usual."""
    if indicator.goal:
        return indicator.goal.better
    return "lower" if indicator.name in LOWER_IS_BETTER else "higher"


def targets_first(indicators: list[Indicator]) -> list[Indicator]:
    """Indicators with a target first, otherwise in the order of the evaluation."""
    return sorted(indicators, key=lambda i: (i.goal is None, i.dimension is not None))
