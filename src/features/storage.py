"""A company's checked history on disk: written once, all or nothing, read in blocks of customers."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from features.company import Company, as_utc
from features.contract import TABLES
from features.errors import DataRefused
from features.history import History, build_history
from features.progress import Steps
from features.quality import Finding, check_table
from features.schema import Schema
from features.settings import Workspace
from features.sources import Mapped, connect, map_table

ORDER = ("customers", "events", "surveys", "tickets")


@dataclass(frozen=True)
class Manifest:
    """What a history on disk holds: counts, ledger, data end, fingerprint, schema.

    `data_end` is the first instant not in the data. `dropped` and `quarantined` are the ledger:
    rows left out by rule. `fingerprint` changes when any row does, not with the order of rows.
    """

    company: str
    rows: dict[str, int]
    customers: int
    data_start: str
    data_end: str
    fingerprint: str
    schema: Schema
    dropped: dict[str, dict[str, int]] = field(default_factory=dict)
    quarantined: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def end(self) -> datetime:
        return datetime.fromisoformat(self.data_end)

    @property
    def start(self) -> datetime:
        return datetime.fromisoformat(self.data_start)

    @classmethod
    def read(cls, workspace: Workspace, company: str) -> "Manifest":
        """The manifest of a company's history; raises DataRefused where there is none."""
        path = workspace.history(company) / "history.json"
        if not path.is_file():
            raise DataRefused(f"no history of {company} at {path}; make it with `goodwill data`")
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**raw, "schema": Schema.from_json(json.dumps(raw["schema"]))})


def import_history(company: Company, workspace: Workspace, steps: Steps) -> Manifest:
    """Read, check and store every table of a company; the former history stays on any refusal.

    Raises DataRefused or ConfigRefused with what is wrong.
    """
    final = workspace.history(company.name)
    target = final.with_name("history.new")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    con = connect(workspace, company)
    try:
        manifest = _import_tables(con, company, workspace, target, steps)
        (target / "history.json").write_text(_manifest_json(manifest), encoding="utf-8")
        old = final.with_name("history.old")
        shutil.rmtree(old, ignore_errors=True)
        if final.exists():
            final.rename(old)
        target.rename(final)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        con.close()
        shutil.rmtree(target, ignore_errors=True)
        shutil.rmtree(workspace.company(company.name) / "spill", ignore_errors=True)
    return manifest


def _manifest_json(manifest: Manifest) -> str:
    return json.dumps(asdict(manifest), indent=2, sort_keys=True)


def _import_tables(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    workspace: Workspace,
    target: Path,
    steps: Steps,
) -> Manifest:
    declared = company.about.data_end  # else nothing can be younger than this moment
    limit = as_utc(declared) if declared else datetime.now(UTC)
    mapped: dict[str, Mapped] = {}
    findings: list[Finding] = []
    for name in (n for n in ORDER if n in company.tables):
        with steps.step(f"check {name}") as done:
            mapped[name] = map_table(con, company, name, workspace)
            quarantine = workspace.company(company.name) / "quarantine" / f"{name}.parquet"
            found = check_table(con, company, mapped[name], limit, quarantine)
            findings += found
            written = _write_table(con, mapped[name], target)
            done(rows=written, dropped=sum(mapped[name].dropped.values()),
                 quarantined=sum(f.rows for f in found))  # fmt: skip
    return _manifest(con, company, mapped, findings)


def _write_table(con: duckdb.DuckDBPyConnection, mapped: Mapped, target: Path) -> int:
    """Sort a checked table as a history is sorted and write it; the number of its rows."""
    name = mapped.contract.name
    order = ", ".join(_ident(c) for c in (*mapped.contract.order, *mapped.attributes))
    path = str(target / f"{name}.parquet").replace("'", "''")
    con.execute(
        f"copy (select * from good_{name} order by {order}) to '{path}' "
        "(format parquet, compression zstd, row_group_size 100000)"
    )
    return int(con.execute(f"select count(*) from good_{name}").fetchall()[0][0])


