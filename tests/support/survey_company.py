"""Build a company from literal table rows through the whole import."""

from pathlib import Path

import pyarrow.parquet as pq

from features.config.company import Company, load_company
from features.import_history.run_import import import_history
from features.progress import silent_steps
from features.settings import Workspace
from models.training_set.build_training_sets import LabelCounts, build_features

TABLES = {
    "events": "customer_id occurred_at known_at kind amount",
    "surveys": "customer_id sent_at answered_at instrument score scale_low scale_high weight",
}


def import_literal_tables(home: Path, settings: str, **tables: str) -> tuple[Company, Workspace]:
    """Write and import the tables: one row per line, a dash for a missing value; `settings` is TOML."""
    workspace = Workspace(home)
    workspace.data.mkdir(parents=True)
    mappings = ""
    for name, rows in tables.items():
        columns = TABLES[name].split()
        lines = [r.split() for r in rows.strip().splitlines()]
        cells = [",".join("" if c == "-" else c for c in line) for line in lines]
        assert all(len(line) == len(columns) for line in lines)
        (workspace.data / f"{name}.csv").write_text("\n".join([",".join(columns), *cells]))
        mapped = "\n".join(f'{c} = "{c}"' for c in columns)
        mappings += f'\n[tables.{name}]\nfiles = "{name}.csv"\n[tables.{name}.columns]\n{mapped}\n'
    path = workspace.data / "written.toml"
    path.write_text(f'[company]\nname = "written"\n{settings}\n{mappings}')
    company = load_company(path)
    import_history(company, workspace, silent_steps())
    return company, workspace


def build_labels(
    home: Path, target: str, settings: str, **tables: str
) -> tuple[list[tuple[str, str, float]], LabelCounts]:
    """(customer, month-day of the cutoff, label) of every training row, and the label counts."""
    company, workspace = import_literal_tables(home, settings, **tables)
    counts, _ = build_features(company, workspace, silent_steps())
    table = pq.read_table(workspace.features("written") / f"{target}.parquet")
    cutoffs = [f"{c:%m-%d}" for c in table["cutoff"].to_pylist()]
    rows = zip(table["customer_id"].to_pylist(), cutoffs, table["label"].to_pylist(), strict=True)
    return sorted(rows), counts[target]
