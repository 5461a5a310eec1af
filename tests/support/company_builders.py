"""A small company whose tables are a few lines of CSV, so that a test can break one of them."""

import csv
import hashlib
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.config.company import Company, load_company
from features.history_store import Manifest
from features.import_history.run_import import import_history
from features.progress import silent_steps
from features.settings import Workspace

GOOD = {
    "customers": """customer_id,valid_from,region,size
A,2024-01-01,north,5
B,2024-01-01,south,7
""",
    "events": """customer_id,occurred_at,kind,amount,channel
A,2024-01-05 10:00:00,order,10,web
A,2024-01-09 12:30:00,return,-3,web
B,2024-02-01 08:00:00,order,20,shop
B,2024-03-01 00:00:00,order,25.5,
""",
    "surveys": """customer_id,sent_at,answered_at,instrument,score,scale_low,scale_high,comment
A,2024-02-01 09:00:00,2024-02-02 10:00:00,csat,4,1,5,fine
B,2024-02-01 09:00:00,,csat,,1,5,
""",
    "tickets": """customer_id,opened_at,first_reply_at,closed_at,severity,reopened
A,2024-02-03 09:00:00,2024-02-03 10:00:00,2024-02-05 10:00:00,2,true
B,2024-03-01 09:00:00,,,1,
""",
}


class Shop:
    """A company of CSV files mapped column by column; tests change the part they are about."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.workspace = Workspace(home)
        self.raw = home / "raw"
        self.raw.mkdir(parents=True)
        self.text = dict(GOOD)
        self.about: dict[str, object] = {}
        self.columns: dict[str, dict[str, str]] = {}  # expressions other than the column itself
        self.tables: dict[str, dict[str, object]] = {}  # files, query, drop ... of a table
        self.tail = ""

    def spoil(self, table: str, old: str, new: str) -> "Shop":
        """Replace part of a table's CSV."""
        assert old in self.text[table]
        self.text[table] = self.text[table].replace(old, new, 1)
        return self

    def toml(self) -> Path:
        """Write the files and the mapping."""
        about = {"name": "shop", "root": "{here}/raw"} | self.about
        lines = ["[company]", *(f"{k} = {json.dumps(v)}" for k, v in about.items())]
        for name, text in self.text.items():
            (self.raw / f"{name}.csv").write_text(text, encoding="utf-8")
            header = next(csv.reader(io.StringIO(GOOD[name])))
            mapping = {"files": f"{name}.csv"} | self.tables.get(name, {})
            drop = mapping.pop("drop", {})
            lines += [f"[tables.{name}]", *(f"{k} = {_toml(v)}" for k, v in mapping.items() if v)]
            columns = {c: c for c in header} | self.columns.get(name, {})
            for part, content in (("columns", columns), ("drop", drop)):
                lines.append(f"[tables.{name}.{part}]")
                lines += [f"{json.dumps(k)} = {json.dumps(v)}" for k, v in content.items()]
        path = self.home / "shop.toml"
        path.write_text("\n".join(lines) + "\n" + self.tail, encoding="utf-8")
        return path

    def company(self) -> Company:
        return load_company(self.toml())

    def run(self) -> Manifest:
        """Import the company."""
        return import_history(self.company(), self.workspace, silent_steps())

    def stored(self, table: str) -> pa.Table:
        return pq.read_table(self.workspace.history("shop") / f"{table}.parquet")

    def moments(self, table: str, column: str) -> list[str]:
        """A stored time column as UTC texts."""
        values = self.stored(table)[column].to_pylist()
        return [v if v is None else f"{v:%Y-%m-%d %H:%M:%S}" for v in values]

    def quarantined(self, table: str) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = pq.read_table(self.quarantine(table)).to_pylist()
        return rows

    def quarantine(self, table: str) -> Path:
        return self.workspace.company("shop") / "quarantine" / f"{table}.parquet"

    def refused_rows(self, table: str) -> list[dict[str, object]]:
        """The rows for which a table was refused."""
        path = self.workspace.refused_rows("shop") / f"{table}.parquet"
        rows: list[dict[str, object]] = pq.read_table(path).to_pylist()
        return rows

    def digest(self) -> dict[str, str]:
        """Hashes of the files in the company's folder, without the rows that broke the contract."""
        folder = self.workspace.company("shop")
        return {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not {"quarantine", "refused-rows"} & set(path.parts)
        }


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    return json.dumps(value)
