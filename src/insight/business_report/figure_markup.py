"""A figure of the evaluation as it is shown: value, interval, cases, and the exact numbers behind it."""

from dataclasses import dataclass

from insight.business_report.numerals import Numerals
from insight.evaluation.evaluation_schema import GroupValue, IntervalEstimate, Indicator, PeriodValue

#: Indicators of which less is better, where no target says so.
LESS_IS_BETTER = {
    "complaint", "complaints_per_100", "hours_to_reply", "days_to_solution", "reopen_rate", "churn",
}  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """A value in words with its interval and cases; `exact` are the attributes that hold it exactly."""

    value: str
    interval: str
    cases: str
    exact: dict[str, str]


def shown(
    indicator: Indicator, of: Indicator | GroupValue | PeriodValue | IntervalEstimate, numerals: Numerals, what: str = ""
) -> Shown:
    """A figure of an indicator as it is shown; `what` names it, unless it is the last value."""
    low, high = of.low, of.high
    interval = ""
    if low is not None and high is not None:
        interval = numerals.between(
            written(indicator, low, numerals), written(indicator, high, numerals)
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
    cases = "" if answered is None else numerals.words("n", n=numerals.count(answered))
    return Shown(
        written(indicator, of.value, numerals),
        interval,
        cases,
        {k: v for k, v in exact.items() if v},
    )


def attributes(**told: object) -> dict[str, str]:
    """The attributes that hold numbers exactly, under their names; what is not known has none."""
    return {
        name.replace("_", "-"): value if isinstance(value, str) else repr(value)
        for name, value in told.items()
        if value is not None
    }


def is_share(indicator: Indicator) -> bool:
    """Whether an indicator is told in per cent."""
    return indicator.kind == "rate" or indicator.unit.startswith("share")


def written(indicator: Indicator, value: float | None, numerals: Numerals) -> str:
    """A value of an indicator in its unit."""
    if is_share(indicator):
        return numerals.share(value)
    if indicator.unit == "-100 to 100":
        return numerals.signed(value)
    if indicator.unit in ("hours", "days") and value is not None:
        unit = numerals.words.named("short", indicator.unit)
        return f"{numerals.decimal(value)} {unit}"
    return numerals.decimal(value, 2 if indicator.unit == "0 to 10" else 1)


def moved_by(indicator: Indicator, numerals: Numerals) -> str:
    """The difference to the period before, with its sign; shares in percentage points."""
    if indicator.before is None:
        return ""
    by = indicator.value - indicator.before
    if is_share(indicator):
        return numerals.words("points", by=numerals.signed(100 * by))
    return numerals.signed(by, 2 if indicator.unit == "0 to 10" else 1)


def title(indicator: Indicator, numerals: Numerals) -> str:
    """What an indicator is called, with its dimension where it has one."""
    words = numerals.words
    name = indicator.title
    if words.knows("indicator", indicator.name):
        name = words.named("indicator", indicator.name)
    if indicator.dimension is None:
        return name
    return words("of_dimension", name=name, dimension=words.named("dimension", indicator.dimension))


def better(indicator: Indicator) -> str:
    """Whether `higher` or `lower` is better: what the target says, else what is usual."""
    if indicator.goal:
        return indicator.goal.better
    return "lower" if indicator.name in LESS_IS_BETTER else "higher"


def first_targets(indicators: list[Indicator]) -> list[Indicator]:
    """Indicators with a target first, otherwise in the order of the evaluation."""
    return sorted(indicators, key=lambda i: (i.goal is None, i.dimension is not None))
