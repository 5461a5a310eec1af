"""A world of four customers written by hand, and a small simulated company with models."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.config.company import Company
from features.definitions.company_schema import CompanySchema
from features.history_store import Manifest
from features.settings import Workspace
from support.trained_company import copy_of_trained

END = datetime(2026, 1, 1, tzinfo=UTC)
TIMES = pa.timestamp("us", "UTC")

#: Four customers, one of them gone. At risk: 0.5 x 100, 0.1 x 1000, 0.25 x 200.
SCORES = {
    "customer_id": ["C1", "C2", "C3", "C4"],
    "satisfaction_score": [20.0, 80.0, 60.0, 40.0],
    "satisfaction_dissatisfied": [0.8, 0.1, 0.2, 0.5],
    "nps_class": ["detractor", "promoter", "passive", "detractor"],
    "nps_detractor": [0.7, 0.1, 0.2, 0.6],
    "nps_passive": [0.2, 0.2, 0.5, 0.3],
    "nps_promoter": [0.1, 0.7, 0.3, 0.1],
    "churn_probability": [0.5, 0.1, 0.25, 0.9],
    "churn_in_population": [True, True, True, False],
    "value_expected": [100.0, 1000.0, 200.0, -4.0],
    "value_segment": ["middle", "top", "high", "low"],
}


def scores_of(*targets: str) -> dict[str, list[Any]]:
    """The columns of some targets, as the scores file has them."""
    kept = {k: v for k, v in SCORES.items() if k.split("_")[0] in ("customer", *targets)}
    return kept | {f"{t}_version": ["3"] * 4 for t in targets}


def survey(instrument: str, days: int, score: float | None, high: float) -> dict[str, Any]:
    """A question sent so many days before the end, answered a day later or never."""
    sent = END - timedelta(days=days)
    return {
        "customer_id": "C1",
        "sent_at": sent,
        "answered_at": None if score is None else sent + timedelta(days=1),
        "instrument": instrument,
        "dimension": "overall",
        "score": score,
        "scale_low": 1.0 if high == 5 else 0.0,
        "scale_high": high,
        "weight": 1.0,
    }


#: Last year's satisfaction: 100 and 50 of three asked. NPS: a promoter and two detractors of four.
SURVEYS = [
    survey("csat", 10, 5.0, 5.0),
    survey("csat", 20, 3.0, 5.0),
    survey("csat", 30, None, 5.0),
    survey("csat", 400, 1.0, 5.0),
    survey("nps", 10, 9.0, 10.0),
    survey("nps", 20, 6.0, 10.0),
    survey("nps", 30, 0.0, 10.0),
    survey("nps", 40, None, 10.0),
]


def survey_table(rows: list[dict[str, Any]]) -> pa.Table:
    texts, times = ("customer_id", "instrument", "dimension"), ("sent_at", "answered_at")
    kinds = dict.fromkeys(texts, pa.string()) | dict.fromkeys(times, TIMES)
    return pa.table(
        {k: pa.array([r[k] for r in rows], kinds.get(k, pa.float64())) for k in rows[0]}
    )


def event_table() -> pa.Table:
    """Two orders a month over 2025, 100 and 50, the first taken back in part in March."""
    rows = [("C1", datetime(2025, month, 5, tzinfo=UTC), "order", 100.0) for month in range(1, 13)]
    rows += [("C2", datetime(2025, month, 6, tzinfo=UTC), "order", 50.0) for month in range(1, 13)]
    rows += [("C1", datetime(2025, 3, 20, tzinfo=UTC), "return", -30.0)]
    ids, times, kinds, amounts = zip(*rows, strict=True)
    return pa.table({
        "customer_id": ids, "occurred_at": pa.array(times, TIMES), "known_at": pa.array(times, TIMES),
        "kind": kinds, "amount": amounts,
    })  # fmt: skip


@pytest.fixture(name="scores_of")
def _scores_of() -> Callable[..., dict[str, list[Any]]]:
    """`scores_of("churn", "value")`: the scores file of a company with these targets."""
    return lambda *targets: {name: list(values) for name, values in scores_of(*targets).items()}


@pytest.fixture
def four_targets() -> dict[str, list[Any]]:
    """The scores of all four targets."""
    return scores_of("satisfaction", "nps", "churn", "value")


@pytest.fixture
def surveys() -> list[dict[str, Any]]:
    """Last year's questions and one from before."""
    return SURVEYS


@pytest.fixture
def world(tmp_path: Path) -> Callable[..., tuple[Company, Workspace]]:
    """Writes the world by hand: `world(scores=..., outcomes=..., title=..., references=...)`."""

    def write(
        scores: dict[str, list[Any]] | None = None,
        outcomes: list[dict[str, Any]] | None = None,
        title: str = "Tiny",
        references: list[dict[str, Any]] | None = None,
        surveys: list[dict[str, Any]] | None = None,
    ) -> tuple[Company, Workspace]:
        workspace = Workspace(tmp_path)
        tables = {"events": event_table()}
        if surveys is not None:
            tables["surveys"] = survey_table(surveys)
        write_history(workspace, tables)
        if scores is not None:
            write_scores(workspace, scores)
        if outcomes is not None:
            path = workspace.company("tiny") / "outcomes.json"
            path.write_text(json.dumps(outcomes), encoding="utf-8")
        mapping = {"files": "events.csv", "columns": {}}
        raw = {"company": {"name": "tiny", "title": title}, "tables": {"events": mapping},
               "references": references or []}  # fmt: skip
        return Company.model_validate(raw), workspace

    return write


def write_history(workspace: Workspace, tables: dict[str, pa.Table]) -> None:
    folder = workspace.history("tiny")
    folder.mkdir(parents=True)
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
    manifest = Manifest(
        company="tiny",
        rows={name: table.num_rows for name, table in tables.items()},
        customers=4,
        data_start="2025-01-01T00:00:00+00:00",
        data_end=END.isoformat(),
        fingerprint="abc123",
        schema=CompanySchema({n: tuple(t.column_names) for n, t in tables.items()}, {}, (), (90,)),
        dropped={"events": {"test orders": 7, "nothing": 0}},
        quarantined={"events": {"amount: not a finite number": 2}},
    )
    (folder / "history.json").write_text(json.dumps(asdict(manifest)), encoding="utf-8")


def write_scores(workspace: Workspace, columns: dict[str, list[Any]]) -> None:
    path = workspace.scores("tiny")
    path.parent.mkdir(parents=True)
    rows = len(columns["customer_id"])
    table = pa.table(columns).append_column("as_of", pa.array([END] * rows, TIMES))
    pq.write_table(table, path)


@pytest.fixture(scope="session")
def trained_company(tmp_path_factory: pytest.TempPathFactory) -> tuple[Company, Workspace]:
    """A copy of the sample company with 1,000 customers that all tests share, trained and scored."""
    return copy_of_trained(tmp_path_factory.mktemp("trained") / "home")
