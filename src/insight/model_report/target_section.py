"""Section of one target: what is predicted, how well, and the decision of the last training run."""

import math
from dataclasses import dataclass

from features.config.company import TargetConfig
from features.config.snapshot_settings import NO_HORIZON
from features.errors import DataRefused
from features.formatting import ENGLISH, MISSING
from insight.formatting.display_names import (
    DECISIONS,
    MEASURES,
    TITLES,
    describe_cutoffs,
    format_interval,
    format_metric,
    reason_sentence,
)
from insight.formatting.plot_images import PlotImage
from insight.model_report.holdout_section import (
    HoldoutEvaluation,
    MetricsByContestant,
    evaluate_on_holdout,
    unflatten_metrics,
)
from insight.model_report.origin_section import OriginSection, origin_section
from insight.model_report.slices_and_staleness import (
    AgeingSection,
    SliceSection,
    ageing_section,
    slice_section,
)
from insight.report_facts import ReportFacts, TrainingDecision
from models.bundles.bundle import Bundle
from models.evaluation.grade import metric_names
from models.evaluation.metrics import METRICS
from models.targets.registry import TARGETS
from models.training.train import load_rows, split_rows
from models.training_set.splits import instant


@dataclass(frozen=True)
class MetricCell:
    """A metric of one contestant with its interval; `best` marks the best contestant."""

    value: str
    interval: str
    best: bool


@dataclass(frozen=True)
class MetricRow:
    """A metric of model, baseline rule and linear model; the `primary` metric decides."""

    label: str
    meaning: str
    better: str
    primary: bool
    cells: list[MetricCell]


@dataclass(frozen=True)
class TargetSection:
    """Everything shown about one target."""

    name: str
    title: str
    grade: str
    version: str
    grade_reason: str
    decision: str
    outcome: str
    reason: str
    definition: list[tuple[str, str]]
    labels: list[tuple[str, str, str]]
    metrics: list[MetricRow]
    notes: list[str]
    origins: OriginSection | None
    slices: SliceSection | None
    ageing: AgeingSection | None
    first_plots: list[PlotImage]
    more_plots: list[PlotImage]


def target_section(target: str, facts: ReportFacts) -> tuple[TargetSection, MetricsByContestant]:
    """The section of a trained or served target, and its metrics for the published benchmarks."""
    bundle = facts.bundles.get(target)
    decision = facts.decisions.get(target)
    holdout, notes = _holdout(bundle, facts)
    if holdout:
        metrics = holdout.metrics
    else:
        kept = bundle.manifest.metrics if bundle else decision.metrics if decision else {}
        metrics = unflatten_metrics(kept)
    outcome = decision.decision if decision else ""
    return TargetSection(
        name=target,
        title=TITLES[target],
        grade=str(bundle.manifest.grade) if bundle else (decision and decision.grade) or "",
        version=bundle.version if bundle else "",
        grade_reason=reason_sentence(str(bundle.manifest.grade_reason)) if bundle else "",
        decision=DECISIONS.get(outcome, outcome) or "no training run yet",
        outcome=outcome,
        reason=_reason(decision, bundle),
        definition=_definition(target, facts, bundle, holdout),
        labels=_labels(target, facts, bundle),
        metrics=metric_rows(target, metrics, facts.company.info.currency),
        notes=notes,
        origins=origin_section(bundle.manifest) if bundle else None,
        slices=slice_section(target, holdout.slices) if holdout else None,
        ageing=ageing_section(target, facts.company, facts.workspace),
        first_plots=holdout.first_plots if holdout else [],
        more_plots=holdout.more_plots if holdout else [],
    ), metrics


def _reason(decision: TrainingDecision | None, bundle: Bundle | None) -> str:
    """The reason for the decision, without the reason for the grade, which is shown above it."""
    reason = decision.reason if decision else ""
    if bundle:
        reason = reason.replace(f"; {bundle.manifest.grade_reason}", "")
    return reason_sentence(reason)


def _holdout(
    bundle: Bundle | None, facts: ReportFacts
) -> tuple[HoldoutEvaluation | None, list[str]]:
    """The holdout evaluation of the serving model, and notes on it."""
    if bundle is None:
        return None, ["No model serves: the metrics are those of the last training run."]
    try:
        holdout = evaluate_on_holdout(bundle, facts.company, facts.workspace)
    except DataRefused as err:
        return None, [f"The metrics are those of the training run: {err}."]
    small = [f"{warning}." for warning in holdout.warnings]
    if not holdout.data_changed:
        return holdout, small
    return holdout, [
        "The data have changed since this model was trained: model and baseline rule are evaluated on "
        "the current test rows; the linear model's metrics are those of the training run.",
        *small,
    ]


