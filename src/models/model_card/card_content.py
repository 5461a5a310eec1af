"""The content of a model card, section by section: from the data to the limits."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from features.definitions.catalog import as_percent
from models.bundles.model_manifest import ModelManifest
from models.evaluation.active_customers import evaluate_active
from models.evaluation.bootstrap import Interval
from models.evaluation.calibration_error import calibration_error
from models.evaluation.origin_evaluation import PARTS
from models.model_card.render_card import Card, Part, Table
from models.training.train import TrainedTarget
from models.validation.slice_metrics import Slice, to_output_scale
from models.validation.validation_checks import ValidationChecks

Floats = NDArray[np.float64]

#: The fields of the manifest that a card shows, with their labels.
FACTS = {
    "company": "Company",
    "version": "Version",
    "trained_at": "Trained",
    "data_end": "Data up to",
    "labels_until": "Labels up to",
    "horizon_days": "Horizon, days",
    "gap_days": "Gap, days",
    "test_start": "Evaluated on rows from",
    "fingerprint": "Data fingerprint",
    "code_revision": "Code revision",
}
#: Those that a snapshot without dates has not.
DATED = ("data_end", "labels_until", "horizon_days", "gap_days", "test_start")
STRONGEST = 12
#: Test rows that are explained: exact reasons for all of them would take longer than training.
EXPLAINED = 500
BANDS = 5
WORST = 10
LIMITS = (
    "It says what is likely, not why: what moves a prediction is no cause, and changing it need not "
    "change the customer.",
    "It holds for customers like those it learnt from, as long as the company works as it did then.",
    "A category that training never saw, or saw in fewer than one row in fifty, counts as missing.",
)


def build_card(trained: TrainedTarget, manifest: ModelManifest, checks: ValidationChecks) -> Card:
    """Build the card of a trained target; `manifest` has the version already."""
    target, config = trained.target, trained.config
    return Card(
        title=f"{target.title}, version {manifest.version}",
        summary=f"{target.describe_label(config)} {target.describe_population(config)}",
        grade=f"{manifest.grade}: {manifest.grade_reason}",
        parts=(
            _data(manifest),
            _labels(trained, manifest),
            _measures(trained),
            _origins(manifest),
            *_active(trained),
            _groups(checks),
            _calibration(trained),
            *_sums(trained),
            _ageing(checks),
            _reasons(trained, manifest),
            _limits(manifest, checks),
            _features(manifest),
        ),
    )


def _data(manifest: ModelManifest) -> Part:
    """The facts, and what serves: a refit, and how it agrees with the judged model."""
    agreed = manifest.refit_agreement or {}
    sentences: tuple[str, ...] = ()
    if agreed:
        sentences = (
            "What serves is a refit: the judged recipe on all labels up to "
            f"{manifest.labels_until[:10]}, calibrated on customers that its trees had not seen. On the "
            f"test rows its rank correlation with the judged model is "
            f"{_figure(agreed.get('correlation', math.nan))}, and its mean differs by "
            f"{_figure(agreed.get('difference', math.nan))} standard deviations.",
        )
    if manifest.definition == "snapshot":
        shown = {key: words for key, words in FACTS.items() if key not in DATED}
        return Part("The data", sentences, points=_points(manifest, shown))
    cutoffs = f"Training cutoffs: {_span(manifest.cutoffs)}"
    return Part("The data", sentences, points=(*_points(manifest, FACTS), cutoffs))


def _points(manifest: ModelManifest, facts: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{words}: {getattr(manifest, key)}" for key, words in facts.items())


def _span(cutoffs: Sequence[str]) -> str:
    """The first and last cutoff, and their number."""
    if len(cutoffs) < 2:
        return ", ".join(c[:10] for c in cutoffs)
    return f"{cutoffs[0][:10]} to {cutoffs[-1][:10]} ({len(cutoffs)})"


def _labels(trained: TrainedTarget, manifest: ModelManifest) -> Part:
    counts = manifest.label_counts
    total = sum(counts.values()) or 1
    rows = [(name, f"{n:,}", as_percent(n / total)) for name, n in counts.items()]
    target, config = trained.target, trained.config
    sentences = (target.describe_label(config), target.describe_population(config))
    return Part("The label", sentences, table=Table(("label", "rows", "share"), rows))


def _measures(trained: TrainedTarget) -> Part:
    evaluation = trained.evaluation
    names = list(evaluation.metrics["model"])
    undated = trained.config.is_snapshot
    unlike = "none of whom it learnt from" if undated else "later than all it learnt from"
    sentences = (
        f"{evaluation.rows:,} rows of {evaluation.customers:,} customers, {unlike}; 95% intervals from "
        f"resampled customers. {evaluation.primary} decides.",
    )
    contestants = tuple(evaluation.metrics)
    rows = [(n, *(_shown(evaluation.metrics[who].get(n)) for who in contestants)) for n in names]
    where = "on other customers" if undated else "on later data"
    return Part(f"How well, {where}", sentences, table=Table(("measure", *contestants), rows))


def _origins(manifest: ModelManifest) -> Part:
    """Every origin in a row, then their mean; what limits it, and how far the level moves."""
    judged = manifest.origins or {}
    primary, rivals = judged["primary"], ("rule", "linear")
    undated = judged.get("named") == PARTS
    where, among = ("part", "parts") if undated else ("from", "moments")
    head = (where, "learnt rows", "tested rows", primary, *rivals, "predicted", "actual",
            "calibration error beyond chance")  # fmt: skip
    rows = [
        (
            f"part {place}" if undated else one["start"][:10],
            f"{one['learnt']:,}",
            f"{one['rows']:,}",
            *(_maybe(one["metrics"][who][primary]) for who in ("model", *rivals)),
            _figure(one["predicted"]),
            _figure(one["actual"]),
            _maybe(one["excess"]),
        )
        for place, one in enumerate(judged["each"], start=1)
    ]
    over = [_shown(Interval(**_nan(judged["metrics"][who][primary]))) for who in ("model", *rivals)]
    rows.append(("mean", "", "", *over, "", "", ""))
    level = _shown(Interval(**_nan(judged["level"])))
    sentences = (
        f"The same recipe judged on {len(rows) - 1} parts of the customers: each model learnt from all "
        "others. The first row is the judged model itself; the others are smaller fits. 95% intervals "
        "hold the spread between parts and between customers; the mean gain decides on the grade."
        if undated
        else f"The same recipe judged from {len(rows) - 1} moments: each model learnt what was known "
        "then. The latest row is the judged model itself; older ones are smaller fits. 95% intervals "
        "hold the spread between moments and between customers; the mean gain decides on the grade.",
        f"The level moves: actual less predicted means are {level} over the {among}, their "
        f"root mean square is {_figure(judged['level_error'])}. A prediction's level is as uncertain as "
        "that.",
        *manifest.origin_limits,
    )
    where = (
        "On several parts of the customers" if undated else "At several moments (rolling origins)"
    )
    return Part(where, sentences, table=Table(head, rows))


def _nan(interval: dict[str, float | None]) -> dict[str, float]:
    return {end: math.nan if value is None else value for end, value in interval.items()}


def _maybe(value: float | None) -> str:
    return _figure(math.nan if value is None else value)


def _active(trained: TrainedTarget) -> list[Part]:
    """A value's metrics among active customers apart; nothing for other targets."""
    test = trained.test
    if trained.target.kind != "regression":
        return []
    active = evaluate_active(
        test.features, test.label, trained.predictions, test.weight, test.customer
    )
    if active is None:
        return []
    sentence = (
        f"{active.rows:,} rows of {active.customers:,} customers who ordered in the 365 days before "
        "the cutoff. Telling the silent from the active is easy; this is how well the active are "
        "ranked."
    )
    names = list(active.metrics["model"])
    rows = [(n, *(_shown(of[n]) for of in active.metrics.values())) for n in names]
    table = Table(("measure", *active.metrics), rows)
    return [Part("Active customers apart", (sentence,), table=table)]


