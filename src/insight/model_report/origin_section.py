"""A target's judgement at rolling origins, as shown in `models.html`."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from features.formatting import ENGLISH, MISSING
from insight.formatting.display_names import MEASURES, MetricForm, format_interval, format_metric
from models.bundles.model_manifest import ModelManifest
from models.evaluation.bootstrap import Interval
from models.evaluation.origin_evaluation import PARTS

CONTESTANTS = ("model", "rule", "linear")


@dataclass(frozen=True)
class OriginRow:
    """One origin, or their mean: the primary metric of each contestant, and what came of it."""

    name: str
    learnt: str
    tested: str
    metrics: list[str]
    predicted: str
    actual: str
    excess: str


@dataclass(frozen=True)
class OriginSection:
    """The metric that decides at every origin and on average, a summary, and what limits it."""

    metric: str
    summary: str
    rows: list[OriginRow]
    mean: list[tuple[str, str]]
    limits: list[str]
    undated: bool = False


def origin_section(manifest: ModelManifest) -> OriginSection | None:
    """The origins of a served version; None for one of an older version, judged at one moment."""
    judged = manifest.origins
    if not judged:
        return None
    metric = MEASURES[judged["primary"]]
    undated = judged.get("named") == PARTS
    summary = (
        f"The same recipe, judged on {len(judged['each'])} parts of the customers: each model learnt "
        "from all the others. The first is the judged model, the others are smaller fits. "
        "The 95% intervals of the mean hold the spread between parts and between customers. "
        if undated
        else f"The same recipe, judged from {len(judged['each'])} moments: each model learnt only what "
        "was known then. The latest is the judged model, the others are smaller fits. The 95% intervals "
        "of the mean hold the spread between moments and between customers. "
    ) + _level(manifest.kind, judged)
    return OriginSection(
        metric.label,
        summary,
        [
            _row(manifest.kind, one, judged["primary"], metric.form, place if undated else None)
            for place, one in enumerate(judged["each"], start=1)
        ],
        [
            _mean(judged["metrics"].get(who, {}), judged["primary"], metric.form)
            for who in CONTESTANTS
        ],
        list(manifest.origin_limits),
        undated,
    )


def _row(
    kind: str, one: dict[str, Any], primary: str, form: MetricForm, part: int | None = None
) -> OriginRow:
    found = [one["metrics"].get(who, {}).get(primary) for who in CONTESTANTS]
    return OriginRow(
        f"part {part}" if part else ENGLISH.day(datetime.fromisoformat(one["start"])),
        ENGLISH.count(one["learnt"]),
        ENGLISH.count(one["rows"]),
        [MISSING if value is None else format_metric(value, form) for value in found],
        _outcome(kind, one["predicted"]),
        _outcome(kind, one["actual"]),
        ENGLISH.percent(one["excess"]) if one["excess"] is not None else "",
    )


def _mean(metrics: dict[str, Any], primary: str, form: MetricForm) -> tuple[str, str]:
    """The mean over the origins and its interval, as texts."""
    found = metrics.get(primary) or dict.fromkeys(("value", "low", "high"), None)
    ends = {end: math.nan if value is None else float(value) for end, value in found.items()}
    interval = Interval(**ends)
    if not math.isfinite(interval.value):
        return MISSING, ""
    return format_metric(interval.value, form), format_interval(interval, form)


def _level(kind: str, judged: dict[str, Any]) -> str:
    """How far the level of predictions was off when the base rate changed."""
    error = _outcome(kind, judged["level_error"])
    among = "parts" if judged.get("named") == PARTS else "moments"
    unit = " levels" if kind in ("ordinal", "multiclass") else ""
    return f"The mean prediction was off by {error}{unit} (root mean square over the {among})."


def _outcome(kind: str, value: float) -> str:
    if kind == "binary":
        return ENGLISH.percent(value)
    return ENGLISH.count(round(value)) if kind == "regression" else ENGLISH.decimal(value, 2)
