"""Who was asked and who answered: a few rows by hand, and the target's own labels."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.config.company import Company
from features.errors import DataRefused
from features.history_store import Manifest
from features.settings import Workspace
from models.nonresponse import invitations as subject
from models.nonresponse.invitations import QUESTIONS, Invitations, load_invitations
from models.targets.registry import TARGETS
from models.training_set.labels import label_rows
from support.survey_company import written

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


def asked(home: Path, rows: str = SURVEYS) -> Invitations:
    company, workspace = written(home, SETTINGS, surveys=rows)
    return load_invitations(TARGETS["nps"], company, workspace, Manifest.read(workspace, company.name))


def test_every_ripe_invitation_is_there_answered_or_not(tmp_path: Path) -> None:
    found = asked(tmp_path)
    assert found.ids == ("A", "B")
    assert found.customer.tolist() == [0, 0, 0, 1, 1]
    assert np.array_equal(found.level, [0.0, 2.0, np.nan, np.nan, 1.0], equal_nan=True)
    assert found.weight.tolist() == [1.0, 2.0, 1.0, 1.0, 1.0]
    assert found.recent.tolist() == [False, True, True, True, True]
    assert found.late.tolist() == [False, False, False, True, False]
    assert (found.unripe, found.older) == (1, 0)
    assert f"{found.ends:%Y-%m-%d}" == "2025-12-22"
    assert found.ends - found.starts == timedelta(days=365)


def test_features_are_those_of_the_moment_of_asking(tmp_path: Path) -> None:
    found = asked(tmp_path)
    last = found.features["nps_last"].to_numpy()
    # Of an answer that came late, only its time is later: at the next invitation it is known.
    assert np.array_equal(last, [np.nan, 30.0, 100.0, np.nan, 90.0], equal_nan=True)
    assert not set(found.features.column_names) & {"label", "weight", "cutoff", "customer_id"}


def test_what_is_answered_is_what_the_target_learns_from(
    small_company: tuple[Company, Workspace],
) -> None:
    company, workspace = small_company
    manifest = Manifest.read(workspace, company.name)
    for name in QUESTIONS:
        found = load_invitations(TARGETS[name], company, workspace, manifest)
        labels, unripe, late, _ = label_rows(TARGETS[name], company, workspace, manifest)
        heard = found.answered
        assert labels["label"].to_pylist() == found.level[heard].tolist()
        assert labels["customer_id"].to_pylist() == [found.ids[c] for c in found.customer[heard]]
        cutoffs = labels["cutoff"].combine_chunks().cast(pa.timestamp("us", "UTC"))
        assert cutoffs.view(pa.int64()).to_pylist() == found.sent[heard].tolist()
        assert 0.2 < heard.mean() < 0.5
        assert late == 0
        assert unripe < found.unripe


def test_the_newest_are_taken_when_there_are_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "MOST_INVITATIONS", 3)
    found = asked(tmp_path)
    assert found.older == 2
    assert found.customer.tolist() == [0, 1, 1]
    assert found.late.tolist() == [False, True, False]


def test_a_question_nobody_was_asked_is_refused(tmp_path: Path) -> None:
    company, workspace = written(tmp_path, SETTINGS, surveys=SURVEYS.replace(" nps ", " csat "))
    with pytest.raises(DataRefused, match="the question was never asked"):
        load_invitations(TARGETS["nps"], company, workspace, Manifest.read(workspace, company.name))


def test_invitations_too_young_are_refused(tmp_path: Path) -> None:
    young = "A 2025-12-25 2025-12-26 nps 8 0 10 1"
    with pytest.raises(DataRefused, match="no invitation is 10 days older than the end"):
        asked(tmp_path, young)
