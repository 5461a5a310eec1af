"""Holdout evaluation of served models gives the numbers that training measured."""

import json
from dataclasses import replace

import numpy as np
import pytest

from features.config.company import load_company
from features.errors import DataRefused
from models.bundles.bundle import Bundle
from models.bundles.champions import load_champions
from models.validation.holdout_evaluation import evaluate_on_test_rows
from support.trained_company import trained


@pytest.fixture(scope="module")
def asked():
    """Every champion of the trained company on its test rows."""
    workspace, _ = trained()
    company = load_company(workspace.data / "sample.toml")
    bundles, _ = load_champions(workspace.serving("sample"))
    return {
        name: evaluate_on_test_rows(bundle, company, workspace) for name, bundle in bundles.items()
    }


def test_the_calibration_error_equals_that_of_training(asked):
    churn = asked["churn"]
    assert churn.error.error == pytest.approx(churn.bundle.manifest.metrics["ece"])
    assert len(churn.actual) == churn.error.rows
    classes = next(one for name, one in asked.items() if name in ("satisfaction", "nps"))
    assert classes.error.error == pytest.approx(classes.bundle.manifest.metrics["class_ece"])


def test_a_value_has_coverage_and_no_calibration_error(asked):
    value = asked["value"]
    assert value.error is None
    assert value.segments == ()
    assert value.bins() == {}
    inside = (value.rows.label >= value.outputs["low"] - 1e-6 * (1 + abs(value.rows.label))) & (
        value.rows.label <= value.outputs["high"] + 1e-6 * (1 + abs(value.rows.label))
    )
    assert value.coverage.share == pytest.approx(inside.mean())
    assert 0.8 < value.coverage.share < 1
    apart = value.coverage_apart
    assert list(apart) == ["nothing", "others"]
    assert sum(c.rows for c in apart.values()) == value.coverage.rows
    assert apart["nothing"].rows == value.spends_nothing.sum()
    assert apart["nothing"].share > 0.9
    assert 0.8 < apart["others"].share < 0.97


def test_churn_has_reliability_bins_and_no_intervals(asked):
    churn = asked["churn"]
    assert churn.coverage is None
    assert churn.coverage_by_segment == ()
    ((name, bins),) = churn.bins().items()
    assert name == churn.bundle.manifest.classes[1]
    rows = sum(b["rows"] for b in bins)
    happened = sum(b["observed"] * b["rows"] for b in bins)
    assert (rows, happened) == pytest.approx((len(churn.actual), churn.actual.sum()))


def test_levels_are_on_the_scale_of_their_intervals(asked):
    if "satisfaction" not in asked:
        pytest.fail("the trained company has a champion of satisfaction")
    one = asked["satisfaction"]
    assert set(np.unique(one.actual)) <= {0.0, 25.0, 50.0, 75.0, 100.0}
    assert one.coverage.share > 0.8
    assert len(one.bins()) == 5


def test_the_result_is_valid_json(asked):
    for one in asked.values():
        shown = json.loads(one.to_json())
        assert (shown["calibration"] is None) == (one.error is None)
        assert (shown["coverage"] is None) == (one.coverage is None)
        assert 0 <= shown["abstains"] < 0.5


def test_a_model_trained_on_test_rows_is_refused():
    workspace, _ = trained()
    company = load_company(workspace.data / "sample.toml")
    bundle = load_champions(workspace.serving("sample"))[0]["churn"]
    later = Bundle(
        bundle.estimator,
        bundle.calibrator,
        replace(bundle.manifest, version="999", test_start="2030-01-01"),
    )
    with pytest.raises(DataRefused, match=r"was trained on rows before 2030-01-01"):
        evaluate_on_test_rows(later, company, workspace)
