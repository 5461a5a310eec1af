"""The model, its rule and a linear model are asked about the same rows."""

import numpy as np
import pyarrow as pa
import pytest

from features.config.company import TargetConfig
from features.errors import DataRefused
from models.learners.calibration import Calibrator
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.targets.registry import TARGETS
from models.targets.spend_level import SpendLevel
from models.training.baseline_comparison import baseline_rule, predict_with_baselines
from models.training.fit_model import FittedModel

CANCEL = TargetConfig(definition="cancel", horizon_days=90)
QUICK = Params(max_rounds=20, leaves=4)


def features(rows: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "days_since_event": rng.uniform(0, 300, rows),
            "revenue_90d": rng.gamma(2, 100, rows),
            "revenue_365d": rng.gamma(2, 400, rows),
            "revenue_all": rng.gamma(2, 900, rows),
            "tenure_days": rng.uniform(100, 900, rows),
            "shifted": np.full(rows, float(seed)) + rng.random(rows),
        }
    )


@pytest.mark.parametrize("name", TARGETS)
def test_a_rule_needs_its_column(name: str) -> None:
    target = TARGETS[name]
    column = target.rule_feature(CANCEL)
    assert baseline_rule(target, CANCEL, [column, "other"]).columns == (column,)
    with pytest.raises(DataRefused, match=f"target {name}: its rule needs the feature {column}"):
        baseline_rule(target, CANCEL, ["other"])


@pytest.fixture(scope="module")
def churn() -> tuple[FittedModel, LabelledRows]:
    table = features(800, seed=1)
    chance = table[TARGETS["churn"].rule_feature(CANCEL)].to_numpy() / 300
    y = (np.random.default_rng(2).random(800) < chance).astype(float)
    data = LabelledRows(table, y, np.ones(800))
    grown = Estimator.fit("binary", data, None, QUICK, ("shifted",))
    shape = Calibrator("binary", "platt", {"slope": [0.5], "shift": [0.1]})
    return FittedModel(grown, shape, None, np.zeros(0)), data


def test_three_answers_for_every_row(churn: tuple[FittedModel, LabelledRows]) -> None:
    model, data = churn
    test = features(200, seed=3)
    found = predict_with_baselines(TARGETS["churn"], CANCEL, model, data, test)
    assert list(found) == ["model", "rule", "linear"]
    for answer in found.values():
        assert answer.shape == (200,)
        assert ((answer > 0) & (answer < 1)).all()
    trees = model.estimator.predict(test)
    np.testing.assert_array_equal(found["model"], model.calibrator.apply(trees))
    silent = test["days_since_event"].to_numpy()
    for answer in found.values():
        assert np.corrcoef(answer, silent)[0, 1] > 0.7


def test_what_the_model_does_not_read_the_linear_one_does_not_either(
    churn: tuple[FittedModel, LabelledRows],
) -> None:
    model, data = churn
    test = features(200, seed=3)
    moved = test.set_column(
        test.column_names.index("shifted"), "shifted", pa.array(np.full(200, 1e6))
    )
    plain, other = (
        predict_with_baselines(TARGETS["churn"], CANCEL, model, data, t) for t in (test, moved)
    )
    for name, answer in plain.items():
        np.testing.assert_array_equal(answer, other[name])


def test_a_value_is_a_multiple_of_the_level_in_money() -> None:
    table = features(400, seed=4)
    spend = SpendLevel.fit(table, 90)
    data = LabelledRows(table, 2 * spend.of(table))
    grown = Estimator.fit(
        "regression", LabelledRows(table, table["tenure_days"].to_numpy()), None, QUICK
    )
    model = FittedModel(grown, Calibrator("regression"), spend, np.zeros(0), grown, True)
    later = features(50, seed=5)
    np.testing.assert_allclose(model.predict(later), grown.predict(later) * spend.of(later))
    config = TargetConfig(horizon_days=90)
    found = predict_with_baselines(TARGETS["value"], config, model, data, later)
    np.testing.assert_array_equal(found["model"], model.predict(later))
    assert set(found) == {"model", "rule", "linear", "typical"}
    np.testing.assert_array_equal(found["typical"], np.maximum(found["model"], 0.0))
