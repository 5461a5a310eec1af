"""How a model does in each group of customers beside its rival, and where it does worst.

Whoever looks at thirty groups finds one that looks bad by chance. A group counts as lost only if it
would be surprising even so: Holm (1979), "A simple sequentially rejective multiple test procedure".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from models.evaluation.bootstrap import Interval, bootstrap_jointly, percentile_interval
from models.evaluation.metrics import METRICS, PRIMARY, expected_calibration_error
from models.evaluation.slices import CustomerGroup, find_groups, attribute_title
from models.targets.target import Target
from models.training.train import TrainingRows

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]

#: A group of fewer rows says nothing about a model: the interval of an AUC is then wider than 0.15.
ENOUGH_ROWS = 200
#: And of fewer rows of its rarer class (values: of customers who spend), or of fewer customers.
ENOUGH_RARE = 20
ENOUGH_CUSTOMERS = 50
ALPHA = 0.05
#: From here on intervals are narrow whatever is drawn; fewer drawings save most of the time.
MANY_ROWS = 20_000


@dataclass(frozen=True)
class Slice:
    """A group of customers: the primary measure of the model and of its rival with 95 % intervals.

    `gain` is positive where the model is better. `worse` is the chance to see so bad a gain if the
    model were no worse in any of the groups, corrected for how many there are. `off` is the
    calibration error, for a regression as a share of the actual mean; `predicted` and `actual` are
    means of the probability, the score, the NPS (-1 to 1) or the value. `nearer` tells that the
    model's mean value is nearer to the actual one than the rival's.
    """

    column: str
    value: str
    rows: int
    customers: int
    model: Interval
    rival: Interval
    gain: Interval
    worse: float
    off: float
    predicted: float
    actual: float
    nearer: bool = False

    @property
    def name(self) -> str:
        """The group in words: `company size: large`."""
        return f"{attribute_title(self.column)}: {self.value}"

    @property
    def loss(self) -> float:
        """The share of the rival's measure that is lost, negative where something is gained."""
        return -self.gain.value / abs(self.rival.value) if self.rival.value else 0.0


@dataclass(frozen=True)
class Slices:
    """Every group that has enough rows to be judged, the names of those that have not."""

    measure: str
    rival: str
    judged: tuple[Slice, ...]
    too_small: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def worst(self) -> Slice | None:
        """The group with the largest loss, or the smallest gain, in proportion to the rival's."""
        return max(self.judged, key=lambda s: s.loss, default=None)

    @property
    def lost(self) -> tuple[Slice, ...]:
        """Groups in which the model is worse than its rival beyond chance, the worst first.

        Of values also the mean must be further off: where most customers spend nothing, a rule that
        says 0 has the smaller absolute error than any forecast that is right on average.
        """
        found = [s for s in self.judged if s.worse < ALPHA and not s.nearer]
        return tuple(sorted(found, key=lambda s: s.worse))

    @property
    def objection(self) -> str | None:
        """Why the model must not replace its rival, or None."""
        if not self.lost:
            return None
        one = self.lost[0]
        more = f" (and {len(self.lost) - 1} more)" if len(self.lost) > 1 else ""
        return (
            f"worse than the {self.rival} for {one.name}{more}: {self.measure} {one.model.value:.4g} "
            f"against {one.rival.value:.4g} on {one.rows:,} rows, beyond chance among "
            f"{len(self.judged)} groups"
        )

    def told(self) -> str:
        """Where the model does worst, in a few words."""
        if self.worst is None:
            return "no group is large enough to be judged apart"
        sign = "better" if self.worst.gain.value > 0 else "not better"
        return f"{self.worst.name}, {sign} than the {self.rival}"


