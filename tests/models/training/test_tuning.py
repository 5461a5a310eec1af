"""Rolling validations: each later than what it is fitted on, all before the test."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from features.config.company import load_company
from features.errors import DataRefused
from features.history.history_table import DAY
from features.progress import silent_steps
from models.targets.registry import TARGETS
from models.training import tuning
from models.training.hyperparameters import FILE, default_params, load_params
from models.training.train import TrainingRows, load_rows, split_rows
from models.training.tuning import (
    FOLDS,
    MIN_ROWS,
    MIN_SHARE,
    rolling_loss,
    rolling_validations,
    tune,
)
from models.training_set.splits import Split, split_answers, split_calendar
from support.trained_company import SAMPLE_TARGETS, copy_of_trained, trained

CHURN, VALUE = TARGETS["churn"], TARGETS["value"]


def pairs(cutoff: np.ndarray, split: Split, span: int) -> list[tuple[list[int], list[int]]]:
    """The distinct days that each pair fits on and validates on."""
    found = rolling_validations(cutoff, split, span)
    return [tuple((np.unique(cutoff[m]) // DAY).tolist() for m in pair) for pair in found]


def test_on_a_calendar_each_validation_is_a_cutoff_earlier() -> None:
    cutoff = np.repeat(np.arange(0, 300, 30) * DAY, MIN_ROWS)
    split = split_calendar(cutoff, 60)
    assert pairs(cutoff, split, 60) == [
        ([0, 30, 60, 90, 120, 150], [210]),  # the test is on day 270, its labels begin there
        ([0, 30, 60, 90, 120], [180]),
        ([0, 30, 60, 90], [150]),
    ]


def test_a_short_history_has_fewer_and_a_small_one_none() -> None:
    cutoff = np.repeat(np.arange(0, 150, 30) * DAY, MIN_ROWS)
    assert pairs(cutoff, split_calendar(cutoff, 30), 30) == [
        ([0, 30, 60], [90]),
        ([0, 30], [60]),  # half of what is learnt from in the end; a quarter says too little
    ]
    few = np.repeat(np.arange(0, 150, 30) * DAY, MIN_ROWS // 3)
    assert pairs(few, split_calendar(few, 30), 30) == []  # 498 rows to fit on


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 120), st.booleans())
def test_nothing_fitted_on_overlaps_its_validation_nor_that_the_test(
    seed: int, span: int, on_calendar: bool
) -> None:
    rng = np.random.default_rng(seed)
    if on_calendar:
        cutoff = np.repeat(np.sort(rng.choice(1000, 15, replace=False)) * DAY, MIN_ROWS)
    else:
        cutoff = rng.integers(0, 1000 * DAY, 5000)
    try:
        split = split_calendar(cutoff, span) if on_calendar else split_answers(cutoff, span, 0.2)
    except DataRefused:
        assume(False)
    found = list(rolling_validations(cutoff, split, span))
    assume(found)
    assert len(found) <= FOLDS
    np.testing.assert_array_equal(found[0][1], split.valid)
    for fit, valid in found:
        assert (cutoff[fit] + span * DAY).max() <= cutoff[valid].min()
        assert (cutoff[valid] + span * DAY).max() <= cutoff[split.test].min()
        assert fit.sum() >= max(MIN_ROWS, MIN_SHARE * split.refit.sum())
    for (_, later), (_, earlier) in pairwise(found):
        assert cutoff[earlier].max() < cutoff[later].min()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["churn", "value", "nps"])
def test_the_loss_is_finite_and_knows_better_trees_without_the_test(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "MIN_ROWS", 100)  # a small company has few answers
    workspace = trained()[0]
    company = load_company(workspace.data / "sample.toml")
    target, rows = TARGETS[name], load_rows(company, workspace, name)
    config = company.target(name)
    split = split_rows(target, config, rows)
    assert list(rolling_validations(rows.cutoff, split, target.span_days(config)))
    params = replace(default_params(target), max_rounds=30)
    loss = rolling_loss(target, config, rows, split, params)
    stumps = replace(params, max_rounds=1, learning_rate=1e-4)
    assert loss < rolling_loss(target, config, rows, split, stumps) < np.inf
    garbled = replace(rows, label=np.where(split.test, 0.0, rows.label))
    assert rolling_loss(target, config, garbled, split, params) == loss


def test_value_with_a_gap_is_tuned_on_the_spend_of_its_horizon() -> None:
    workspace = trained()[0]
    company = load_company(workspace.data / "sample.toml")
    rows = load_rows(company, workspace, "value")
    config = company.target("value").model_copy(update={"gap_days": 7})
    split = split_rows(VALUE, config, rows)
    params = replace(default_params(VALUE), max_rounds=2)
    assert np.isfinite(rolling_loss(VALUE, config, rows, split, params))


def test_too_few_rows_to_validate_on_are_never_better() -> None:
    cutoff = np.repeat(np.arange(0, 150, 30) * DAY, 20)
    features = pa.table({"a": np.arange(100.0), "season": np.ones(100)})
    rows = TrainingRows(features, np.arange(100.0) % 2, np.ones(100), np.arange(100), cutoff)
    company = load_company(trained()[0].data / "sample.toml")
    config = company.target("churn").model_copy(update={"horizon_days": 30})
    split = split_calendar(cutoff, 30)
    assert rolling_loss(CHURN, config, rows, split, default_params(CHURN)) == float("inf")


def test_what_is_found_is_kept_for_the_next_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, workspace = copy_of_trained(tmp_path / "home")

    def loss(target, config, rows, split, params):  # type: ignore[no-untyped-def]
        return params.leaves if target.name == "churn" else 1.0

    monkeypatch.setattr(tuning, "rolling_loss", loss)
    found = tune(company, workspace, silent_steps(), minutes=5, trials=8)
    # a thousand customers answer too seldom to try anything on
    assert {"churn", "value"} <= set(found) < set(SAMPLE_TARGETS)
    assert {n for n, t in found.items() if t.better} <= {"churn"}
    assert found["churn"].default_loss == default_params(CHURN).leaves
    assert {t.trials for t in found.values()} == {8}
    kept = load_params(company, workspace, CHURN)
    assert kept.leaves == found["churn"].loss
    assert (workspace.company("sample") / FILE).is_file()
