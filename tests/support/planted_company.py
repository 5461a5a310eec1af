"""A copy of the small sample company into which a test plants a leak, and the court over it."""

import shutil
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from features.config.company import Company, load_company
from features.import_history.run_import import import_history
from features.history_store import Manifest
from features.progress import quiet
from features.settings import Workspace
from models.leakage.check_leakage import check_leakage
from models.leakage.findings import LeakReport
from models.training_set.build_training_sets import build_features, read_counts


class Planted:
    """The sample company below a home of its own: raw tables, mapping and training sets to spoil."""

    def __init__(self, small: tuple[Company, Workspace], home: Path) -> None:
        shutil.copytree(small[1].home, home)
        self.workspace = Workspace(home)
        self.toml = self.workspace.data / "sample.toml"
        self.raw = self.workspace.company("sample") / "raw"

    @property
    def company(self) -> Company:
        return load_company(self.toml)

    def map(self, old: str, new: str) -> None:
        """Replace a piece of the company's file."""
        text = self.toml.read_text(encoding="utf-8")
        assert old in text
        self.toml.write_text(text.replace(old, new, 1), encoding="utf-8")

    def rewrite(self, table: str, sql: str) -> None:
        """Replace a raw table by a query; it sees all raw tables by their names."""
        con = duckdb.connect()
        con.execute("SET TimeZone = 'UTC'")
        for file in self.raw.glob("*.parquet"):
            con.execute(f"create view {file.stem} as select * from read_parquet('{file}')")
        made = con.sql(sql).to_arrow_table()
        con.close()
        pq.write_table(made, self.raw / f"{table}.parquet")

    def build(self) -> None:
        """Import the tables and make the training sets again."""
        import_history(self.company, self.workspace, quiet())
        build_features(self.company, self.workspace, quiet())

    def stored(self, name: str) -> pa.Table:
        return pq.read_table(self._path(name))

    def store(self, name: str, table: pa.Table) -> None:
        """Put another table in the place of a training set."""
        pq.write_table(table, self._path(name))

    def _path(self, name: str) -> Path:
        return self.workspace.features("sample") / f"{name}.parquet"

    def hear(self) -> LeakReport:
        """What the court says about it."""
        manifest = Manifest.read(self.workspace, "sample")
        counts, _ = read_counts(self.company, self.workspace)
        return check_leakage(self.company, self.workspace, manifest, counts, quiet())


def told(verdict: LeakReport, kind: str) -> str:
    """All charges of one kind as text."""
    return "\n".join(str(charge) for charge in verdict.charges if charge.kind == kind)
