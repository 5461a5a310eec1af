"""Everything about a company's complaints at once, as report, HTTP and notebooks show it."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from features.config.company import Company
from features.errors import DataRefused
from features.history_store import open_history
from features.settings import Workspace
from insight.company_settings import read_section
from insight.complaints.attributable_fraction import Attribution
from insight.complaints.cause_tree import build_cause_tree, format_cause_tree
from insight.complaints.causes import CauseRanking, rank_causes
from insight.complaints.complaint_settings import ComplaintSettings
from insight.complaints.handling_times import count_states, compute_cycle_times, compute_reopen_rates
from insight.complaints.index_dates import read_answer_dates, read_departure_dates
from insight.complaints.intake import Complaints, read_complaints
from insight.complaints.pareto import compute_pareto


def analyse_complaints(company: Company, workspace: Workspace) -> dict[str, Any]:
    """Intake, Pareto table, handling and causes, as JSON holds them.

    What cannot be told stands under `skipped` with the reason.
    """
    import_module("sklearn.linear_model")  # now: libraries loaded later are not limited
    with threadpool_limits(1):  # hundreds of small models: threads would only wait for each other
        return _analyse(company, workspace)


def _analyse(company: Company, workspace: Workspace) -> dict[str, Any]:
    skipped: dict[str, str] = {}
    told: dict[str, Any] = {"company": company.name, "skipped": skipped, "causes": {}}
    found: Complaints | None = None
    try:
        found = read_complaints(company, workspace)
        told |= _intake(found)
    except DataRefused as err:
        skipped["complaints"] = str(err)
    for name in ("dissatisfaction", "churn"):
        try:
            told["causes"][name] = ranking_to_dict(analyse_causes(name, company, workspace, found))
        except DataRefused as err:
            skipped[name] = str(err)
    plain: dict[str, Any] = _plain(told)
    return plain


def analyse_causes(
    outcome: str, company: Company, workspace: Workspace, found: Complaints | None
) -> CauseRanking:
    """The ranked causes of `dissatisfaction` or `churn`; raises DataRefused where none can be told.

    `found` are the company's complaints; only tickets are causes: a comment is part of the answer.
    """
    settings = read_section(company, "complaints", ComplaintSettings)
    tickets = found.table if found is not None and found.source == "tickets" else None
    with open_history(workspace.history(company.name)) as con:
        moments = (
            read_answer_dates(con)
            if outcome == "dissatisfaction"
            else read_departure_dates(con, company, workspace, settings)
        )
        return rank_causes(con, moments.drawn(), settings, tickets)


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
        "pareto": [asdict(row) for row in compute_pareto(found.table)],
        "channels": [asdict(row) for row in compute_pareto(found.table, "channel")],
        "states": count_states(found.table),
        "cycle_times": [asdict(row) for row in compute_cycle_times(found.table, found.end)],
        "reopened": [asdict(row) for row in compute_reopen_rates(found.table)],
    }  # fmt: skip


def ranking_to_dict(ranking: CauseRanking) -> dict[str, Any]:
    """A ranking as JSON holds it, with its tree."""
    root = build_cause_tree(ranking)
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
        "text": format_cause_tree(root),
    }  # fmt: skip


def _figures(found: Attribution) -> dict[str, Any]:
    return asdict(found) | {"certain": found.certain}


def write_complaints(company: Company, workspace: Workspace) -> Path:
    """Write the study to `complaints.json` of the company's folder and return where it is."""
    path = workspace.company(company.name) / "complaints.json"
    text = json.dumps(analyse_complaints(company, workspace), ensure_ascii=False, indent=1)
    path.write_text(text, encoding="utf-8")
    return path


def _plain(value: Any) -> Any:
    """The same without what JSON has no word for: undefined and endless numbers are null."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
