"""Non-response results of a company: corrected metrics of both questions, and the next invitations."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.atomic_write import write_text_atomically
from features.config.company import Company
from features.config.snapshot_settings import NO_DATES
from features.errors import ConfigRefused, DataRefused
from features.history_store import Manifest
from features.progress import Steps
from features.settings import Workspace
from models.nonresponse.aipw import aipw_mean
from models.nonresponse.estimate import (
    ANSWER_METRICS,
    AnswerMetric,
    NonresponseModel,
    check_enough_answers,
    estimate_respondents,
    fit_nonresponse_model,
)
from models.nonresponse.group_estimates import estimate_by_group, grouping_attributes
from models.nonresponse.invitations import QUESTIONS, Invitations, load_invitations
from models.nonresponse.ipw_weights import LOWEST_PROPENSITY
from models.nonresponse.next_invitations import select_invitations
from models.nonresponse.overlap import estimate_all_customers, measure_overlap
from models.nonresponse.sampling_frame import build_candidates, is_current_customer, read_snapshot
from models.nonresponse.sensitivity import GAMMAS, sensitivity_bound, smallest_gamma
from models.targets.registry import TARGETS, trainable

Floats = NDArray[np.float64]

FILE, LIST = "nonresponse.json", "ask_next.csv"
#: Number of features listed with the largest differences between respondents and all invitations.
WORST = 10


def write_nonresponse_results(company: Company, workspace: Workspace, steps: Steps) -> list[Path]:
    """Estimate both questions, write `nonresponse.json` and `ask_next.csv`, and return the paths.

    A question that cannot be corrected is listed with the reason. Raises DataRefused without a
    history or features, and for a snapshot.
    """
    if company.snapshot:
        raise DataRefused(f"non-response needs a survey: {NO_DATES}")
    manifest = Manifest.read(workspace, company.name)
    snapshot = read_snapshot(company, workspace, manifest)
    folder = workspace.company(company.name)
    able, unable = trainable(company, manifest.schema)
    questions: dict[str, Any] = {t: {"skipped": unable[t]} for t in QUESTIONS if t in unable}
    models: list[NonresponseModel] = []
    for target in (t.name for t in able if t.name in QUESTIONS):
        with steps.step(f"estimate non-response: {target}") as done:
            questions[target], model = _estimate_question(
                target, company, workspace, manifest, snapshot
            )
            models += [model] if model else []
            done(**_step_figures(questions[target]))
        if "skipped" in questions[target]:
            steps.note(f"  {target}: not corrected: {questions[target]['skipped']}")
    listed = _write_invitations(models, company, workspace, manifest, snapshot)
    content = {
        "company": company.name,
        "as_of": manifest.data_end,
        "fingerprint": manifest.fingerprint,
        "questions": questions,
        "ask_next": listed,
    }
    write_text_atomically(folder / FILE, json.dumps(content, indent=1, allow_nan=False))
    if "skipped" in listed:
        steps.note(f"  no next invitations: {listed['skipped']}")
        return [folder / FILE]
    return [folder / FILE, folder / LIST]


def read_nonresponse_results(company: Company, workspace: Workspace) -> dict[str, Any] | None:
    """Read what `write_nonresponse_results` wrote; None if it has never run."""
    path = workspace.company(company.name) / FILE
    if not path.is_file():
        return None
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _estimate_question(
    target: str, company: Company, workspace: Workspace, manifest: Manifest, snapshot: pa.Table
) -> tuple[dict[str, Any], NonresponseModel | None]:
    """The results of one question, and its model if there are enough data."""
    try:
        invitations = load_invitations(TARGETS[target], company, workspace, manifest)
    except DataRefused as err:
        return {"skipped": str(err)}, None
    counts = _count_invitations(invitations, ANSWER_METRICS[target])
    try:
        check_enough_answers(invitations)
        model = fit_nonresponse_model(TARGETS[target], invitations)
    except DataRefused as err:
        return {**counts, "skipped": str(err)}, None
    now = snapshot.filter(pa.array(is_current_customer(company, snapshot)))
    shares = model.outcome.predict(now)
    answered = counts["answered"]
    return {
        **counts,
        "figures": [
            _metric_results(model, metric, shares, answered[metric.name])
            for metric in ANSWER_METRICS[target]
        ],
        "propensity": _propensity_results(model),
        "coverage": _overlap_results(model, now),
    }, model


def _propensity_results(model: NonresponseModel) -> dict[str, Any]:
    """Quality of the propensity model, effective sample size and covariate balance."""
    balance = model.covariate_balance()
    return {
        "auc": model.propensity.auc,
        "clip": LOWEST_PROPENSITY,
        "clipped": model.weights.clipped,
        "effective_answers": model.weights.effective_size,
        "largest_difference": [
            float(np.abs(differences).max(initial=0.0))
            for differences in (balance.before, balance.after)
        ],
        "differences": [
            {"feature": name, "before": before, "after": after}
            for name, before, after in balance.worst(WORST)
        ],
    }


def _overlap_results(model: NonresponseModel, now: pa.Table) -> dict[str, Any]:
    """The share of current customers covered by the respondents."""
    overlap = measure_overlap(model, now, model.propensity.predict(now))
    return {
        "customers": overlap.customers,
        "asked": overlap.invited,
        "answered": overlap.answered,
        "covered": int(overlap.covered.sum()),
        "share": overlap.share if overlap.customers else None,
    }


def _count_invitations(
    invitations: Invitations, metrics: tuple[AnswerMetric, ...]
) -> dict[str, Any]:
    """Numbers of invitations and answers, uncorrected metrics, and what was left out."""
    recent = invitations.recent
    uncorrected = {metric.name: estimate_respondents(invitations, metric) for metric in metrics}
    return {
        "from": invitations.starts.isoformat(),
        "until": invitations.ends.isoformat(),
        "invitations": int(recent.sum()),
        "answers": int((invitations.answered & recent).sum()),
        "customers_asked": len(np.unique(invitations.customer[recent])),
        "learnt_from": len(recent),
        "not_ripe": invitations.immature,
        "answered_late": int(invitations.late.sum()),
        "too_old": invitations.older,
        "answered": {name: found.to_dict() for name, found in uncorrected.items() if found},
    }


def _metric_results(
    model: NonresponseModel,
    metric: AnswerMetric,
    shares: Floats,
    uncorrected: dict[str, float | None],
) -> dict[str, Any]:
    """A metric of respondents, all invited and all customers, with its sensitivity bounds."""
    inputs, propensity = model.aipw_inputs(metric), model.recent_propensity
    return {
        "name": metric.name,
        "title": metric.title,
        "answered": uncorrected,
        "everybody_asked": aipw_mean(inputs).to_dict(),
        "all_customers": (
            estimate_all_customers(model, metric, shares).to_dict() if len(shares) else None
        ),
        "bounds": [asdict(sensitivity_bound(inputs, propensity, gamma)) for gamma in GAMMAS],
        "gamma_to_answered": smallest_gamma(uncorrected["value"] or 0.0, inputs, propensity),
        "by": {name: _group_results(model, metric, name) for name in grouping_attributes(model)},
    }


def _group_results(model: NonresponseModel, metric: AnswerMetric, name: str) -> dict[str, Any]:
    """A metric by group; suppressed groups are only counted."""
    groups, hidden = estimate_by_group(model, metric, name)
    return {"groups": groups, "hidden": hidden}


def _step_figures(question: dict[str, Any]) -> dict[str, float]:
    """The figures of a step's log line."""
    if "figures" not in question:
        return {k: question[k] for k in ("invitations", "answers") if k in question}
    first = question["figures"][0]
    return {
        "answers": question["answers"],
        "answered": first["answered"]["value"],
        "everybody": first["everybody_asked"]["value"],
    }


def _write_invitations(
    models: list[NonresponseModel],
    company: Company,
    workspace: Workspace,
    manifest: Manifest,
    snapshot: pa.Table,
) -> dict[str, Any]:
    """Write the next invitations by the last question modelled, and return a summary.

    An unknown segment skips the list without stopping the run.
    """
    path = workspace.company(company.name) / LIST
    path.unlink(missing_ok=True)
    if not models:
        return {"skipped": "no question could be studied"}
    settings = company.asking
    try:
        candidates, by = build_candidates(models[-1], company, workspace, snapshot)
    except ConfigRefused as err:
        return {"skipped": str(err)}
    chosen = select_invitations(candidates, manifest.end, settings.rest_days, settings.list_size)
    write_text_atomically(path, chosen.rows.round(4).to_csv(index=False))
    return {
        "rows": len(chosen.rows),
        "by": models[-1].target.name,
        "segments": by,
        "rest_days": settings.rest_days,
        "excluded": chosen.excluded,
    }