def _definition(
    target: str, facts: ReportFacts, bundle: Bundle | None, holdout: HoldoutEvaluation | None
) -> list[tuple[str, str]]:
    config = facts.company.target(target)
    if bundle:
        kept = {k: getattr(bundle.manifest, k) for k in ("horizon_days", "gap_days", "definition")}
        config = config.model_copy(update=kept)
    counts = facts.counts.get(target)
    cutoffs = list(bundle.manifest.cutoffs if bundle else counts.cutoffs if counts else [])
    rows = [
        ("Prediction", TARGETS[target].describe_label(config)),
        ("Customers", TARGETS[target].describe_population(config)),
        ("Horizon", _horizon(config)),
        ("Cutoffs", describe_cutoffs(cutoffs, TARGETS[target].on_calendar)),
    ]
    test = _test_words(target, facts)
    if test and holdout:
        test += (
            f": {ENGLISH.count(holdout.rows)} rows of {ENGLISH.count(holdout.customers)} customers"
        )
    return rows + ([("Test set", test)] if test else [])


def _horizon(config: TargetConfig) -> str:
    if config.is_snapshot:
        return NO_HORIZON
    gap = f", after a gap of {config.gap_days} days" if config.gap_days else ""
    return f"{config.horizon_days} days{gap}"


def _test_words(target: str, facts: ReportFacts) -> str:
    """The time span of the test rows."""
    if target not in facts.counts:
        return ""
    config = facts.company.target(target)
    if config.is_snapshot:
        return f"{ENGLISH.percent(config.test_share)} of the customers, by a hash of their ids"
    rows = load_rows(facts.company, facts.workspace, target)
    start = split_rows(TARGETS[target], config, rows).test_start
    if TARGETS[target].on_calendar:
        return f"the last cutoff, {ENGLISH.day(start)}"
    end = instant(int(rows.cutoff.max()))
    return f"questions sent {ENGLISH.day(start)} to {ENGLISH.day(end)}"


def _labels(target: str, facts: ReportFacts, bundle: Bundle | None) -> list[tuple[str, str, str]]:
    """Rows and share of each label class, then the rows that are not used."""
    counts = facts.counts.get(target)
    given = counts.classes if counts else bundle.manifest.label_counts if bundle else {}
    total = sum(given.values()) or 1
    order = TARGETS[target].classes or tuple(given)
    rows = [
        (c, ENGLISH.count(given[c]), ENGLISH.percent(given[c] / total)) for c in order if c in given
    ]
    if counts:
        rows += [
            (why, ENGLISH.count(number), "")
            for why, number in (
                ("not used: outside the population", counts.outside),
                ("not used: label window not over yet", counts.unripe),
                ("not used: left before the label window", counts.left_before),
                ("not used: no label", counts.unlabelled),
                ("not used: answered after the horizon", counts.late),
                ("not used: beyond max_rows", counts.sampled_out),
            )
            if number
        ]
    return rows


def metric_rows(target: str, metrics: MetricsByContestant, currency: str = "") -> list[MetricRow]:
    """The table of metrics: model, baseline rule and linear model."""
    names = metric_names(TARGETS[target].kind)
    return [
        _metric_row(name, metrics, currency, primary=name == names[0])
        for name in names
        if any(name in of for of in metrics.values())
    ]


def _metric_row(name: str, metrics: MetricsByContestant, currency: str, primary: bool) -> MetricRow:
    metric, high, ideal = MEASURES[name], METRICS[name].higher_is_better, METRICS[name].best
    found = [metrics.get(who, {}).get(name) for who in ("model", "rule", "linear")]
    values = [i.value for i in found if i is not None and math.isfinite(i.value)]
    best = _best(name, values)
    cells = [
        MetricCell(MISSING, "", False)
        if interval is None
        else MetricCell(
            format_metric(interval.value, metric.form),
            format_interval(interval, metric.form),
            interval.value == best,
        )
        for interval in found
    ]
    label = f"{metric.label}, {currency}" if metric.form == "money" else metric.label
    better = f"nearer to {ideal:g}" if ideal is not None else "higher" if high else "lower"
    return MetricRow(label, metric.meaning, better, primary, cells)


def _best(name: str, values: list[float]) -> float:
    """The best of some values of a metric; NaN without any."""
    if not values:
        return math.nan
    ideal = METRICS[name].best
    if ideal is not None:
        return min(values, key=lambda value: abs(value - ideal))
    return max(values) if METRICS[name].higher_is_better else min(values)
