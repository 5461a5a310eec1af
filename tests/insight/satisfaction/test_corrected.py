"""Corrected figures beside naive ones: read from the study's file, and cell by cell by hand."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from asked_by_hand import on, said, write

from features.errors import ConfigRefused
from insight.satisfaction.corrected import corrected_cells, corrected_figures
from models.answering.estimate import FIGURES, Study
from models.answering.invitations import Invitations
from models.answering.weights import Weights
from models.targets import TARGETS

CSAT = FIGURES["satisfaction"][0]


def told(name, answered, everybody):
    return {
        "name": name, "answered": {"value": answered},
        "everybody_asked": {"value": everybody, "low": everybody - 2, "high": everybody + 2},
    }  # fmt: skip


def stored(folder, content):
    company, workspace, _ = write(folder, surveys=[said("A", on(2), 5.0)])
    if content is not None:
        path = workspace.company(company.name) / "population.json"
        path.write_text(json.dumps(content), encoding="utf-8")
    return corrected_figures(company, workspace, "abc")


def test_figures_come_in_the_unit_of_their_measure(tmp_path):
    questions = {
        "satisfaction": {"figures": [told("csat", 72.0, 68.0), told("satisfied", 67.0, 60.0)]},
        "nps": {"skipped": "40 answers"},
    }
    found, lacking = stored(tmp_path, {"fingerprint": "abc", "questions": questions})
    assert (found["csat_index"].answered, found["csat_index"].everybody) == (7.2, 6.8)
    assert (found["satisfied"].low, found["satisfied"].high) == (0.58, 0.62)
    assert found["csat_index"].fresh
    assert lacking == {"nps": "40 answers"}


def test_an_older_study_is_not_fresh(tmp_path):
    content = {"fingerprint": "old", "questions": {"nps": {"figures": [told("nps", 30.0, 20.0)]}}}
    found, lacking = stored(tmp_path, content)
    assert not found["nps"].fresh
    assert lacking == dict.fromkeys(["csat_index", "satisfied"], "not studied")


def test_without_a_study_the_remedy_is_told(tmp_path):
    found, lacking = stored(tmp_path, None)
    assert found == {}
    assert set(lacking.values()) == {"who answers has not been studied; run `goodwill population`"}


def study_by_hand() -> Study:
    """Six invitations in the north, two in the south: in the north the content half answered."""
    level = np.array([4.0, 4.0, 4.0, np.nan, np.nan, np.nan, 2.0, np.nan])
    rows = len(level)
    asked = Invitations(
        features=pa.table({"crm_region": ["north"] * 6 + ["south"] * 2}),
        ids=tuple(f"C{i}" for i in range(rows)), customer=np.arange(rows), sent=np.zeros(rows, np.int64),
        level=level, weight=np.ones(rows), recent=np.ones(rows, bool), late=np.zeros(rows, bool),
        starts=datetime(2025, 1, 1, tzinfo=UTC), ends=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    shares = np.zeros((rows, 5))
    shares[np.arange(rows), [4, 4, 4, 0, 0, 0, 2, 2]] = 1.0  # the model knows the silent are cross
    answered = ~np.isnan(level)
    weights = Weights(np.full(rows, 0.5), answered.astype(float), 0)
    outcome = SimpleNamespace(unseen=shares)
    return Study(TARGETS["satisfaction"], asked, None, outcome, weights)  # type: ignore[arg-type]


def test_a_cell_is_corrected_by_its_own_answers_and_silence():
    table, hidden = corrected_cells(study_by_hand(), CSAT, "crm_region", fewest=2)
    line = table.iloc[0]
    assert line[["crm_region", "asked", "answered", "naive"]].tolist() == ["north", 6, 3, 100.0]
    assert line["corrected"] == pytest.approx(50.0)
    assert line["corrected_low"] < 50 < line["corrected_high"]
    assert hidden == 1


def test_a_feature_that_is_not_there_is_refused():
    with pytest.raises(
        ConfigRefused, match="no feature crm_regoin to cut by; did you mean crm_region"
    ):
        corrected_cells(study_by_hand(), CSAT, "crm_regoin")
