"""The complete complaint analysis of a company, as report, HTTP and notebooks use it."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from features.atomic_write import write_text_atomically
from features.config.company import Company
from features.config.snapshot_settings import NO_DATES
from features.errors import DataRefused
from features.history_store import open_history
from features.settings import Workspace
from insight.company_settings import read_section
from insight.complaints.attributable_fraction import Attribution
from insight.complaints.cause_tree import build_cause_tree, format_cause_tree
from insight.complaints.causes import CauseRanking, rank_causes
from insight.complaints.complaint_settings import ComplaintSettings
from insight.complaints.handling_times import (
    compute_cycle_times,
    compute_reopen_rates,
    count_states,
)
from insight.complaints.index_dates import read_answer_dates, read_departure_dates
from insight.complaints.intake import Complaints, read_complaints
from insight.complaints.pareto import compute_pareto


def analyse_complaints(company: Company, workspace: Workspace) -> dict[str, Any]:
    """Compute intake, Pareto table, handling and causes, as JSON-serialisable data.

    Parts that cannot be computed are listed under `skipped` with the reason.
    """
    # load it before the limit, which does not apply to libraries loaded later
    import_module("sklearn.linear_model")
    with threadpool_limits(1):  # hundreds of small models run faster without threads
        return _analyse(company, workspace)


def _analyse(company: Company, workspace: Workspace) -> dict[str, Any]:
    skipped: dict[str, str] = {}
    result: dict[str, Any] = {"company": company.name, "skipped": skipped, "causes": {}}
    complaints: Complaints | None = None
    if company.snapshot:
        skipped |= dict.fromkeys(("complaints", "dissatisfaction", "churn"), NO_DATES)
        return result
    try:
        complaints = read_complaints(company, workspace)
        result |= _summarise_intake(complaints)
    except DataRefused as err:
        skipped["complaints"] = str(err)
    for name in ("dissatisfaction", "churn"):
        try:
            result["causes"][name] = ranking_to_dict(
                analyse_causes(name, company, workspace, complaints)
            )
        except DataRefused as err:
            skipped[name] = str(err)
    plain: dict[str, Any] = _plain(result)
    return plain


def analyse_causes(
    outcome: str, company: Company, workspace: Workspace, complaints: Complaints | None
) -> CauseRanking:
    """Rank the causes of `dissatisfaction` or `churn`; raises DataRefused if there is not enough data.

    `complaints` are the company's complaints. Only tickets are possible causes: a comment is part of the
    answer.
    """
    settings = read_section(company, "complaints", ComplaintSettings)
    tickets = (
        complaints.table if complaints is not None and complaints.source == "tickets" else None
    )
    with open_history(workspace.history(company.name)) as con:
        index_dates = (
            read_answer_dates(con)
            if outcome == "dissatisfaction"
            else read_departure_dates(con, company, workspace, settings)
        )
        return rank_causes(con, index_dates.sample(), settings, tickets)


def _summarise_intake(complaints: Complaints) -> dict[str, Any]:
    classifier = complaints.categories.classifier
    return {
        "end": complaints.end.isoformat(),
        "source": complaints.source,
        "complaints": len(complaints.table),
        "customers": complaints.customers,
        "categories": complaints.categories.counts(),
        "reader": None if classifier is None else {
            "texts": classifier.texts, "accuracy": classifier.accuracy, "usual": classifier.baseline
        },
        "pareto": [asdict(row) for row in compute_pareto(complaints.table)],
        "channels": [asdict(row) for row in compute_pareto(complaints.table, "channel")],
        "states": count_states(complaints.table),
        "cycle_times": [asdict(row) for row in compute_cycle_times(complaints.table, complaints.end)],
        "reopened": [asdict(row) for row in compute_reopen_rates(complaints.table)],
    }  # fmt: skip


def ranking_to_dict(ranking: CauseRanking) -> dict[str, Any]:
    """Return a ranking as JSON-serialisable data, with its tree."""
    root = build_cause_tree(ranking)
    return {
        "outcome": ranking.index_dates.title,
        "rows": ranking.rows,
        "rate": ranking.rate,
        "answered": ranking.answered,
        "ranked": [
            {"cause": r.cause.name, "branch": r.cause.branch, **_figures(r.attribution)}
            for r in ranking.causes
        ],
        "doses": {
            name: [
                {"from": d.low, "to": d.high, "rows": d.rows,
                 **(_figures(d.attribution) if d.attribution else {})}
                for d in bands
            ]
            for name, bands in ranking.doses.items()
        },
        "left_out": ranking.left_out,
        "tree": root.to_dict(),
        "text": format_cause_tree(root),
    }  # fmt: skip


def _figures(attribution: Attribution) -> dict[str, Any]:
    return asdict(attribution) | {"certain": attribution.certain}


def write_complaints(company: Company, workspace: Workspace) -> Path:
    """Write the analysis to `complaints.json` in the company's folder and return the path."""
    path = workspace.company(company.name) / "complaints.json"
    text = json.dumps(analyse_complaints(company, workspace), ensure_ascii=False, indent=1)
    write_text_atomically(path, text)
    return path


def _plain(value: Any) -> Any:
    """Return the value with undefined and infinite numbers, which JSON lacks, as null."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
