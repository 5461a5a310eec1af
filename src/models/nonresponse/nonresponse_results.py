"""Both questions of a company studied and written down, with the list of whom to ask next."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.atomic_write import write_text_atomically
from features.config.company import Company
from features.errors import ConfigRefused, DataRefused
from features.history_store import Manifest
from features.progress import Steps
from features.settings import Workspace
from models.nonresponse.aipw import aipw_mean
from models.nonresponse.estimate import ANSWER_METRICS, AnswerMetric, NonresponseModel, check_enough_answers, estimate_respondents, fit_nonresponse_model
from models.nonresponse.group_estimates import grouping_attributes, estimate_by_group
from models.nonresponse.invitations import QUESTIONS, Invitations, load_invitations
from models.nonresponse.ipw_weights import LOWEST_PROPENSITY
from models.nonresponse.next_invitations import select_invitations
from models.nonresponse.overlap import measure_overlap, estimate_all_customers
from models.nonresponse.sampling_frame import build_candidates, is_current_customer, read_snapshot
from models.nonresponse.sensitivity import GAMMAS, sensitivity_bound, smallest_gamma
from models.targets.registry import TARGETS, trainable

Floats = NDArray[np.float64]

FILE, LIST = "population.json", "ask_next.csv"
#: Features told of that differed most between those who answered and all.
WORST = 10


def write_nonresponse_results(company: Company, workspace: Workspace, steps: Steps) -> list[Path]:
    """Study who answers, and write `population.json` and `ask_next.csv`; the files written.

    What cannot be corrected is told in the file with its reason. Raises DataRefused without a
    history or features.
    """
    manifest = Manifest.read(workspace, company.name)
    snapshot = read_snapshot(company, workspace, manifest)
    folder = workspace.company(company.name)
    able, unable = trainable(company, manifest.schema)
    told: dict[str, Any] = {t: {"skipped": unable[t]} for t in QUESTIONS if t in unable}
    studies: list[NonresponseModel] = []
    for target in (t.name for t in able if t.name in QUESTIONS):
        with steps.step(f"who answers: {target}") as done:
            told[target], found = _question(target, company, workspace, manifest, snapshot)
            studies += [found] if found else []
            done(**_headline(told[target]))
        if "skipped" in told[target]:
            steps.note(f"  {target}: not corrected: {told[target]['skipped']}")
    listed = _write_list(studies, company, workspace, manifest, snapshot)
    content = {
        "company": company.name,
        "as_of": manifest.data_end,
        "fingerprint": manifest.fingerprint,
        "questions": told,
        "ask_next": listed,
    }
    write_text_atomically(folder / FILE, json.dumps(content, indent=1, allow_nan=False))
    if "skipped" in listed:
        steps.note(f"  nobody to ask next: {listed['skipped']}")
        return [folder / FILE]
    return [folder / FILE, folder / LIST]


def _question(
    target: str, company: Company, workspace: Workspace, manifest: Manifest, snapshot: pa.Table
) -> tuple[dict[str, Any], NonresponseModel | None]:
    """What is told of a question, with its study where there can be one."""
    try:
        asked = load_invitations(TARGETS[target], company, workspace, manifest)
    except DataRefused as err:
        return {"skipped": str(err)}, None
    told = _asked(asked, ANSWER_METRICS[target])
    try:
        check_enough_answers(asked)
        found = fit_nonresponse_model(TARGETS[target], asked)
    except DataRefused as err:
        return {**told, "skipped": str(err)}, None
    now = snapshot.filter(pa.array(is_current_customer(company, snapshot)))
    shares = found.outcome.of(now)
    return {
        **told,
        "figures": [_figure(found, f, shares, told["answered"][f.name]) for f in ANSWER_METRICS[target]],
        "propensity": _propensity(found),
        "coverage": _coverage(found, now),
    }, found


def _propensity(found: NonresponseModel) -> dict[str, Any]:
    """How well it is known who answers, what the weights cost, and what they mend."""
    balanced = found.balance()
    return {
        "auc": found.propensity.auc,
        "clip": LOWEST_PROPENSITY,
        "clipped": found.weights.clipped,
        "effective_answers": found.weights.effective,
        "largest_difference": [
            float(np.abs(differences).max(initial=0.0))
            for differences in (balanced.before, balanced.after)
        ],
        "differences": [
            {"feature": name, "before": before, "after": after}
            for name, before, after in balanced.worst(WORST)
        ],
    }


def _coverage(found: NonresponseModel, now: pa.Table) -> dict[str, Any]:
    """Which of the customers of today the answers can speak for."""
    covered = measure_overlap(found, now, found.propensity.of(now))
    return {
        "customers": covered.customers,
        "asked": covered.asked,
        "answered": covered.answered,
        "covered": int(covered.inside.sum()),
        "share": covered.share if covered.customers else None,
    }


def _asked(asked: Invitations, figures: tuple[AnswerMetric, ...]) -> dict[str, Any]:
    """How many were asked and answered, what they said, and what was left out."""
    recent = asked.recent
    heard = {figure.name: estimate_respondents(asked, figure) for figure in figures}
    return {
        "from": asked.starts.isoformat(),
        "until": asked.ends.isoformat(),
        "invitations": int(recent.sum()),
        "answers": int((asked.answered & recent).sum()),
        "customers_asked": len(np.unique(asked.customer[recent])),
        "learnt_from": len(recent),
        "not_ripe": asked.unripe,
        "answered_late": int(asked.late.sum()),
        "too_old": asked.older,
        "answered": {name: figure.to_dict() for name, figure in heard.items() if figure},
    }


def _figure(
    found: NonresponseModel, figure: AnswerMetric, shares: Floats, heard: dict[str, float | None]
) -> dict[str, Any]:
    """A figure of those who answered, of everybody asked and of all customers, and its bounds."""
    answers = found.answers(figure)
    return {
        "name": figure.name,
        "title": figure.title,
        "answered": heard,
        "everybody_asked": aipw_mean(answers).to_dict(),
        "all_customers": estimate_all_customers(found, figure, shares).to_dict() if len(shares) else None,
        "bounds": [asdict(sensitivity_bound(answers, found.chance, gamma)) for gamma in GAMMAS],
        "gamma_to_answered": smallest_gamma(heard["value"] or 0.0, answers, found.chance),
        "by": {name: _by(found, figure, name) for name in grouping_attributes(found)},
    }


def _by(found: NonresponseModel, figure: AnswerMetric, name: str) -> dict[str, Any]:
    """A figure by group, those who answered beside everybody asked; small groups are counted only."""
    groups, hidden = estimate_by_group(found, figure, name)
    return {"groups": groups, "hidden": hidden}


def _headline(told: dict[str, Any]) -> dict[str, float]:
    """The figures of a step's line."""
    if "figures" not in told:
        return {k: told[k] for k in ("invitations", "answers") if k in told}
    first = told["figures"][0]
    return {
        "answers": told["answers"],
        "answered": first["answered"]["value"],
        "everybody": first["everybody_asked"]["value"],
    }


def _write_list(
    studies: list[NonresponseModel],
    company: Company,
    workspace: Workspace,
    manifest: Manifest,
    snapshot: pa.Table,
) -> dict[str, Any]:
    """Write whom to ask next, by the last question studied; what is told of the list.

    A segment that is not there costs the list and not the night's run.
    """
    path = workspace.company(company.name) / LIST
    path.unlink(missing_ok=True)
    if not studies:
        return {"skipped": "no question could be studied"}
    asking = company.asking
    try:
        people, by = build_candidates(studies[-1], company, workspace, snapshot)
    except ConfigRefused as err:
        return {"skipped": str(err)}
    chosen = select_invitations(people, manifest.end, asking.rest_days, asking.list_size)
    chosen.rows.round(4).to_csv(path, index=False)
    return {
        "rows": len(chosen.rows),
        "by": studies[-1].target.name,
        "segments": by,
        "rest_days": asking.rest_days,
        "excluded": chosen.excluded,
    }


def read_nonresponse_results(company: Company, workspace: Workspace) -> dict[str, Any] | None:
    """What `write_population` wrote, or None before the first time."""
    path = workspace.company(company.name) / FILE
    if not path.is_file():
        return None
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