def compare_by_slice(
    target: Target, rows: TrainingRows, model: Floats, rival: Floats, named: str = "rule"
) -> Slices:
    """Judge a model against a rival (`named`) in every group of the rows.

    Groups are those of `slicing.groups_of`; the rows are later than what the model learnt from.
    """
    groups = find_groups(rows.features)
    judged: list[Slice] = []
    small: list[str] = []
    for group in groups.found:
        part = _part(target, rows, group, (model, rival))
        if part:
            judged.append(part)
        else:
            small.append(f"{attribute_title(group.column)}: {group.value} ({int(group.rows.sum()):,})")
    chances = adjust_holm([s.worse for s in judged])
    corrected = tuple(
        Slice(**{**vars(s), "worse": p}) for s, p in zip(judged, chances, strict=True)
    )
    return Slices(PRIMARY[target.kind], named, corrected, tuple(small), groups.left_out)


def adjust_holm(chances: Sequence[float]) -> list[float]:
    """Chances of many looks, corrected so that all together err in 5 % of cases at 5 %."""
    order = np.argsort(chances, kind="stable")
    steps = np.asarray(chances)[order] * np.arange(len(chances), 0, -1)
    corrected = np.empty(len(chances))
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(p) for p in corrected]


def _part(target: Target, rows: TrainingRows, group: CustomerGroup, pair: Pair) -> Slice | None:
    """One group, its chance not corrected yet; None when it has too few rows of either kind."""
    y, weight = rows.label[group.rows], rows.weight[group.rows]
    customer = rows.customer[group.rows]
    customers = len(np.unique(customer))
    if len(y) < ENOUGH_ROWS or customers < ENOUGH_CUSTOMERS or _rare(target, y) < ENOUGH_RARE:
        return None
    metric, first = METRICS[PRIMARY[target.kind]], pair[0][group.rows]
    measured, drawn = bootstrap_jointly(
        metric.function, y, (first, pair[1][group.rows]), weight, customer,
        n=200 if len(y) <= MANY_ROWS else 50,
    )  # fmt: skip
    sign = 1.0 if metric.higher_is_better else -1.0
    differences = sign * (drawn[:, 0] - drawn[:, 1])
    gain = percentile_interval(sign * (measured[0] - measured[1]), differences)
    spread = float(np.nanstd(differences)) if np.isfinite(differences).any() else 0.0
    worse = float(norm.cdf(gain.value / spread)) if spread > 0 else float(gain.value >= 0)
    said, came = to_output_scale(target, y, first)
    off = [abs(float(np.average(p[group.rows] - y, weights=weight))) for p in pair if p.ndim == 1]
    return Slice(
        group.column, group.value, len(y), customers,
        percentile_interval(measured[0], drawn[:, 0]), percentile_interval(measured[1], drawn[:, 1]), gain,
        worse if np.isfinite(worse) else 1.0, _off(target, y, first, weight),
        float(np.average(said, weights=weight)), float(np.average(came, weights=weight)),
        not target.classes and off[0] <= off[1],
    )  # fmt: skip


def _rare(target: Target, y: Floats) -> int:
    """Rows of the second most frequent class; of a value, those that are not zero."""
    if not target.classes:
        return int((y != 0).sum())
    return int(np.sort(np.bincount(y.astype(np.int64), minlength=2))[-2])


def to_output_scale(target: Target, y: Floats, p: Floats) -> Pair:
    """What was predicted and what came, as the probability, score, NPS or value people read."""
    if p.ndim == 1:
        return p, y
    mix = np.asarray(target.class_values, np.float64)
    return p @ mix, mix[y.astype(np.int64)]


def _off(target: Target, y: Floats, p: Floats, weight: Floats) -> float:
    """The calibration error: of classes the mean over them, of values as a share of their mean."""
    if p.ndim == 2:
        hit = np.eye(p.shape[1])[y.astype(np.int64)]
        each = [expected_calibration_error(hit[:, k], p[:, k], weight) for k in range(p.shape[1])]
        return float(np.mean(each))
    error = expected_calibration_error(y, p, weight)
    if target.classes:
        return error
    mean = float(np.average(y, weights=weight))
    return error / mean if mean > 0 else float("nan")
