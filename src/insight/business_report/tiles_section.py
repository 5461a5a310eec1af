"""The six tiles of page one: revenue, revenue at risk, and the four indicators that matter most."""

from dataclasses import dataclass, replace

from insight.business_report.figure_markup import (
    FormattedFigure,
    data_attributes,
    describe_empty_period,
    format_figure,
    format_value,
    indicator_title,
    targets_first,
)
from insight.business_report.report_inputs import ReportInputs
from insight.business_report.risk_ranking import rank_customers, revenue_at_risk
from insight.business_report.verdict_text import (
    ARROWS,
    FormattedChange,
    FormattedTarget,
    fell_since_last_year,
    format_change,
    format_target,
)
from insight.evaluation.business_schema import RevenueChange
from insight.evaluation.indicator_schema import Indicator, IntervalEstimate
from insight.value.expected_totals import ExpectedTotal

TILES = 6
#: Verdicts on a target, the worst first.
SEVERITY = {"missed": 0, "uncertain": 2, "unmeasured": 3, "reached": 4}
BAD_ALERT, NO_TARGET = 1, 5


@dataclass(frozen=True)
class OverviewTile:
    """A figure of page one: what it is and of when, its verdict, its target."""

    title: str
    when: str
    figure: FormattedFigure
    change: FormattedChange
    target: FormattedTarget | None = None
    notes: tuple[str, ...] = ()


def overview_tiles(inputs: ReportInputs) -> list[OverviewTile]:
    """Six tiles at most: money first, then indicators, those with missed targets first."""
    if inputs.evaluation is None:
        return []
    money = [tile for tile in (_revenue(inputs), _at_risk(inputs)) if tile is not None]
    worst = worst_first(inputs.evaluation.indicators, inputs)
    return [*money, *(_indicator(i, inputs) for i in worst[: TILES - len(money)])]


def worst_first(indicators: list[Indicator], inputs: ReportInputs) -> list[Indicator]:
    """Indicators with a target or of all dimensions: missed targets, bad alerts, then the others."""
    chosen = [i for i in targets_first(indicators) if i.goal or not i.dimension]
    return sorted(chosen, key=lambda i: _severity(i, inputs))


def _severity(indicator: Indicator, inputs: ReportInputs) -> int:
    of_target = SEVERITY[indicator.goal.verdict] if indicator.goal else NO_TARGET
    change = format_change(indicator, inputs.period, inputs.translate)
    fallen = indicator.verdict.kind == "unwatched" and fell_since_last_year(indicator) is not None
    return min(of_target, BAD_ALERT) if change.mood == "bad" or fallen else of_target


def _indicator(i: Indicator, inputs: ReportInputs) -> OverviewTile:
    """The figure corrected for non-response where there is one, which the target is judged by."""
    translate = inputs.translate
    period = translate.numbers.period(i.period, inputs.period)
    answered = format_figure(i, i, translate)
    notes = [describe_empty_period(i, inputs.period, translate)]
    figure, when, change = answered, period, format_change(i, inputs.period, translate)
    if i.everybody is not None:
        figure, when = (
            format_figure(i, i.everybody, translate, "everybody"),
            translate("corrected_year"),
        )
        respondents = translate("respondents", period=period, value=answered.value)
        text = translate("respondents_change", respondents=respondents, change=change.text)
        change = replace(change, text=text)
    return OverviewTile(
        title=indicator_title(i, translate),
        when=when,
        figure=figure,
        change=change,
        target=format_target(i, translate),
        notes=tuple(filter(None, notes)),
    )


def _revenue(inputs: ReportInputs) -> OverviewTile | None:
    found = inputs.evaluation.revenue if inputs.evaluation else None
    if found is None:
        return None
    translate = inputs.translate
    exact = data_attributes(revenue="value", value=found.value)
    value = money(found.value, inputs)
    notes = []
    if found.on_year_ago is not None and found.on_before is not None:
        text = compared(found.on_before, inputs)
        notes.append(translate("tile_before", change=text, months=found.months))
    return OverviewTile(
        title=translate("revenue"),
        when=revenue_span(found, inputs),
        figure=FormattedFigure(value, "", "", exact),
        change=_revenue_change(found, inputs),
        notes=tuple(notes),
    )


def _revenue_change(found: RevenueChange, inputs: ReportInputs) -> FormattedChange:
    """Against the same months of last year; where the data do not reach so far, the months before."""
    key, on = "tile_year_ago", found.on_year_ago
    if on is None:
        key, on = "tile_before", found.on_before
    if on is None:
        return FormattedChange(inputs.translate("tile_no_earlier"))
    text = inputs.translate(key, change=compared(on, inputs), months=found.months)
    direction = direction_of(on)
    if direction is None:
        return FormattedChange(text)
    return FormattedChange(text, ARROWS[direction], "good" if direction == "up" else "bad")


def direction_of(change: IntervalEstimate) -> str | None:
    """Whether a change is beyond chance: up, down, or None where the interval contains 0."""
    if change.low is None or change.high is None or change.low <= 0 <= change.high:
        return None
    return "up" if change.value > 0 else "down"


def compared(change: IntervalEstimate, inputs: ReportInputs) -> str:
    """A relative change with its sign; that chance alone does as much is said."""
    text = signed_percent(change.value, inputs)
    if direction_of(change) is None:
        return inputs.translate("no_clear_change", change=text)
    return text


def signed_percent(share: float, inputs: ReportInputs) -> str:
    """A relative change in percent with its sign."""
    return f"{inputs.numbers.signed(100 * share)}%"


def revenue_span(found: RevenueChange, inputs: ReportInputs) -> str:
    """The months of the revenue: January 2026 to June 2026."""
    first, last = (
        inputs.numbers.period(month, "month") for month in (found.since, found.over_time[-1].month)
    )
    return inputs.translate("months_span", first=first, last=last)


def _at_risk(inputs: ReportInputs) -> OverviewTile | None:
    scores = inputs.facts.scores
    found = scores and revenue_at_risk(rank_customers(scores).table, inputs.facts)
    if not found:
        return None
    translate, (total, lost) = inputs.translate, found
    days = inputs.facts.company.target("value").horizon_days
    ends = total_interval(lost, inputs)
    exact = data_attributes(revenue="at_risk", value=lost.value, low=lost.low, high=lost.high)
    return OverviewTile(
        title=translate("at_risk"),
        when=translate("next_days", days=days),
        figure=FormattedFigure(money(lost.value, inputs), "", "", exact),
        change=FormattedChange(
            translate("of_expected", total=money(total.value, inputs),
                      share=inputs.numbers.percent(lost.value / total.value if total.value else 0.0))
        ),
        notes=(translate("interval_90", interval=ends),) if ends else (),
    )  # fmt: skip


def total_interval(total: ExpectedTotal, inputs: ReportInputs) -> str:
    """The 90% interval of a sum of expected values; empty where it is not known."""
    if total.low is None or total.high is None:
        return ""
    numbers = inputs.numbers
    return numbers.interval(numbers.amount(total.low), numbers.amount(total.high))


def money(value: float, inputs: ReportInputs) -> str:
    """An amount in the company's currency."""
    return inputs.numbers.money(value, inputs.facts.company.info.currency)


def short_figure(indicator: Indicator, inputs: ReportInputs) -> str:
    """The figure by which an indicator is judged, without its interval."""
    value = indicator.everybody.value if indicator.everybody else indicator.value
    return format_value(indicator, value, inputs.translate)
