"""One target as the report tells it: what is predicted, how well, and what was decided."""

import math
from dataclasses import dataclass

from features.config.company import TargetConfig
from features.errors import DataRefused
from insight.formatting.display_names import (
    DECISIONS,
    MEASURES,
    TITLES,
    cutoff_words,
    in_words,
    range_text,
    value_text,
)
from insight.formatting.numbers import count, day, share
from insight.formatting.png import Picture
from insight.model_report.holdout_section import Evidence, Measured, from_flat, weigh
from insight.model_report.slices_and_ageing import Ageing, Groups, ageing_told, groups_told
from insight.report_facts import Decision, Facts
from models.bundles.bundle import Bundle
from models.evaluation.grade import metric_names
from models.evaluation.metrics import METRICS
from models.targets.registry import TARGETS
from models.training.train import load_rows, split_rows
from models.training_set.splits import instant


@dataclass(frozen=True)
class Cell:
    """A measured value with its interval; `best` of the contestants or not."""

    value: str
    interval: str
    best: bool


@dataclass(frozen=True)
class Line:
    """A measure of all contestants, model first; `primary` is the one that decides."""

    label: str
    meaning: str
    better: str
    primary: bool
    cells: list[Cell]


@dataclass(frozen=True)
class Section:
    """Everything told about one target."""

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
    lines: list[Line]
    notes: list[str]
    groups: Groups | None
    ageing: Ageing | None
    first: list[Picture]
    more: list[Picture]


def section(target: str, facts: Facts) -> tuple[Section, Measured]:
    """A target that is trained or served, with its measures for the references."""
    bundle = facts.bundles.get(target)
    decision = facts.decisions.get(target)
    evidence, notes = _evidence(bundle, facts)
    if evidence:
        measured = evidence.measured
    else:
        kept = bundle.manifest["metrics"] if bundle else decision.metrics if decision else {}
        measured = from_flat(kept)
    outcome = decision.decision if decision else ""
    return Section(
        name=target,
        title=TITLES[target],
        grade=str(bundle.manifest["grade"]) if bundle else (decision and decision.grade) or "",
        version=bundle.version if bundle else "",
        grade_reason=in_words(str(bundle.manifest["grade_reason"])) if bundle else "",
        decision=DECISIONS.get(outcome, outcome) or "no training run is on record",
        outcome=outcome,
        reason=_reason(decision, bundle),
        definition=_definition(target, facts, bundle, evidence),
        labels=_labels(target, facts, bundle),
        lines=measure_lines(target, measured, facts.company.about.currency),
        notes=notes,
        groups=groups_told(target, evidence.slices) if evidence else None,
        ageing=ageing_told(target, facts.company, facts.workspace),
        first=evidence.first if evidence else [],
        more=evidence.more if evidence else [],
    ), measured


def _reason(decision: Decision | None, bundle: Bundle | None) -> str:
    """Why it was decided so, without the grade's reason that stands above it."""
    told = decision.reason if decision else ""
    if bundle:
        told = told.replace(f"; {bundle.manifest['grade_reason']}", "")
    return in_words(told)


def _evidence(bundle: Bundle | None, facts: Facts) -> tuple[Evidence | None, list[str]]:
    """The model on the current test rows, and what to know about the comparison."""
    if bundle is None:
        return None, ["No model serves, so there is nothing to draw; the figures are of the run."]
    try:
        evidence = weigh(bundle, facts.company, facts.workspace)
    except DataRefused as err:
        return None, [f"The figures are those of its training: {err}."]
    small = [f"{warning}." for warning in evidence.warnings]
    if not evidence.moved:
        return evidence, small
    return evidence, [
        "The data have moved on since this model was trained: model and rule are measured on the "
        "current test rows, the linear model's column is that of the training.",
        *small,
    ]


def _definition(
    target: str, facts: Facts, bundle: Bundle | None, evidence: Evidence | None
) -> list[tuple[str, str]]:
    config = facts.company.target(target)
    if bundle:
        kept = {k: bundle.manifest[k] for k in ("horizon_days", "gap_days", "definition")}
        config = config.model_copy(update=kept)
    counts = facts.counts.get(target)
    cutoffs = list(bundle.manifest["cutoffs"] if bundle else counts.cutoffs if counts else [])
    lines = [
        ("What is predicted", TARGETS[target].describe_label(config)),
        ("For whom", TARGETS[target].describe_population(config)),
        ("Horizon", _horizon(config)),
        ("Cutoffs", cutoff_words(cutoffs, TARGETS[target].on_calendar)),
    ]
    test = _test_words(target, facts)
    if test and evidence:
        test += f": {count(evidence.rows)} rows of {count(evidence.customers)} customers"
    return lines + ([("Judged on", test)] if test else [])


def _horizon(config: TargetConfig) -> str:
    gap = f", after a gap of {config.gap_days} days" if config.gap_days else ""
    return f"{config.horizon_days} days{gap}"


def _test_words(target: str, facts: Facts) -> str:
    """From when the rows are that judge the model."""
    if target not in facts.counts:
        return ""
    rows = load_rows(facts.company, facts.workspace, target)
    start = split_rows(TARGETS[target], facts.company.target(target), rows).test_start
    if TARGETS[target].on_calendar:
        return f"the last cutoff, {day(start)}"
    return f"questions sent {day(start)} to {day(instant(int(rows.cutoff.max())))}"


def _labels(target: str, facts: Facts, bundle: Bundle | None) -> list[tuple[str, str, str]]:
    """How the labels fall: class, rows, share; then the rows that are not used."""
    counts = facts.counts.get(target)
    given = counts.classes if counts else bundle.manifest["label_counts"] if bundle else {}
    total = sum(given.values()) or 1
    order = TARGETS[target].classes or tuple(given)
    lines = [(c, count(given[c]), share(given[c] / total)) for c in order if c in given]
    if counts:
        lines += [
            (words, count(rows), "")
            for words, rows in (
                ("not used: outside the population", counts.outside),
                ("not used: window not over yet", counts.unripe),
                ("not used: answered after the horizon", counts.late),
                ("not used: beyond max_rows", counts.sampled_out),
            )
            if rows
        ]
    return lines


def measure_lines(target: str, measured: Measured, currency: str = "") -> list[Line]:
    """The table of measures: the model, its rule and the linear model beside each other."""
    names = metric_names(TARGETS[target].kind)
    return [
        _line(name, measured, currency, primary=name == names[0])
        for name in names
        if any(name in of for of in measured.values())
    ]


def _line(name: str, measured: Measured, currency: str, primary: bool) -> Line:
    words, high = MEASURES[name], METRICS[name].higher_is_better
    found = [measured.get(who, {}).get(name) for who in ("model", "rule", "linear")]
    values = [i.value for i in found if i is not None and math.isfinite(i.value)]
    best = (max(values) if high else min(values)) if values else math.nan
    cells = [
        Cell("–", "", False)
        if interval is None
        else Cell(
            value_text(interval.value, words.form),
            range_text(interval, words.form),
            interval.value == best,
        )
        for interval in found
    ]
    label = f"{words.label}, {currency}" if words.form == "money" else words.label
    return Line(label, words.meaning, "higher" if high else "lower", primary, cells)
