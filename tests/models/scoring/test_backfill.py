"""Scores as of an earlier day are those of a history that ended then."""

import json
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq

from features.config.company import load_company
from features.history_store import Manifest
from features.settings import Workspace
from models.scoring.backfill import scores_at
from support.trained_company import copy_of_trained, trained


def test_at_the_end_of_the_data_they_are_the_scores_file() -> None:
    workspace, _ = trained()
    company = load_company(workspace.data / "sample.toml")
    end = Manifest.read(workspace, company.name).end
    shown = scores_at(company, workspace, end)
    assert shown is not None
    kept = pq.read_table(workspace.scores(company.name)).select(shown.column_names)
    pd.testing.assert_frame_equal(
        shown.to_pandas().drop(columns="churn_survival"),
        kept.to_pandas().drop(columns="churn_survival"),
        check_dtype=False,
    )


def test_what_comes_later_changes_nothing(tmp_path: Path) -> None:
    company, workspace = copy_of_trained(tmp_path / "home")
    manifest = Manifest.read(workspace, company.name)
    day = manifest.end - timedelta(days=90)
    whole = scores_at(company, workspace, day)
    truncate(workspace, manifest, day)
    short = scores_at(company, workspace, day)
    assert whole is not None
    assert short is not None
    assert whole.drop(["churn_survival"]).equals(short.drop(["churn_survival"]))


def truncate(workspace: Workspace, manifest: Manifest, day: datetime) -> None:
    """Take every row that was not known before the day out of the history on disk."""
    known = {"customers": "valid_from", "events": "known_at", "surveys": "sent_at",
             "tickets": "opened_at"}  # fmt: skip
    folder = workspace.history(manifest.company)
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        for table, clock in known.items():
            path = folder / f"{table}.parquet"
            kept = con.sql(
                f"select * from read_parquet('{path}') where {clock} < ?", params=[day]
            ).to_arrow_table()
            pq.write_table(kept, path)
    shorter = replace(manifest, data_end=day.isoformat())
    (folder / "history.json").write_text(
        json.dumps({**asdict(shorter), "schema": json.loads(manifest.schema.to_json())})
    )


def test_without_a_model_there_are_none(tmp_path: Path) -> None:
    company, workspace = copy_of_trained(tmp_path / "home")
    for pointer in workspace.serving(company.name).glob("*/*.json"):
        pointer.unlink()
    assert scores_at(company, workspace, Manifest.read(workspace, company.name).end) is None
