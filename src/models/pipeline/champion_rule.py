"""The champion rule: when a challenger replaces the champion, and when it may not serve at all.

A challenger must be better beyond noise, or fresher and not worse within a margin. So two models that
differ by chance only, such as by their seeds, do not take turns night by night
(docs/decisions/0023-judged-then-refitted.md).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from features.definitions.feature_registry import FeatureColumn
from features.feature_table import is_in_family
from features.text.comment_score_model import CommentScoreModel
from models.bundles.bundle import Bundle
from models.evaluation.bootstrap import Interval
from models.evaluation.grade import (
    Array,
    check_predictions,
    format_interval,
    metric_names,
    paired_gain,
)
from models.evaluation.metrics import METRICS, PRIMARY, judged_by
from models.training.train import TrainedTarget
from models.training_set.splits import instant
from models.validation.refit_agreement import RefitAgreement
from models.validation.slice_metrics import Slices, compare_by_slice

#: Settings of a target that define its label: models with other settings are not comparable.
LABEL_SETTINGS = ("horizon_days", "gap_days", "definition")
#: A fresher challenger may be worse than the champion by this share of the champion's own metric.
MARGIN = 0.01
#: Fresher: the labels reach further by at least so many days, and by this share of the horizon.
FRESHER_DAYS, FRESHER_SHARE = 30, 1 / 3


@dataclass(frozen=True)
class ChampionComparison:
    """Whether the challenger is better than the champion, by how much, and why."""

    better: bool
    gain: Interval
    reason: str

    def __bool__(self) -> bool:
        return self.better


@dataclass(frozen=True)
class Promotion:
    """The decision on a challenger: `promoted`, `kept` (the champion) or `refused` (no champion)."""

    decision: str
    reason: str


def decide_promotion(
    trained: TrainedTarget,
    slices: Slices,
    champion: Bundle | None,
    columns: Iterable[FeatureColumn],
    comment_model: CommentScoreModel | None,
    agreement: RefitAgreement,
) -> Promotion:
    """Decide whether a challenger becomes the champion.

    It must beat its business rule overall (grade A or B) and lose to it in no slice beyond chance.
    Its refit on all labels must still predict as it does (`agreement`). It must not read features
    that the service does not know; `columns` are all features there are. Then, on the challenger's
    test rows, it must be better than the champion beyond noise, or fresher and not worse within a
    margin (`compare_with_champion`), and lose to it in no slice. The same labels never replace the
    champion. `champion` is the judged model of the serving version: neither it nor the challenger has
    seen these rows. A champion that cannot be compared, or reads comments with another model, is
    replaced.
    """
    fallback = "kept" if champion else "refused"
    if trained.evaluation.grade == "C":
        return Promotion(fallback, trained.evaluation.reason)
    if objection := slices.objection or agreement.objection:
        return Promotion(fallback, objection)
    used = set(trained.estimator.encoder.columns)
    if unknown := [c for c in columns if c.name in used and not is_in_family(c)]:
        return Promotion(
            fallback,
            f"{unknown[0].name} is declared in {unknown[0].declared_in}, which the service does not "
            "know; move the function into a family file",
        )
    if champion is None:
        return Promotion("promoted", f"the first model; {trained.evaluation.reason}")
    if obstacle := _obstacle(trained, champion, comment_model):
        return Promotion(
            "promoted", f"version {champion.version} cannot be compared: it {obstacle}"
        )
    return _compare(trained, champion)


def _obstacle(
    trained: TrainedTarget, champion: Bundle, comment_model: CommentScoreModel | None
) -> str | None:
    """Why the champion cannot be compared with the challenger; None when it can."""
    missing = sorted(set(champion.columns) - set(trained.test.features.column_names) - {"season"})
    other = [
        k for k in LABEL_SETTINGS if getattr(champion.manifest, k) != getattr(trained.config, k)
    ]
    if missing or other:
        return f"needs {missing[0]}" if missing else f"has another {other[0]}"
    if trained.typical and not champion.typical:
        return "predicts the median of the value only, whose sums are too low"
    if champion.tone and champion.tone != comment_model:
        return "reads comments with another model"
    return None


def _compare(trained: TrainedTarget, champion: Bundle) -> Promotion:
    """Compare the challenger with the champion on the challenger's test rows."""
    if trained.labels.digest == champion.manifest.labels_digest:
        return Promotion(
            "kept",
            f"the labels are those of version {champion.version}; a model of the same labels never "
            "replaces the champion",
        )
    test = trained.test
    features = test.features
    if "season" in champion.columns and "season" not in features.column_names:
        months = [float(instant(int(c)).month) for c in test.cutoff]
        features = features.append_column("season", [np.array(months)])
    means = trained.predictions["model"], champion.calibrated(features)
    medians = champion.typical_value(features)
    ours, theirs = (
        judged_by(PRIMARY[trained.target.kind], trained.predictions),
        means[1] if medians is None else medians,
    )
    comparison = compare_with_champion(
        trained.target.kind, test.label, ours, theirs, test.weight, test.customer,
        fresher_days=fresher_days(
            trained.labels.until, champion.manifest.labels_end, trained.config.horizon_days
        ),
    )  # fmt: skip
    if not comparison:
        return Promotion("kept", comparison.reason)
    slices = compare_by_slice(trained.target, test, ours, theirs, "champion", means)
    if slices.objection:
        return Promotion("kept", slices.objection)
    return Promotion("promoted", comparison.reason)


def fresher_days(challenger: datetime, champion: str, horizon_days: int) -> int | None:
    """How many days the challenger's labels reach further; None when that is too little to matter.

    `challenger` and `champion` (ISO text, empty where unknown) are the ends of the last label windows.
    """
    if not champion:
        return None
    days = (challenger - datetime.fromisoformat(champion)).days
    return days if days >= max(FRESHER_DAYS, FRESHER_SHARE * horizon_days) else None


def compare_with_champion(
    kind: str,
    y: Array,
    challenger: Array,
    champion: Array,
    weight: Array | None = None,
    groups: Array | None = None,
    seed: int = 0,
    fresher_days: int | None = None,
) -> ChampionComparison:
    """Compare the primary measure of challenger and champion on the same rows.

    The challenger wins when the 95% interval of its gain is above 0; a fresher one (`fresher_days`)
    also when it is not worse beyond noise, and at most 1% of the champion's measure worse. Otherwise,
    also when the measure is undefined on these rows, the champion stays.
    """
    name = metric_names(kind)[0]
    check_predictions(y, {"challenger": challenger, "champion": champion})
    gain = paired_gain(name, y, (challenger, champion), (weight, groups), seed)
    ours, theirs = (METRICS[name].function(y, p, weight) for p in (challenger, champion))
    not_worse = bool(gain.high >= 0 and gain.value >= -MARGIN * abs(theirs))
    better = bool(gain.low > 0) or (not_worse and fresher_days is not None)
    noise = "beyond chance" if gain.low > 0 or gain.high < 0 else "within the noise"
    if not np.isfinite(gain.value):
        noise = "undefined on these rows"
    fresher = f"; its labels reach {fresher_days} days further" if fresher_days is not None else ""
    reason = (
        f"the challenger {'replaces' if better else 'does not replace'} the champion: {name} "
        f"{ours:.4g} against {theirs:.4g} on {len(y)} rows, "
        f"{format_interval(gain, sign='+')} better, {noise}{fresher}"
    )
    return ChampionComparison(better, gain, reason)
