"""The targets of a company beside its indicators, and what was done for them."""

import math
from dataclasses import asdict, replace

from features.config.company import Company
from features.errors import DataRefused
from features.settings import Workspace
from insight.closed_loop.action_log import action_log
from insight.closed_loop.closed_loop_settings import LoopSettings
from insight.closed_loop.complaint_targets import NAMES
from insight.closed_loop.measure_effect import Outcome, action_effect
from insight.closed_loop.pdca import cycle
from insight.closed_loop.target_status import NO_DATA, Checked, Measured, Unmeasured, check
from insight.closed_loop.treatment_effect import Effect, not_identifiable
from insight.company_settings import section
from insight.evaluation.evaluation_schema import IndicatorGoal, Indicator, PdcaCycle, TargetVerdict
from insight.satisfaction.indicators import indicator_key
from insight.satisfaction.satisfaction_metrics import MEASURES
from models.evaluation.bootstrap import Interval

#: What an action changes of an indicator, and whether more of it is more of the indicator.
OUTCOMES: dict[str, tuple[Outcome, bool]] = {
    "complaint": ("complaints", True),
    "complaints_per_100": ("complaints", True),
    "retention": ("leaves", False),
}


def add_goals(
    company: Company, indicators: list[Indicator], not_measured: dict[str, str]
) -> list[Indicator]:
    """The indicators, those with a target with their goal.

    Raises ConfigRefused for a target of an indicator nobody knows, with near names.
    """
    goals = {item.name: _goal(item) for item in checked(company, indicators, not_measured)}
    return [
        told.model_copy(update={"goal": goals.get(indicator_key(told.name, told.dimension))})
        for told in indicators
    ]


def tell_cycle(
    company: Company, workspace: Workspace, indicators: list[Indicator], not_measured: dict[str, str]
) -> list[PdcaCycle]:  # fmt: skip
    """Plan, do, check, act: a row a target of `[insight.loop.targets]`; none without targets.

    An action's effect is measured on complaints and departures (`OUTCOMES`), not on other indicators.
    Raises ConfigRefused for a target of an indicator nobody knows.
    """
    found = checked(company, indicators, not_measured)
    if not any(item.target.actions for item in found):
        return [PdcaCycle(**asdict(row)) for row in cycle(found)]
    try:
        log = action_log(company, workspace).summary()
    except DataRefused:  # nothing was logged, which every row says
        return [PdcaCycle(**asdict(row)) for row in cycle(found)]
    done = set(log["action"])
    rows = []
    for item in found:
        effects = {
            action: _effect(company, workspace, item.name, action)
            for action in item.target.actions if action in done and item.name in OUTCOMES
        }  # fmt: skip
        rows += [PdcaCycle(**asdict(row)) for row in cycle([item], log, effects)]
    return rows


def checked(
    company: Company, indicators: list[Indicator], not_measured: dict[str, str]
) -> list[Checked | Unmeasured]:
    """Every target of the company beside its indicator, in the order of the file.

    A dimension's indicator is called `dimension_delivery`. Raises ConfigRefused for a target of an
    indicator nobody knows, with near names.
    """
    targets = section(company, "loop", LoopSettings).targets
    known: dict[str, Measured | None] = dict.fromkeys([*not_measured, *NAMES])
    for name, measure in MEASURES.items():
        if not measure.per_dimension:
            known[name] = None
        elif not _asked(name, indicators, not_measured):  # nobody knows its dimensions
            mine = [target for target in targets if target.startswith(f"{name}_")]
            known |= dict.fromkeys(mine)
            not_measured = not_measured | dict.fromkeys(mine, not_measured.get(name, NO_DATA))
    known |= {indicator_key(told.name, told.dimension): _measured(told) for told in indicators}
    return check(targets, known, not_measured)


def _asked(name: str, indicators: list[Indicator], not_measured: dict[str, str]) -> bool:
    """Whether any dimension of a figure was asked about, with enough answers or without."""
    too_few = any(key.startswith(f"{name}_") for key in not_measured)
    return too_few or any(told.name == name for told in indicators)


def _measured(told: Indicator) -> Measured:
    low = -math.inf if told.low is None else told.low
    high = math.inf if told.high is None else told.high
    return Measured(told.value, low, high, told.answered, told.before, told.unit)


def _goal(item: Checked | Unmeasured) -> IndicatorGoal:
    target = item.target
    seen = item if isinstance(item, Checked) else None
    verdict: TargetVerdict = seen.verdict if seen else "unmeasured"
    return IndicatorGoal(
        target=target.target, better=target.better, until=target.until, owner=target.owner,
        verdict=verdict, gap=seen.gap if seen else None,
    )  # fmt: skip


def _effect(company: Company, workspace: Workspace, indicator: str, action: str) -> Effect:
    """What an action did to what the indicator counts, in the indicator's direction."""
    outcome, same = OUTCOMES[indicator]
    try:
        found = action_effect(company, workspace, action, outcome)
    except DataRefused as err:
        return not_identifiable(0, 0, str(err))
    if same or found.effect is None:
        return found
    ends = Interval(-found.effect.value, -found.effect.high, -found.effect.low)
    return replace(found, effect=ends, naive=None if found.naive is None else -found.naive)
