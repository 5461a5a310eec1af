"""Invitations from a few literal rows, and compared with the target's own labels."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.config.company import Company
from features.errors import DataRefused
from features.history_store import Manifest
from features.settings import Workspace
from models.nonresponse import invitations as module
from models.nonresponse.invitations import QUESTIONS, Invitations, load_invitations
from models.targets.registry import TARGETS
from models.training_set.labels import label_rows
from support.survey_company import import_literal_tables

SETTINGS = 'data_end = "2026-01-01T00:00:00Z"\n[targets.nps]\nhorizon_days = 10\n'
SURVEYS = """
A 2024-01-05 2024-01-06 nps 3 0 10 1
A 2025-06-01 2025-06-05 nps 10 0 10 2
A 2025-09-01 - nps - 0 10 1
B 2025-09-01 2025-09-20 nps 9 0 10 1
B 2025-11-01 2025-11-02 nps 8 0 10 1
B 2025-12-25 2025-12-26 nps 8 0 10 1
B 2025-11-01 2025-11-02 csat 1 1 5 1
"""


def load(home: Path, rows: str = SURVEYS) -> Invitations:
    company, workspace = import_literal_tables(home, SETTINGS, surveys=rows)
    return load_invitations(
        TARGETS["nps"], company, workspace, Manifest.read(workspace, company.name)
    )


def test_every_mature_invitation_is_loaded_answered_or_not(tmp_path: Path) -> None:
    found = load(tmp_path)
    assert found.ids == ("A", "B")
    assert found.customer.tolist() == [0, 0, 0, 1, 1]
    assert np.array_equal(found.level, [0.0, 2.0, np.nan, np.nan, 1.0], equal_nan=True)
    assert found.weight.tolist() == [1.0, 2.0, 1.0, 1.0, 1.0]
    assert found.recent.tolist() == [False, True, True, True, True]
    assert found.late.tolist() == [False, False, False, True, False]
    assert (found.immature, found.older) == (1, 0)
    assert f"{found.ends:%Y-%m-%d}" == "2025-12-22"
    assert found.ends - found.starts == timedelta(days=365)


def test_features_are_as_of_the_time_of_the_invitation(tmp_path: Path) -> None:
    found = load(tmp_path)
    last = found.features["nps_last"].to_numpy()
    # A late answer is known at the next invitation.
    assert np.array_equal(last, [np.nan, 30.0, 100.0, np.nan, 90.0], equal_nan=True)
    assert not set(found.features.column_names) & {"label", "weight", "cutoff", "customer_id"}


def test_answered_invitations_equal_the_targets_training_rows(
    small_company: tuple[Company, Workspace],
) -> None:
    company, workspace = small_company
    manifest = Manifest.read(workspace, company.name)
    for name in QUESTIONS:
        found = load_invitations(TARGETS[name], company, workspace, manifest)
        made = label_rows(TARGETS[name], company, workspace, manifest)
        labels = made.table
        answered = found.answered
        assert labels["label"].to_pylist() == found.level[answered].tolist()
        assert labels["customer_id"].to_pylist() == [found.ids[c] for c in found.customer[answered]]
        cutoffs = labels["cutoff"].combine_chunks().cast(pa.timestamp("us", "UTC"))
        assert cutoffs.view(pa.int64()).to_pylist() == found.sent[answered].tolist()
        assert 0.2 < answered.mean() < 0.5
        assert made.late == 0
        assert made.immature < found.immature


def test_only_the_newest_invitations_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_INVITATIONS", 3)
    found = load(tmp_path)
    assert found.older == 2
    assert found.customer.tolist() == [0, 1, 1]
    assert found.late.tolist() == [False, True, False]


def test_a_question_never_asked_is_refused(tmp_path: Path) -> None:
    company, workspace = import_literal_tables(
        tmp_path, SETTINGS, surveys=SURVEYS.replace(" nps ", " csat ")
    )
    with pytest.raises(DataRefused, match="the question was never asked"):
        load_invitations(TARGETS["nps"], company, workspace, Manifest.read(workspace, company.name))


def test_immature_invitations_are_refused(tmp_path: Path) -> None:
    young = "A 2025-12-25 2025-12-26 nps 8 0 10 1"
    with pytest.raises(DataRefused, match="no invitation is at least 10 days older than the end"):
        load(tmp_path, young)