def _groups(checks: ValidationChecks) -> Part:
    slices = checks.slices
    lost = ", ".join(s.name for s in slices.lost) or "none"
    sentences = [
        f"Where it does worst: {slices.describe()}. Worse than the {slices.rival} beyond chance among "
        f"{len(slices.judged)} groups: {lost}.",
    ]
    if slices.too_small:
        sentences.append(
            f"{len(slices.too_small)} groups have too few rows to be evaluated separately."
        )
    if slices.left_out:
        sentences.append(f"Not looked at: {', '.join(slices.left_out)}.")
    ranked = sorted(slices.judged, key=lambda s: -s.loss)[:WORST]
    head = ("group", "rows", slices.measure, slices.rival, "gain", "calibration error", "predicted",
            "actual")  # fmt: skip
    rows = [_group(one) for one in ranked]
    return Part("Groups of customers, the worst first", tuple(sentences), table=Table(head, rows))


def _group(one: Slice) -> tuple[str, ...]:
    figures = (one.off, one.predicted, one.actual)
    intervals = (_shown(one.model), _shown(one.rival), _shown(one.gain))
    return (one.name, f"{one.rows:,}", *intervals, *(_figure(v) for v in figures))


def _calibration(trained: TrainedTarget) -> Part:
    """Predicted and actual means by fifths of the prediction, on the output scale."""
    test = trained.test
    predicted, actual = to_output_scale(trained.target, test.label, trained.predictions["model"])
    order = np.argsort(predicted, kind="stable")
    rows = []
    for place, band in enumerate(np.array_split(order, BANDS), start=1):
        if len(band):
            means = (np.average(v[band], weights=test.weight[band]) for v in (predicted, actual))
            rows.append((f"fifth {place}", f"{len(band):,}", *(_figure(float(m)) for m in means)))
    head = ("predicted lowest to highest", "rows", "predicted", "actual")
    sentence = (
        f"Corrected by the method {trained.calibrator.method}; means by fifths of the test rows."
    )
    return Part("Calibration", (sentence, *_calibration_error(trained)), table=Table(head, rows))


