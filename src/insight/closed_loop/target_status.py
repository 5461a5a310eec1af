"""Compare indicators with their targets: reached, missed, or uncertain."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from features.config.toml_section import did_you_mean
from features.errors import ConfigRefused
from insight.closed_loop.closed_loop_settings import IndicatorTarget
from insight.evaluation.indicator_schema import Indicator, TargetVerdict

#: Fewer cases than this behind an indicator decide nothing.
FEWEST = 20
NO_DATA = "no data: record what it is measured by, or drop the target"


@dataclass(frozen=True)
class Measurement:
    """A value with its 95% interval; `answered` is the number of cases behind it."""

    value: float
    low: float
    high: float
    answered: int


#: What a target is compared with.
Measured = Indicator | Measurement


@dataclass(frozen=True)
class CheckedTarget:
    """A target and its measured indicator.

    It is reached or missed when the whole interval lies on that side of the target. `gap` is the
    distance to the target, 0 where the value reaches it. `corrected`: the figure is the one corrected
    for non-response.
    """

    name: str
    measured: Measured
    target: IndicatorTarget
    verdict: TargetVerdict
    gap: float
    corrected: bool = False


@dataclass(frozen=True)
class UnmeasuredTarget:
    """A target whose indicator is not measured, with the reason."""

    name: str
    target: IndicatorTarget
    why: str


def check_targets(
    targets: Mapping[str, IndicatorTarget],
    measured: Mapping[str, Measured | None],
    reasons: Mapping[str, str] | None = None,
) -> list[CheckedTarget | UnmeasuredTarget]:
    """Compare every target with its indicator, in the order of the file.

    Where a figure corrected for non-response is known, it decides: those who answer are not everybody.
    `measured` is None for a known indicator without data: its target is unmeasured, with the reason if
    there is one, and so is a target with fewer than `FEWEST` cases. Raises ConfigRefused for a target
    of an unknown indicator, with similar names.
    """
    unknown = [name for name in targets if name not in measured]
    if unknown:
        lines = "\n".join(
            f"  - insight.loop.targets.{n}{did_you_mean(n, sorted(measured))}" for n in unknown
        )
        raise ConfigRefused(f"targets of unknown indicators:\n{lines}")
    why = {name: (reasons or {}).get(name, NO_DATA) for name in targets}
    return [_check(name, target, measured[name], why[name]) for name, target in targets.items()]


def interval_ends(measured: Measured) -> tuple[float, float]:
    """Return the ends of the interval; an unknown end is infinite."""
    low = -math.inf if measured.low is None else measured.low
    high = math.inf if measured.high is None else measured.high
    return low, high


def corrected_figure(measured: Measured) -> Measurement | None:
    """The figure corrected for non-response, if an indicator has one with its interval."""
    found = measured.everybody if isinstance(measured, Indicator) else None
    if found is None or found.low is None or found.high is None:
        return None
    return Measurement(found.value, found.low, found.high, measured.answered)


def _check(
    name: str, target: IndicatorTarget, found: Measured | None, why: str
) -> CheckedTarget | UnmeasuredTarget:
    if found is None or not math.isfinite(found.value):
        return UnmeasuredTarget(name, target, why)
    if found.answered < FEWEST:
        few = f"{found.answered} cases; at least {FEWEST} are needed"
        return UnmeasuredTarget(name, target, few)
    corrected = corrected_figure(found)
    found = corrected or found
    sign = 1.0 if target.better == "higher" else -1.0
    ends = sorted(sign * (end - target.target) for end in interval_ends(found))
    verdict: TargetVerdict = "reached" if ends[0] >= 0 else "missed" if ends[1] < 0 else "uncertain"
    gap = max(0.0, sign * (target.target - found.value))
    return CheckedTarget(name, found, target, verdict, gap, corrected is not None)
