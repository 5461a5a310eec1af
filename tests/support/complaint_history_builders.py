"""Build small stored histories with tickets, events and answers from literal rows."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.config.company import Company
from features.contract import TABLES
from features.definitions.company_schema import CompanySchema
from features.history_store import Manifest
from features.settings import Workspace

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TYPES = {
    "text": pa.string(), "number": pa.float64(), "flag": pa.float64(),
    "time": pa.timestamp("us", "UTC"),
}  # fmt: skip
Row = dict[str, Any]


def ticket(customer: str, opened: datetime, kind: str, category: str | None, **more: Any) -> Row:
    """A ticket; unset columns are missing."""
    return {"customer_id": customer, "opened_at": opened, "kind": kind, "category": category} | more


def event(customer: str, occurred: datetime, kind: str, **more: Any) -> Row:
    """An event that is known when it occurs."""
    return {
        "customer_id": customer,
        "occurred_at": occurred,
        "known_at": occurred,
        "kind": kind,
    } | more


def answer(customer: str, sent: datetime, score: float | None, **more: Any) -> Row:
    """An answer on a scale from 1 to 5; None for an invitation without an answer."""
    answered = {} if score is None else {"answered_at": sent}
    asked = {"instrument": "csat", "dimension": "overall", "scale_low": 1.0, "scale_high": 5.0}
    row = {"customer_id": customer, "sent_at": sent, "score": score, "weight": 1.0}
    return row | asked | answered | more


def history(
    home: Path, insight: dict[str, Any] | None = None, **tables: list[Row]
) -> tuple[Company, Workspace]:
    """Store a company called acme with these rows and this `[insight]` section."""
    workspace = Workspace(home)
    folder = workspace.history("acme")
    folder.mkdir(parents=True)
    for name, rows in tables.items():
        columns = {c.name: TYPES[c.kind] for c in TABLES[name].columns}
        columns |= {k: pa.string() for row in rows for k in row if k not in columns}
        table = {k: pa.array([row.get(k) for row in rows], kind) for k, kind in columns.items()}
        pq.write_table(pa.table(table), folder / f"{name}.parquet")
    ids = {row["customer_id"] for rows in tables.values() for row in rows}
    manifest = Manifest(
        company="acme", rows={n: len(r) for n, r in tables.items()}, customers=len(ids),
        data_start="2024-01-01T00:00:00+00:00", data_end=NOW.isoformat(), fingerprint="f",
        schema=CompanySchema({}, {}, (), (90,)),
    )  # fmt: skip
    (folder / "history.json").write_text(json.dumps(asdict(manifest)), encoding="utf-8")
    mapping = {"files": "events.csv", "columns": {}}
    raw = {"company": {"name": "acme"}, "tables": {"events": mapping}, "insight": insight or {}}
    return Company.model_validate(raw), workspace
