"""Build a small stored history and its company from literal rows."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.config.company import Company
from features.contract import TABLES
from features.definitions.company_schema import CompanySchema
from features.history_store import Manifest
from features.settings import Workspace

END = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = {
    "text": pa.string(), "number": pa.float64(), "flag": pa.float64(), "time": pa.timestamp("us", "UTC"),
}  # fmt: skip


def on(month: int, day: int = 1, year: int = 2025) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def survey_answer(
    customer: str, sent: datetime, score: float | None, **other: Any
) -> dict[str, Any]:
    """A question of overall satisfaction on 1 to 5, answered the next day or never."""
    answered = None if score is None else sent + timedelta(days=1)
    return {
        "customer_id": customer, "sent_at": sent, "answered_at": answered, "instrument": "csat",
        "dimension": "overall", "score": score, "scale_low": 1.0, "scale_high": 5.0, "weight": 1.0,
    } | other  # fmt: skip


def write_history(
    folder: Path,
    churn: str = "silence",
    insight: dict[str, Any] | None = None,
    start: str = "2025-01-01T00:00:00+00:00",
    targets: dict[str, Any] | None = None,
    zone: str = "UTC",
    **tables: list[dict[str, Any]],
) -> tuple[Company, Workspace, Manifest]:
    """Store the given tables: `write_history(tmp_path, surveys=[...], events=[...])`."""
    workspace = Workspace(folder)
    directory = workspace.history("tiny")
    directory.mkdir(parents=True)
    schema = {}
    for name, rows in tables.items():
        kinds = {c.name: KINDS[c.kind] for c in TABLES[name].columns}
        columns = list(dict.fromkeys(key for row in rows for key in row))
        stored = pa.table(
            {c: pa.array([r.get(c) for r in rows], kinds.get(c, pa.string())) for c in columns}
        )
        pq.write_table(stored, directory / f"{name}.parquet")
        schema[name] = tuple(columns)
    manifest = Manifest(
        company="tiny", rows={n: len(r) for n, r in tables.items()}, customers=4,
        data_start=start, data_end=END.isoformat(), fingerprint="abc",
        schema=CompanySchema(schema, {}, (), (90,)),
    )  # fmt: skip
    (directory / "history.json").write_text(json.dumps(asdict(manifest)), encoding="utf-8")
    mapping = {"files": "events.csv", "columns": {}}
    company = Company.model_validate({
        "company": {"name": "tiny", "time_zone": zone}, "tables": {"events": mapping},
        "targets": {"churn": {"definition": churn, **(targets or {})}}, "insight": insight or {},
    })  # fmt: skip
    return company, workspace, manifest