def _manifest(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    mapped: dict[str, Mapped],
    findings: list[Finding],
) -> Manifest:
    rows, prints, bounds = {}, [], []
    for name, table in mapped.items():
        count, mixed = con.execute(
            f"select count(*), sum(hash(t)::hugeint) from good_{name} t"
        ).fetchall()[0]
        rows[name] = int(count)
        prints.append(f"{name}:{count}:{mixed}")
        if name != "customers":
            clock = table.contract.clock
            bounds.append(
                con.sql(f"select min({clock}), max({clock}) from good_{name}").to_arrow_table()
            )
    ids = " union ".join(f"select customer_id from good_{n}" for n in mapped)
    starts = [b.column(0)[0].as_py() for b in bounds]
    latest = max(b.column(1)[0].as_py() for b in bounds)
    midnight = latest.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    end = as_utc(company.about.data_end) if company.about.data_end else midnight
    quarantined: dict[str, dict[str, int]] = {}
    for found in findings:
        quarantined.setdefault(found.table, {})[f"{found.rule.column}: {found.rule.name}"] = (
            found.rows
        )
    return Manifest(
        company=company.name,
        rows=rows,
        customers=int(con.execute(f"select count(*) from ({ids})").fetchall()[0][0]),
        data_start=min(starts).astimezone(UTC).isoformat(),
        data_end=end.astimezone(UTC).isoformat(),
        fingerprint=hashlib.sha256("\n".join(prints).encode()).hexdigest()[:16],
        schema=_schema(con, company, mapped),
        dropped={n: m.dropped for n, m in mapped.items() if m.dropped},
        quarantined=quarantined,
    )


def _schema(con: duckdb.DuckDBPyConnection, company: Company, mapped: dict[str, Mapped]) -> Schema:
    """Which columns are there; a column without a single value counts as not there."""
    tables = {}
    for name, table in mapped.items():
        columns = [*TABLES[name].names, *table.attributes]
        counts = con.execute(
            f"select {', '.join(f'count({_ident(c)})' for c in columns)} from good_{name}"
        ).fetchall()[0]
        tables[name] = tuple(c for c, n in zip(columns, counts, strict=True) if n)
    attributes = mapped["customers"].attributes if "customers" in mapped else {}
    dimensions: tuple[str, ...] = ()
    if "surveys" in mapped:
        dimensions = tuple(
            row[0]
            for row in con.execute(
                "select dimension from good_surveys where instrument in ('csat', 'servqual') and "
                "dimension is not null and dimension <> 'overall' group by 1 "
                "order by count(*) desc, 1 limit 12"
            ).fetchall()
        )
    present = {k: v for k, v in attributes.items() if k in tables.get("customers", ())}
    horizons = {company.target(t).horizon_days for t in ("churn", "value")}
    return Schema(tables, present, tuple(sorted(dimensions)), tuple(sorted(horizons)))


def _ident(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def customer_ids(workspace: Workspace, company: str) -> list[str]:
    """Every customer of a company's history, sorted."""
    files = sorted(workspace.history(company).glob("*.parquet"))
    ids: set[str] = set()
    for file in files:
        for batch in pq.ParquetFile(file).iter_batches(columns=["customer_id"]):
            ids.update(batch.column(0).unique().to_pylist())
    return sorted(ids)


def blocks(workspace: Workspace, company: str, size: int) -> Iterator[History]:
    """The history in blocks of at most `size` customers, in the order of their ids."""
    ids = customer_ids(workspace, company)
    files = sorted(workspace.history(company).glob("*.parquet"))
    for start in range(0, len(ids), size):
        part = ids[start : start + size]
        bounds = [("customer_id", ">=", part[0]), ("customer_id", "<=", part[-1])]
        whole = len(part) == len(ids)
        tables: dict[str, pa.Table] = {
            file.stem: pq.read_table(file, filters=None if whole else bounds) for file in files
        }
        yield build_history(tables, is_sorted=True)
