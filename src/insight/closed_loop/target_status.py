"""Indicators against their targets: reached, missed, or too uncertain to say."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from features.config.table_mapping import near
from features.errors import ConfigRefused
from insight.closed_loop.closed_loop_settings import IndicatorTarget

Verdict = Literal["reached", "missed", "uncertain"]

#: Fewer cases behind an indicator than this prove nothing.
FEWEST = 20
NO_DATA = "no data: record what it is measured by, or drop the target"


@dataclass(frozen=True)
class Measured:
    """An indicator's value with its 95 % interval and the number of cases, now and a period ago."""

    value: float
    low: float
    high: float
    n: int
    before: float | None = None
    unit: str = ""


@dataclass(frozen=True)
class Checked:
    """An indicator beside its target; `gap` is what is missing to it, 0 where it is reached.

    A target counts as reached or missed when the whole interval lies on that side of it.
    """

    name: str
    measured: Measured
    target: IndicatorTarget
    verdict: Verdict
    gap: float

    @property
    def improved(self) -> bool | None:
        """Whether the value moved to the better side since the last period; None if unknown."""
        before = self.measured.before
        if before is None or before == self.measured.value:
            return None
        return (self.measured.value > before) == (self.target.better == "higher")


@dataclass(frozen=True)
class Unmeasured:
    """A target whose indicator nothing is known of, and why."""

    name: str
    target: IndicatorTarget
    why: str


def check(
    targets: Mapping[str, IndicatorTarget],
    measured: Mapping[str, Measured | None],
    reasons: Mapping[str, str] | None = None,
) -> list[Checked | Unmeasured]:
    """Every target beside its indicator, in the order of the file.

    `measured` holds None for indicators that exist but have no data: they are said to be unmeasured,
    with the reason if there is one, as are those of fewer than `FEWEST` cases. Raises ConfigRefused for
    a target of an indicator nobody has heard of, with near names.
    """
    unknown = [name for name in targets if name not in measured]
    if unknown:
        lines = "\n".join(
            f"  - insight.loop.targets.{n}{near(n, sorted(measured))}" for n in unknown
        )
        raise ConfigRefused(f"targets of unknown indicators:\n{lines}")
    why = {name: (reasons or {}).get(name, NO_DATA) for name in targets}
    return [_checked(name, target, measured[name], why[name]) for name, target in targets.items()]


def _checked(
    name: str, target: IndicatorTarget, found: Measured | None, why: str
) -> Checked | Unmeasured:
    if found is None or not math.isfinite(found.value):
        return Unmeasured(name, target, why)
    if found.n < FEWEST:
        return Unmeasured(name, target, f"{found.n} cases; a verdict takes at least {FEWEST}")
    sign = 1.0 if target.better == "higher" else -1.0
    ends = sorted((sign * (found.low - target.target), sign * (found.high - target.target)))
    verdict: Verdict = "reached" if ends[0] >= 0 else "missed" if ends[1] < 0 else "uncertain"
    gap = max(0.0, sign * (target.target - found.value))
    return Checked(name, found, target, verdict, gap)
