"""Attributions add up to the displayed score, for every target and calibration."""

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from features.errors import DataRefused
from models.bundles.champions import load_champions
from models.bundles.predict import predict
from models.explain.attributions import BULK_ROWS, attribute_raw_scores, attribute_scores
from models.explain.output_scale import OutputScale
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from support.small_models import SCORES, customers, small_bundle
from support.trained_company import trained

SEEN = {
    "churn": lambda o: 100 * o["probability"],
    "nps": lambda o: 100 * (o["promoter"] - o["detractor"]),
    "satisfaction": lambda o: o["score"],
    "value": lambda o: o["expected"],
}


def test_every_champion_of_a_trained_company() -> None:
    workspace, _ = trained()
    bundles, missing = load_champions(workspace.serving("sample"))
    snapshot = pq.read_table(workspace.features("sample") / "snapshot.parquet")
    assert bundles
    assert set(bundles) | set(missing) == set(SEEN)
    for target, bundle in bundles.items():
        found = attribute_scores(bundle, snapshot)
        seen = SEEN[target](predict(bundle, snapshot))
        known = ~np.isnan(seen)  # churn has no probability outside its population
        assert known.sum() > 100
        np.testing.assert_allclose(found.score[known], seen[known], rtol=0, atol=1e-9)
        sums = found.start + found.parts.sum(axis=1)
        np.testing.assert_allclose(sums[known], seen[known], rtol=0, atol=1e-6, err_msg=target)


@pytest.mark.parametrize(("target", "method"), SCORES)
@pytest.mark.parametrize("rows", [1, 60, BULK_ROWS])
def test_start_and_parts_are_the_score(target: str, method: str, rows: int) -> None:
    bundle, table = small_bundle(target, method), customers(seed=5).slice(0, rows)
    found = attribute_scores(bundle, table)
    assert found.parts.shape == (rows, len(bundle.estimator.encoder.columns))
    np.testing.assert_allclose(found.start + found.parts.sum(axis=1), found.score, atol=1e-6)
    assert np.abs(found.parts).max() > 0


@pytest.mark.parametrize(("target", "method"), [("churn", "platt"), ("nps", "vector")])
def test_single_rows_and_bulk_agree(target: str, method: str) -> None:
    bundle, table = small_bundle(target, method), customers(seed=6)
    few, many = attribute_scores(bundle, table.slice(0, 40)), attribute_scores(bundle, table)
    np.testing.assert_allclose(few.parts, many.parts[:40], atol=1e-4)


def test_parts_of_a_probability_are_proportional_to_shap_values() -> None:
    """With one raw score, the parts are its TreeSHAP values times one factor."""
    bundle, table = small_bundle("churn"), customers(seed=7).slice(0, 50)
    raw, _ = attribute_raw_scores(bundle.estimator, table)
    found = attribute_scores(bundle, table).parts
    wide = np.abs(raw.sum(axis=1)) > 0.1
    ratio = (found.sum(axis=1) / raw.sum(axis=1))[:, None]
    np.testing.assert_allclose(found[wide], (raw * ratio)[wide], atol=1e-7)


def test_a_mix_of_classes_is_attributed_as_one_raw_score() -> None:
    bundle, table = small_bundle("nps"), customers(seed=8).slice(0, 30)
    shares, start = attribute_raw_scores(bundle.estimator, table, np.array([-1.0, 0, 1]))
    raw = bundle.estimator.raw(table)
    np.testing.assert_allclose(shares.sum(axis=1) + start, raw[:, 2] - raw[:, 0], atol=1e-6)
    with pytest.raises(ValueError, match="should have 3 numbers"):
        attribute_raw_scores(bundle.estimator, table, np.ones(2))


@pytest.mark.parametrize("objective", ["tweedie", "poisson", "huber", "l2", "regression"])
def test_the_links_of_a_regression(objective: str) -> None:
    table = customers(seed=3)
    y = table["revenue_90d"].to_numpy() / 100
    params = Params(max_rounds=10, objective=objective)
    estimator = Estimator.fit("regression", LabelledRows(table, y), None, params)
    bundle = replace(small_bundle("value"), estimator=estimator)
    found = attribute_scores(bundle, table.slice(0, 50))
    np.testing.assert_allclose(found.start + found.parts.sum(axis=1), found.score, atol=1e-6)


def test_an_unknown_link_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OutputScale, "link", lambda self, raw: raw + 1)
    with pytest.raises(
        DataRefused, match=r"the link of the objective .*regression_l1.*output_scale\.py"
    ):
        attribute_scores(small_bundle("value"), customers().slice(0, 3))


def test_no_rows_have_no_parts() -> None:
    assert len(attribute_scores(small_bundle("value"), customers().slice(0, 0)).score) == 0
