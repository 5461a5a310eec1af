"""Compare a model with its rival in each customer group, and find where it is worse.

Among thirty groups one looks bad by chance. A group therefore counts as lost only after correction for
multiple tests: Holm (1979), "A simple sequentially rejective multiple test procedure".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation.bootstrap import Interval, bootstrap_jointly, percentile_interval
from models.evaluation.metrics import METRICS, PRIMARY, expected_calibration_error
from models.evaluation.slices import AttributeGroup, attribute_title, find_groups
from models.targets.target import Target
from models.training.train import TrainingRows

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]

#: Minimum rows of a group: with fewer, the interval of an AUC is wider than 0.15.
ENOUGH_ROWS = 200
#: Minimum rows of the rarer class (for values: customers who spend), and minimum customers.
ENOUGH_RARE = 20
ENOUGH_CUSTOMERS = 50
ALPHA = 0.05
#: A smaller loss, as a share of the rival's metric, does not matter, however sure it is. Absolute errors
#: of a value are in money, of which nobody notices a twentieth in one group.
MATERIAL, MATERIAL_ERROR = 0.01, 0.05
#: From this size on intervals are narrow anyway, and fewer resamples save time.
MANY_ROWS = 20_000


@dataclass(frozen=True)
class Slice:
    """One customer group: the primary metric of the model and of its rival with 95% intervals.

    `gain` is positive where the model is better. `worse` is the p-value of the gain under the
    hypothesis that the model is not worse in any group, corrected for the number of groups. `off` is
    the calibration error, for a regression as a share of the actual mean; `predicted` and `actual`
    are means of the probability, the score, the NPS (-1 to 1) or the value. `nearer`: the model's
    mean value is closer to the actual mean than the rival's.
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
        """The display name of the group: `company size: large`."""
        return f"{attribute_title(self.column)}: {self.value}"

    @property
    def loss(self) -> float:
        """The loss as a share of the rival's metric; negative for a gain."""
        return -self.gain.value / abs(self.rival.value) if self.rival.value else 0.0


@dataclass(frozen=True)
class Slices:
    """All groups with enough rows to compare, and the names of those that are too small."""

    measure: str
    rival: str
    judged: tuple[Slice, ...]
    too_small: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def worst(self) -> Slice | None:
        """The group with the largest relative loss or the smallest relative gain."""
        return max(self.judged, key=lambda s: s.loss, default=None)

    @property
    def lost(self) -> tuple[Slice, ...]:
        """Groups in which the model is worse beyond chance and materially, the worst first.

        Of values also the mean must be further off: where most customers spend nothing, a rule that
        says 0 has the smaller absolute error than any forecast that is right on average.
        """
        least = MATERIAL_ERROR if self.measure == "mae" else MATERIAL
        found = [s for s in self.judged if s.worse < ALPHA and s.loss >= least and not s.nearer]
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

    def describe(self) -> str:
        """Where the model performs worst, in a few words."""
        if self.worst is None:
            return "no group is large enough to be compared"
        sign = "better" if self.worst.gain.value > 0 else "not better"
        return f"{self.worst.name}, {sign} than the {self.rival}"


def compare_by_slice(
    target: Target,
    rows: TrainingRows,
    model: Floats,
    rival: Floats,
    named: str = "rule",
    levels: Pair | None = None,
) -> Slices:
    """Compare a model with a rival (`named`) in every customer group (`find_groups`) of test rows.

    Of a value, the metric judges medians; `levels` are the expected values of model and rival, whose
    means are compared with the actual one.
    """
    groups = find_groups(rows.features)
    judged: list[Slice] = []
    small: list[str] = []
    for group in groups.found:
        part = _compare_group(target, rows, group, (model, rival), levels or (model, rival))
        if part:
            judged.append(part)
        else:
            small.append(
                f"{attribute_title(group.column)}: {group.value} ({int(group.rows.sum()):,})"
            )
    adjusted = adjust_holm([s.worse for s in judged])
    corrected = tuple(
        Slice(**{**vars(s), "worse": p}) for s, p in zip(judged, adjusted, strict=True)
    )
    return Slices(PRIMARY[target.kind], named, corrected, tuple(small), groups.left_out)


def adjust_holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for multiple tests (Holm), so that the family-wise error rate is kept."""
    order = np.argsort(p_values, kind="stable")
    steps = np.asarray(p_values)[order] * np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(p) for p in corrected]


def _compare_group(
    target: Target, rows: TrainingRows, group: AttributeGroup, pair: Pair, levels: Pair
) -> Slice | None:
    """Compare one group, its p-value not adjusted yet; None when the group is too small."""
    from scipy.stats import norm

    y, weight = rows.label[group.rows], rows.weight[group.rows]
    customer = rows.customer[group.rows]
    customers = len(np.unique(customer))
    if len(y) < ENOUGH_ROWS or customers < ENOUGH_CUSTOMERS or _rare(target, y) < ENOUGH_RARE:
        return None
    metric, first = METRICS[PRIMARY[target.kind]], pair[0][group.rows]
    measured, resampled = bootstrap_jointly(
        metric.function, y, (first, pair[1][group.rows]), weight, customer,
        n=200 if len(y) <= MANY_ROWS else 50,
    )  # fmt: skip
    sign = 1.0 if metric.higher_is_better else -1.0
    differences = sign * (resampled[:, 0] - resampled[:, 1])
    gain = percentile_interval(sign * (measured[0] - measured[1]), differences)
    spread = float(np.nanstd(differences)) if np.isfinite(differences).any() else 0.0
    worse = float(norm.cdf(gain.value / spread)) if spread > 0 else float(gain.value >= 0)
    level = levels[0][group.rows]
    predicted, actual = to_output_scale(target, y, level)
    off = [abs(float(np.average(p[group.rows] - y, weights=weight))) for p in levels if p.ndim == 1]
    return Slice(
        group.column, group.value, len(y), customers,
        percentile_interval(measured[0], resampled[:, 0]),
        percentile_interval(measured[1], resampled[:, 1]), gain,
        worse if np.isfinite(worse) else 1.0, _calibration_error(target, y, level, weight),
        float(np.average(predicted, weights=weight)), float(np.average(actual, weights=weight)),
        not target.classes and off[0] <= off[1],
    )  # fmt: skip


def _rare(target: Target, y: Floats) -> int:
    """Rows of the second most frequent class; for a value, the rows that are not zero."""
    if not target.classes:
        return int((y != 0).sum())
    return int(np.sort(np.bincount(y.astype(np.int64), minlength=2))[-2])


def to_output_scale(target: Target, y: Floats, p: Floats) -> Pair:
    """Convert predictions and outcomes to the scale of the output: probability, score, NPS or value."""
    if p.ndim == 1:
        return p, y
    mix = np.asarray(target.class_values, np.float64)
    return p @ mix, mix[y.astype(np.int64)]


def _calibration_error(target: Target, y: Floats, p: Floats, weight: Floats) -> float:
    """The calibration error: the mean over classes; for a value, as a share of the actual mean."""
    if p.ndim == 2:
        hit = np.eye(p.shape[1])[y.astype(np.int64)]
        each = [expected_calibration_error(hit[:, k], p[:, k], weight) for k in range(p.shape[1])]
        return float(np.mean(each))
    error = expected_calibration_error(y, p, weight)
    if target.classes:
        return error
    mean = float(np.average(y, weights=weight))
    return error / mean if mean > 0 else float("nan")
