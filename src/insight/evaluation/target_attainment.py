"""Targets of a company: add them to its indicators, and build its PDCA table."""

from dataclasses import replace

from features.config.company import Company
from features.errors import DataRefused
from features.settings import Workspace
from insight.closed_loop.action_effect import ActionOutcome, measure_action_effect
from insight.closed_loop.action_log import read_action_log
from insight.closed_loop.closed_loop_settings import LoopSettings
from insight.closed_loop.holdout_effect import TreatmentEffect, not_identifiable
from insight.closed_loop.pdca import build_pdca_cycles
from insight.closed_loop.target_status import (
    NO_DATA,
    CheckedTarget,
    UnmeasuredTarget,
    check_targets,
)
from insight.company_settings import read_section
from insight.evaluation.complaint_indicators import COMPLAINT_INDICATORS
from insight.evaluation.evaluation_schema import PdcaCycle
from insight.evaluation.indicator_schema import EmptyPeriod, Indicator, IndicatorGoal
from insight.satisfaction.indicators import indicator_key
from insight.satisfaction.satisfaction_metrics import SATISFACTION_METRICS
from models.evaluation.bootstrap import Interval

#: The outcome in which an action's effect on an indicator is measured; whether both rise together.
OUTCOMES: dict[str, tuple[ActionOutcome, bool]] = {
    "complaint": ("complaints", True),
    "complaints_per_100": ("complaints", True),
    "retention": ("leaves", False),
}


def add_goals(
    company: Company, indicators: list[Indicator], not_measured: dict[str, str]
) -> list[Indicator]:
    """Add the goal to every indicator with a target.

    Raises ConfigRefused for a target of an unknown indicator, with similar names.
    """
    targets = check_company_targets(company, indicators, not_measured)
    goals = {item.name: _goal(item) for item in targets}
    return [
        one.model_copy(update={"goal": goals.get(indicator_key(one.name, one.dimension))})
        for one in indicators
    ]


def company_pdca_cycles(
    company: Company, workspace: Workspace, indicators: list[Indicator], not_measured: dict[str, str]
) -> list[PdcaCycle]:  # fmt: skip
    """Build a PDCA row for every target of `[insight.loop.targets]`.

    Effects of actions are measured on complaints and departures (`OUTCOMES`), not on other indicators.
    Raises ConfigRefused for a target of an unknown indicator.
    """
    targets = check_company_targets(company, indicators, not_measured)
    if not any(item.target.actions for item in targets):
        return build_pdca_cycles(targets)
    try:
        log = read_action_log(company, workspace).summary()
    except DataRefused:  # nothing was logged, which every row says
        return build_pdca_cycles(targets)
    done = set(log["action"])
    rows = []
    for item in targets:
        effects = {
            action: _effect(company, workspace, item.name, action)
            for action in item.target.actions if action in done and item.name in OUTCOMES
        }  # fmt: skip
        rows += build_pdca_cycles([item], log, effects)
    return rows


def check_company_targets(
    company: Company, indicators: list[Indicator], not_measured: dict[str, str]
) -> list[CheckedTarget | UnmeasuredTarget]:
    """Compare every target of the company with its indicator, in the order of the file.

    The key of an indicator by dimension is `dimension_delivery`. Raises ConfigRefused for a target of
    an unknown indicator, with similar names.
    """
    targets = read_section(company, "loop", LoopSettings).targets
    known: dict[str, Indicator | None] = dict.fromkeys([*not_measured, *COMPLAINT_INDICATORS])
    for name, metric in SATISFACTION_METRICS.items():
        if not metric.per_dimension:
            known[name] = None
        elif not _asked(name, indicators, not_measured):  # its dimensions are not known
            mine = [target for target in targets if target.startswith(f"{name}_")]
            known |= dict.fromkeys(mine)
            not_measured = not_measured | dict.fromkeys(mine, not_measured.get(name, NO_DATA))
    for one in indicators:
        key = indicator_key(one.name, one.dimension)
        known[key] = None if one.empty_period else one
        if one.empty_period:  # an older value does not decide whether the target is reached now
            not_measured = {**not_measured, key: _why_empty(one, one.empty_period)}
    return check_targets(targets, known, not_measured)


def _why_empty(indicator: Indicator, empty: EmptyPeriod) -> str:
    """State that the last period has too few cases, with the last value."""
    count = f"{empty.answered:,}" if empty.answered else "no"
    return (
        f"{count} {empty.cases} in the period from {empty.period}, the last value is "
        f"{indicator.value:.4g} of the period from {indicator.period}"
    )


def _asked(name: str, indicators: list[Indicator], not_measured: dict[str, str]) -> bool:
    """Whether any dimension of an indicator was asked about, with enough answers or too few."""
    too_few = any(key.startswith(f"{name}_") for key in not_measured)
    return too_few or any(one.name == name for one in indicators)


def _goal(item: CheckedTarget | UnmeasuredTarget) -> IndicatorGoal:
    target = item.target
    checked = item if isinstance(item, CheckedTarget) else None
    return IndicatorGoal(
        target=target.target, better=target.better, until=target.until, owner=target.owner,
        verdict=checked.verdict if checked else "unmeasured", gap=checked.gap if checked else None,
    )  # fmt: skip


def _effect(company: Company, workspace: Workspace, indicator: str, action: str) -> TreatmentEffect:
    """The effect of an action on the outcome of the indicator, in the indicator's direction."""
    outcome, same_direction = OUTCOMES[indicator]
    try:
        found = measure_action_effect(company, workspace, action, outcome)
    except DataRefused as err:
        return not_identifiable(0, 0, str(err))
    if same_direction or found.effect is None:
        return found
    ends = Interval(-found.effect.value, -found.effect.high, -found.effect.low)
    return replace(found, effect=ends, naive=None if found.naive is None else -found.naive)
