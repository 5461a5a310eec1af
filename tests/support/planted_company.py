"""A copy of the small sample company in which a test plants a leak and runs the leakage check."""

import shutil
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from features.config.company import Company, load_company
from features.import_history.run_import import Manifest, import_history
from features.progress import silent_steps
from features.settings import Workspace
from models.leakage.check_leakage import check_leakage
from models.leakage.findings import LeakReport
from models.training_set.build_training_sets import build_features, read_counts


class PlantedCompany:
    """The sample company in its own home: raw tables, mapping and training sets may be changed."""

    def __init__(self, small: tuple[Company, Workspace], home: Path) -> None:
        shutil.copytree(small[1].home, home)
        self.workspace = Workspace(home)
        self.toml = self.workspace.data / "sample.toml"
        self.raw = self.workspace.company("sample") / "raw"

    @property
    def company(self) -> Company:
        return load_company(self.toml)

    def edit_config(self, old: str, new: str) -> None:
        """Replace the first occurrence of a text in the company's file."""
        text = self.toml.read_text(encoding="utf-8")
        assert old in text
        self.toml.write_text(text.replace(old, new, 1), encoding="utf-8")

    def replace_table(self, table: str, sql: str) -> None:
        """Replace a raw table by the result of a query over the raw tables."""
        con = duckdb.connect()
        con.execute("SET TimeZone = 'UTC'")
        for file in self.raw.glob("*.parquet"):
            con.execute(f"create view {file.stem} as select * from read_parquet('{file}')")
        result = con.sql(sql).to_arrow_table()
        con.close()
        pq.write_table(result, self.raw / f"{table}.parquet")

    def build(self) -> None:
        """Import the tables as for the first time, and build the training sets."""
        shutil.rmtree(self.workspace.history("sample").resolve())
        import_history(self.company, self.workspace, silent_steps())
        build_features(self.company, self.workspace, silent_steps())

    def read_training_set(self, name: str) -> pa.Table:
        return pq.read_table(self._path(name))

    def write_training_set(self, name: str, table: pa.Table) -> None:
        """Replace a training set."""
        pq.write_table(table, self._path(name))

    def _path(self, name: str) -> Path:
        return self.workspace.features("sample") / f"{name}.parquet"

    def check_leakage(self) -> LeakReport:
        """Run the leakage check on the training sets as they are stored."""
        manifest = Manifest.read(self.workspace, "sample")
        counts, _ = read_counts(self.company, self.workspace)
        return check_leakage(self.company, self.workspace, manifest, counts, silent_steps())


def findings_text(report: LeakReport, kind: str) -> str:
    """All findings of one kind, one per line."""
    return "\n".join(str(finding) for finding in report.findings if finding.kind == kind)
