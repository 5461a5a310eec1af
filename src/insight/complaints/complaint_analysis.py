"""Everything about a company's complaints at once, as report, HTTP and notebooks show it."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from features.history_store import open_history
from features.config.company import Company
from features.errors import DataRefused
from features.settings import Workspace
from insight.company_settings import section
from insight.complaints.attributable_fraction import Attribution
from insight.complaints.cause_tree import as_text, tree
from insight.complaints.causes import Ranking, rank
from insight.complaints.complaint_settings import ComplaintSettings
from insight.complaints.handling_times import cycle_times, reopen_rates, states
from insight.complaints.index_dates import answers, departures
from insight.complaints.intake import Complaints, complaints
from insight.complaints.pareto import pareto


def study_complaints(company: Company, workspace: Workspace) -> dict[str, Any]:
    """Intake, Pareto table, handling and causes, as JSON holds them.

    What cannot be told stands under `skipped` with the reason.
    """
    import_module("sklearn.linear_model")  # now: libraries loaded later are not limited
    with threadpool_limits(1):  # hundreds of small models: threads would only wait for each other
        return _studied(company, workspace)


def _studied(company: Company, workspace: Workspace) -> dict[str, Any]:
    skipped: dict[str, str] = {}
    told: dict[str, Any] = {"company": company.name, "skipped": skipped, "causes": {}}
    found: Complaints | None = None
    try:
        found = complaints(company, workspace)
        told |= _intake(found)
    except DataRefused as err:
        skipped["complaints"] = str(err)
    for name in ("dissatisfaction", "churn"):
        try:
            told["causes"][name] = tell(causes_of(name, company, workspace, found))
        except DataRefused as err:
            skipped[name] = str(err)
    plain: dict[str, Any] = _plain(told)
    return plain


def causes_of(
    outcome: str, company: Company, workspace: Workspace, found: Complaints | None
) -> Ranking:
    """The ranked causes of `dissatisfaction` or `churn`; raises DataRefused where none can be told.

    `found` are the company's complaints; only tickets are causes: a comment is part of the answer.
    """
    settings = section(company, "complaints", ComplaintSettings)
    tickets = found.table if found is not None and found.source == "tickets" else None
    with open_history(workspace.history(company.name)) as con:
        moments = (
            answers(con)
            if outcome == "dissatisfaction"
            else departures(con, company, workspace, settings)
        )
        return rank(con, moments.drawn(), settings, tickets)


def _intake(found: Complaints) -> dict[str, Any]:
    learned = found.categories.learned
    return {
        "end": found.end.isoformat(),
        "source": found.source,
        "complaints": len(found.table),
        "customers": found.customers,
        "categories": found.categories.counts(),
        "reader": None if learned is None else {
            "texts": learned.texts, "accuracy": learned.accuracy, "usual": learned.usual
        },
        "pareto": [asdict(row) for row in pareto(found.table)],
        "channels": [asdict(row) for row in pareto(found.table, "channel")],
        "states": states(found.table),
        "cycle_times": [asdict(row) for row in cycle_times(found.table, found.end)],
        "reopened": [asdict(row) for row in reopen_rates(found.table)],
    }  # fmt: skip


def tell(ranking: Ranking) -> dict[str, Any]:
    """A ranking as JSON holds it, with its tree."""
    root = tree(ranking)
    return {
        "outcome": ranking.moments.title,
        "rows": ranking.rows,
        "rate": ranking.rate,
        "answered": ranking.answered,
        "ranked": [
            {"cause": r.cause.name, "branch": r.cause.branch, **_figures(r.found)}
            for r in ranking.causes
        ],
        "doses": {
            name: [
                {"from": d.low, "to": d.high, "rows": d.rows,
                 **(_figures(d.found) if d.found else {})}
                for d in bands
            ]
            for name, bands in ranking.doses.items()
        },
        "left_out": ranking.left_out,
        "tree": root.to_dict(),
        "text": as_text(root),
    }  # fmt: skip


def _figures(found: Attribution) -> dict[str, Any]:
    return asdict(found) | {"certain": found.certain}


def write_complaints(company: Company, workspace: Workspace) -> Path:
    """Write the study to `complaints.json` of the company's folder and return where it is."""
    path = workspace.company(company.name) / "complaints.json"
    text = json.dumps(study_complaints(company, workspace), ensure_ascii=False, indent=1)
    path.write_text(text, encoding="utf-8")
    return path


def _plain(value: Any) -> Any:
    """The same without what JSON has no word for: undefined and endless numbers are null."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