def _sums(trained: TrainedTarget) -> tuple[Part, ...]:
    """Predicted and actual sums of each origin; nothing for targets that cannot be summed."""
    if trained.sums is None:
        return ()
    sums = trained.sums
    rows = [
        (o.cutoff[:10], f"{o.customers:,}", _figure(o.predicted), _figure(o.actual),
         _figure(o.predicted / o.actual) if o.actual > 0 else "–")
        for o in sums.origins
    ]  # fmt: skip
    sentence = (
        "Sums of expected values over rolling origins, each predicted from what was known then (the "
        "last one by this model, the others by smaller ones). Predicted over actual, all together: "
        f"{_shown(sums.interval)}, 90% interval over origins and customers."
    )
    head = ("origin", "customers", "predicted", "actual", "ratio")
    return (Part("Sums", (sentence,), table=Table(head, rows)),)


def _calibration_error(trained: TrainedTarget) -> tuple[str, ...]:
    """The calibration error and its size by chance alone; nothing for values."""
    if not trained.target.classes:
        return ()
    test = trained.test
    found = calibration_error(
        test.label, trained.predictions["model"], test.weight, groups=test.customer
    )
    return (found.describe(),)


def _ageing(checks: ValidationChecks) -> Part:
    staleness = checks.staleness
    sentence = (
        f"By its age a model is {staleness.describe()}."
        if staleness.lasts is not None
        else f"{staleness.describe().capitalize()}."
    )
    rows = [
        (f"{a.months}", f"{a.rows:,}", _shown(a.model), _shown(a.loss), _kept(a.kept))
        for a in staleness.ages
    ]
    head = ("age in months", "training rows", staleness.measure, "lost", "lead over the rule kept")
    return Part("Ageing: today's test by older models", (sentence,), table=Table(head, rows))


def _kept(share: float) -> str:
    """A share in percent; a dash where it is undefined."""
    return f"{100 * share:.0f} %" if math.isfinite(share) else "–"


def _reasons(trained: TrainedTarget, manifest: ModelManifest) -> Part:
    """The strongest features: mean absolute exact contributions over some test rows."""
    some = np.unique(np.linspace(0, len(trained.test.label) - 1, EXPLAINED).astype(np.int64))
    shares = trained.estimator.contributions(trained.test.features.take(some))[..., :-1]
    if shares.ndim == 3:  # the scores of the classes, combined into one
        values = trained.target.class_values or range(shares.shape[1])
        shares = np.einsum("nck,c->nk", shares, np.asarray(values, np.float64))
    size = np.abs(shares).mean(axis=0)
    total = float(size.sum()) or 1.0
    meanings = {f["name"]: f["meaning"] for f in manifest.features}
    columns = trained.estimator.encoder.columns
    order = [int(i) for i in np.argsort(-size, kind="stable")[:STRONGEST] if size[i] > 0]
    rows = [(columns[i], meanings.get(columns[i], ""), f"{size[i] / total:.1%}") for i in order]
    sentence = "Mean share in what moves a score up or down (TreeSHAP); no causes."
    head = ("feature", "meaning", "share")
    return Part("What moves it", (sentence,), table=Table(head, rows, words=2))


def _limits(manifest: ModelManifest, checks: ValidationChecks) -> Part:
    dropped = manifest.dropped_features
    points = [*checks.warnings, *LIMITS]
    if dropped:
        points.append(f"{len(dropped)} features say nothing in training and are not read.")
    return Part("Limits", points=tuple(points))


def _features(manifest: ModelManifest) -> Part:
    rows = [
        (f["name"], f["meaning"], f["unit"], f["source"], as_percent(f["missing"]))
        for f in manifest.features
    ]
    head = ("feature", "meaning", "unit", "source", "missing")
    return Part("What it reads", table=Table(head, rows, words=4))


def _shown(interval: Interval | None) -> str:
    if interval is None or not math.isfinite(interval.value):
        return "–"
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return _figure(interval.value)
    return f"{_figure(interval.value)} ({_figure(interval.low)} to {_figure(interval.high)})"


def _figure(value: float) -> str:
    """Format with about three digits, never in powers of ten."""
    if not math.isfinite(value):
        return "–"
    places = 3 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    return f"{value:,.{places}f}"
