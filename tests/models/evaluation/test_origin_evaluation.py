"""The judgement over origins: means by hand, and intervals that hold both spreads."""

import json
from dataclasses import replace

import numpy as np
import pytest

from models.evaluation.metrics import METRICS, log_loss, roc_auc
from models.evaluation.origin_evaluation import OriginRows, evaluate_origins

N = 300
CUSTOMERS = np.arange(N)


def origin(seed, strength=2.0, shift=0.0, rows=N):
    """An origin at which the model's scores are `strength` strong and its level is off by `shift`."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=rows)
    y = (rng.random(rows) < 1 / (1 + np.exp(-strength * z + shift))).astype(float)
    model = 1 / (1 + np.exp(-2 * z))
    return OriginRows(
        f"2026-0{seed + 1}-01", 1000, y, {"model": model, "rule": rng.random(rows)},
        np.ones(rows), CUSTOMERS[:rows],
    )  # fmt: skip


def test_the_mean_of_each_metric_and_the_gain_by_hand():
    origins = tuple(origin(seed) for seed in range(3))
    found = evaluate_origins("binary", origins)
    each = [roc_auc(o.y, o.predictions["model"]) for o in origins]
    rule = [roc_auc(o.y, o.predictions["rule"]) for o in origins]
    assert [o.metrics["model"]["roc_auc"] for o in found.each] == pytest.approx(each)
    assert found.metrics["model"]["roc_auc"].value == pytest.approx(np.mean(each))
    assert found.gains["rule"].value == pytest.approx(np.mean(each) - np.mean(rule))
    assert set(found.gains) == {"rule"}
    losses = [log_loss(o.y, o.predictions["model"]) for o in origins]
    assert found.metrics["model"]["log_loss"].value == pytest.approx(np.mean(losses))
    assert set(found.metrics["rule"]) == {"roc_auc"}
    assert [(o.learnt, o.rows, o.customers) for o in found.each] == [(1000, N, N)] * 3
    assert json.loads(json.dumps(found.to_dict()))["primary"] == "roc_auc"


def test_a_smaller_loss_is_a_positive_gain():
    rng = np.random.default_rng(0)
    y = rng.exponential(100, N)
    rows = OriginRows("2026-01-01", 10, y, {"model": y, "rule": y + 5}, np.ones(N), CUSTOMERS)
    found = evaluate_origins("regression", (rows, rows))
    assert found.gains["rule"].value == pytest.approx(5)
    assert found.each[0].excess is None


def test_origins_that_differ_widen_the_interval_and_alike_ones_do_not():
    alike = evaluate_origins("binary", tuple(origin(seed) for seed in range(4)))
    differ = evaluate_origins(
        "binary", tuple(origin(seed, strength=[3.0, 0.2, 2.5, 0.0][seed]) for seed in range(4))
    )
    width = [i.high - i.low for i in (e.metrics["model"]["roc_auc"] for e in (alike, differ))]
    assert width[1] > 3 * width[0]


def test_customers_are_the_same_at_every_origin():
    one = origin(0)
    copies = tuple(replace(one, start=f"2026-0{month}-01") for month in range(1, 5))
    alone = evaluate_origins("binary", (one,)).metrics["model"]["roc_auc"]
    four = evaluate_origins("binary", copies).metrics["model"]["roc_auc"]
    # Four times the same rows of the same customers tell no more than one.
    assert four.high - four.low == pytest.approx(alone.high - alone.low, rel=1e-9)


def test_the_level_is_actual_less_predicted_and_moves_between_origins():
    found = evaluate_origins("binary", (origin(0), origin(1, shift=1.5)))
    gaps = [o.actual - o.predicted for o in found.each]
    assert abs(gaps[0]) < 0.06
    assert gaps[1] < -0.15
    assert found.level.value == pytest.approx(np.mean(gaps))
    assert found.level_error == pytest.approx(np.sqrt(np.mean(np.square(gaps))))
    assert found.each[1].excess > 0.1 > found.each[0].excess


def test_classes_and_levels_have_all_their_metrics():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), N)
    y = (rng.random((N, 1)) > np.cumsum(p, axis=1)[:, :-1]).sum(axis=1).astype(float)
    rows = OriginRows("2026-01-01", 9, y, {"model": p, "rule": p}, np.ones(N), CUSTOMERS)
    found = evaluate_origins("ordinal", (rows,))
    assert set(found.metrics["model"]) == {n for n, m in METRICS.items() if "ordinal" in m.kinds}
    assert found.gains["rule"].value == 0


def test_of_a_value_the_median_is_judged_by_its_error_and_the_mean_by_all_else():
    rng = np.random.default_rng(1)
    y = rng.exponential(100, N)
    predictions = {"model": np.sort(y), "typical": y + 1, "rule": y + 5}
    rows = OriginRows("2026-01-01", 10, y, predictions, np.ones(N), CUSTOMERS)
    found = evaluate_origins("regression", (rows, rows))
    assert set(found.metrics) == {"model", "rule"}
    assert found.metrics["model"]["mae"].value == pytest.approx(1)
    assert found.metrics["model"]["sum_ratio"].value == pytest.approx(1)
    assert found.gains["rule"].value == pytest.approx(4)
    rank = METRICS["spearman"].function(y, np.sort(y))
    assert found.rank_gain.value == pytest.approx(rank - 1)
    assert found.level.value == pytest.approx(0)
    assert set(found.metrics["rule"]) == {"mae", "spearman"}


def test_only_a_value_has_a_gain_in_rank():
    assert evaluate_origins("binary", (origin(0),)).rank_gain is None
