"""Warnings about the served models: outdated scores, non-response, silent customers."""

import numpy as np
import pyarrow.parquet as pq

from features.config.company import Company
from features.execution.partitions import column_names
from features.formatting import ENGLISH
from features.settings import Workspace
from insight.formatting.display_names import TITLES
from insight.report_facts import ReportFacts, ScoreColumns
from models.bundles.bundle import Bundle
from models.targets.target import population_mask

#: Targets learnt from survey answers.
SURVEY_TARGETS = ("satisfaction", "nps")
#: Surveys follow an event, scores are made on any day: days of silence show the difference.
SILENCE = "days_since_event"
USUAL = 0.95
#: The share of customers beyond the usual silence from which the page warns.
NOTABLE = 0.2


def model_warnings(facts: ReportFacts) -> list[str]:
    """Warnings that apply to the current scores; empty before the first scoring."""
    scores = facts.scores
    if scores is None:
        return []
    warnings = _outdated(facts, scores)
    if set(SURVEY_TARGETS) & set(scores.versions):
        warnings.append(
            "Predicted satisfaction and NPS are not corrected for non-response: they lean towards the "
            "kind of customer who answers surveys."
        )
    warnings += [
        f"{TITLES[target]}: {ENGLISH.percent(share)} of the customers have been silent for longer than "
        "95% of the customers the model learnt from, whose answers follow an event. For these customers "
        "trust the ranking at most, not the level."
        for target, share in silent_shares(facts).items()
    ]
    return warnings


def _outdated(facts: ReportFacts, scores: ScoreColumns) -> list[str]:
    """A warning where other models, or data of another day, are current now."""
    old = [
        f"{TITLES[target]} by version {version} (version {facts.bundles[target].version} serves)"
        for target, version in scores.versions.items()
        if target in facts.bundles and facts.bundles[target].version != version
    ]
    if scores.as_of != facts.manifest.end:
        old.append(f"as of {scores.as_of:%Y-%m-%d} (the data end on {facts.manifest.end:%Y-%m-%d})")
    return [f"The scores are out of date: {', '.join(old)}. Run `goodwill score`."] if old else []


def silent_shares(facts: ReportFacts) -> dict[str, float]:
    """The share of unusually silent customers, by survey target where it is notable."""
    found = {}
    for target in SURVEY_TARGETS:
        if target in facts.bundles and facts.scores and target in facts.scores.versions:
            churn = facts.bundles.get("churn")
            share = silent_share(target, facts.company, facts.workspace, churn)
            if share is not None and share >= NOTABLE:
                found[target] = share
    return found


def silent_share(
    target: str, company: Company, workspace: Workspace, churn: Bundle | None
) -> float | None:
    """The share of current customers silent for longer than 95% of a target's training rows.

    None where silence is not a feature. Current are all customers, or with `churn` those in its
    population.
    """
    folder = workspace.features(company.name)
    training, snapshot = folder / f"{target}.parquet", folder / "snapshot.parquet"
    if not (training.exists() and snapshot.exists()):
        return None
    condition = churn.population if churn else None
    columns = [SILENCE, *([condition.column] if condition else [])]
    if SILENCE not in column_names(training) or not set(columns) <= set(column_names(snapshot)):
        return None
    features = pq.read_table(snapshot, columns=list(dict.fromkeys(columns)))
    now = np.asarray(features[SILENCE].to_numpy(), np.float64)[population_mask(features, condition)]
    trained = pq.read_table(training, columns=[SILENCE])[SILENCE].to_numpy()
    trained = trained[~np.isnan(trained)]
    if not len(trained) or not len(now):
        return None
    return float(np.mean(now > np.quantile(trained, USUAL)))
