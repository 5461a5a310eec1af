"""`nonresponse.json` and `ask_next.csv` of a small company, and of one that cannot be corrected."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from features.config.company import Company, InvitationSettings
from features.errors import DataRefused
from features.history_store import Manifest
from features.progress import silent_steps
from features.settings import Workspace
from models.nonresponse.nonresponse_results import (
    read_nonresponse_results,
    write_nonresponse_results,
)
from models.nonresponse.sampling_frame import is_current_customer
from models.training_set.build_training_sets import build_features
from support.survey_company import import_literal_tables

Home = tuple[Company, Workspace]


def with_settings(home: Home, **asking: object) -> Home:
    """The company with other invitation settings."""
    return home[0].model_copy(update={"asking": InvitationSettings.model_validate(asking)}), home[1]


def test_without_a_file_there_are_no_results(own_company: Home) -> None:
    assert read_nonresponse_results(*own_company) is None


def test_both_files_are_written(own_company: Home) -> None:
    company, workspace = own_company
    paths = write_nonresponse_results(company, workspace, silent_steps())
    assert [p.name for p in paths] == ["nonresponse.json", "ask_next.csv"]
    results = read_nonresponse_results(company, workspace)
    assert results is not None
    assert set(results["questions"]) == {"satisfaction", "nps"}
    assert results["questions"]["nps"]["skipped"].endswith(
        "200 are needed to model the response propensity"
    )
    assert -100 < results["questions"]["nps"]["answered"]["nps"]["value"] < 100
    question = results["questions"]["satisfaction"]
    assert [f["name"] for f in question["figures"]] == ["csat", "satisfied"]
    for figure in question["figures"]:
        asked = figure["everybody_asked"]
        assert asked["low"] < asked["value"] < asked["high"]
        assert asked["value"] < figure["answered"]["value"]
        assert figure["bounds"][0]["low"] == pytest.approx(asked["value"])
        assert {"crm_region", "crm_plan", "channel"} <= set(figure["by"])
        plans = figure["by"]["crm_plan"]["groups"].values()
        assert sum(g["asked"] for g in plans) == question["invitations"]
        whole = sum(g["asked"] * g["everybody_asked"]["value"] for g in plans)
        assert whole / question["invitations"] == pytest.approx(asked["value"], abs=2)
    covered = question["coverage"]
    assert covered["answered"] < covered["asked"] <= covered["customers"]
    assert 0.5 < covered["share"] <= 1
    assert question["propensity"]["effective_answers"] < question["answers"]


def test_the_list_holds_current_customers_past_the_rest_period(own_company: Home) -> None:
    company, workspace = with_settings(own_company, rest_days=45, list_size=30, segment="crm_plan")
    write_nonresponse_results(company, workspace, silent_steps())
    results = read_nonresponse_results(company, workspace)
    listed = pd.read_csv(workspace.company("sample") / "ask_next.csv")
    assert results is not None
    assert results["ask_next"]["rows"] == len(listed) == 30
    assert results["ask_next"]["segments"] == "crm_plan"
    assert set(listed["segment"]) == {"basic", "standard", "premium"}
    snapshot = pq.read_table(workspace.features("sample") / "snapshot.parquet")
    current = set(
        snapshot["customer_id"].filter(is_current_customer(company, snapshot)).to_pylist()
    )
    assert set(listed["customer_id"]) <= current
    surveys = pq.read_table(workspace.history("sample") / "surveys.parquet").to_pandas()
    last = surveys.groupby("customer_id")["sent_at"].max()
    end = pd.Timestamp(Manifest.read(workspace, "sample").end)
    assert (end - last[listed["customer_id"]] > timedelta(days=45)).all()
    everyone = sum(results["ask_next"]["excluded"].values()) + len(listed)
    assert everyone == snapshot.num_rows


def test_an_unknown_segment_skips_the_list_only(own_company: Home) -> None:
    company, workspace = with_settings(own_company, segment="crm_regoin")
    write_nonresponse_results(company, workspace, silent_steps())
    results = read_nonresponse_results(company, workspace)
    assert results is not None
    assert "asking.segment is 'crm_regoin'" in results["ask_next"]["skipped"]
    assert "crm_region" in results["ask_next"]["skipped"]
    assert not (workspace.company("sample") / "ask_next.csv").exists()


@pytest.mark.slow
def test_the_same_data_give_the_same_files(own_company: Home) -> None:
    company, workspace = own_company
    files = write_nonresponse_results(company, workspace, silent_steps())
    first = [path.read_bytes() for path in files]
    write_nonresponse_results(company, workspace, silent_steps())
    assert [path.read_bytes() for path in files] == first


def test_features_of_other_data_are_refused(own_company: Home) -> None:
    company, workspace = own_company
    path = workspace.history("sample") / "history.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "fingerprint": "another"}))
    with pytest.raises(DataRefused, match="the history has another"):
        write_nonresponse_results(company, workspace, silent_steps())
    with pytest.raises(DataRefused, match="no snapshot"):
        write_nonresponse_results(
            company, replace(workspace, home=_without_features(workspace)), silent_steps()
        )


def _without_features(workspace: Workspace) -> Path:
    """Delete the features of the company; return its home."""
    for file in workspace.features("sample").glob("*"):
        file.unlink()
    return workspace.home


def test_without_nonrespondents_the_reason_is_stored(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = "\n".join(
        f"C{i % 150:03} 2025-{1 + i % 10:02}-{1 + i % 28:02} 2025-{1 + i % 10:02}-28 nps "
        f"{rng.integers(0, 11)} 0 10 1"
        for i in range(300)
    )
    settings = 'data_end = "2026-01-01T00:00:00Z"\n[targets.satisfaction]\nenabled = false\n'
    company, workspace = import_literal_tables(tmp_path, settings, surveys=rows)
    build_features(company, workspace, silent_steps())
    assert [p.name for p in write_nonresponse_results(company, workspace, silent_steps())] == [
        "nonresponse.json"
    ]
    results = read_nonresponse_results(company, workspace)
    assert results is not None
    assert (
        "invitations of the last year were never answered" in results["questions"]["nps"]["skipped"]
    )
    assert results["questions"]["nps"]["answered"]["nps"]["error"] > 0
    assert "enabled is false" in results["questions"]["satisfaction"]["skipped"]
    assert results["ask_next"] == {"skipped": "no question could be studied"}
