"""A group made worse on purpose is found, and no group is found by chance."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.metrics import mae, roc_auc
from models.targets.registry import TARGETS
from models.training.train import TrainingRows
from models.validation.slice_metrics import ENOUGH_ROWS, adjust_holm, compare_by_slice

N = 3000
REGIONS = np.array(["north", "east", "south", "west", "far"])


def rows_of(label, regions, seed=0):
    features = pa.table({"crm_region": pa.array(regions).dictionary_encode()})
    count = len(label)
    return TrainingRows(
        features, label, np.ones(count), np.arange(count), np.zeros(count, np.int64)
    )


def churn(seed, worse_in=None):
    """Labels by a score; the model knows it except in one region, the rule a little everywhere."""
    rng = np.random.default_rng(seed)
    score, region = rng.normal(size=N), rng.choice(REGIONS, N)
    label = (rng.random(N) < 1 / (1 + np.exp(-2 * score))).astype(float)
    model = np.where(region == worse_in, -score, score) + rng.normal(size=N)
    rule = score + 2 * rng.normal(size=N)
    return rows_of(label, region), *(1 / (1 + np.exp(-p)) for p in (model, rule))


def test_the_worse_group_is_found_and_raises_an_objection():
    rows, model, rule = churn(0, worse_in="south")
    found = compare_by_slice(TARGETS["churn"], rows, model, rule)
    assert found.worst is not None
    assert found.worst.name == "region: south"
    assert [s.value for s in found.lost] == ["south"]
    assert found.objection is not None
    assert found.objection.startswith("worse than the rule for region: south: roc_auc 0.")
    assert f"on {found.worst.rows:,} rows, beyond chance among 5 groups" in found.objection
    assert found.describe() == "region: south, not better than the rule"


def test_a_better_model_has_a_worst_group_but_no_objection():
    found = compare_by_slice(TARGETS["churn"], *churn(1))
    assert found.objection is None
    assert len(found.judged) == len(REGIONS)
    assert found.worst is not None
    assert found.worst.gain.value == min(s.gain.value for s in found.judged)
    assert found.describe().endswith(", better than the rule")


def test_a_sure_loss_that_does_not_matter_is_no_objection():
    rng = np.random.default_rng(5)
    label = rng.exponential(2400, N)
    rows = rows_of(label, rng.choice(REGIONS, N))
    rule = label + 2000
    hardly, clearly = rule + rng.uniform(0, 2, N), rule + rng.uniform(0, 300, N)
    found = compare_by_slice(TARGETS["value"], rows, hardly, rule)
    assert max(s.worse for s in found.judged) < 0.001
    assert found.objection is None
    assert compare_by_slice(TARGETS["value"], rows, clearly, rule).objection is not None


def test_levels_are_compared_by_the_mean_and_errors_by_the_median():
    rng = np.random.default_rng(6)
    label = np.where(rng.random(N) < 0.3, rng.exponential(100, N), 0.0)
    rows = rows_of(label, rng.choice(REGIONS, N))
    mean = np.full(N, 30.0)
    found = compare_by_slice(TARGETS["value"], rows, mean, np.zeros(N), levels=(mean, np.zeros(N)))
    assert all(s.nearer and s.predicted == pytest.approx(30) for s in found.judged)
    assert found.objection is None


def test_the_metrics_of_a_group_are_those_of_its_rows():
    rows, model, rule = churn(2)
    found = compare_by_slice(TARGETS["churn"], rows, model, rule)
    east = next(s for s in found.judged if s.value == "east")
    inside = np.array(rows.features["crm_region"].to_pylist()) == "east"
    assert east.rows == inside.sum()
    assert east.model.value == pytest.approx(roc_auc(rows.label[inside], model[inside]))
    assert east.rival.value == pytest.approx(roc_auc(rows.label[inside], rule[inside]))
    assert east.gain.value == pytest.approx(east.model.value - east.rival.value)
    assert east.gain.low < east.gain.value < east.gain.high
    assert east.predicted == pytest.approx(model[inside].mean())
    assert east.actual == pytest.approx(rows.label[inside].mean())
    assert east.loss == pytest.approx(1 - east.model.value / east.rival.value)


@pytest.mark.slow
def test_two_equally_good_models_rarely_differ():
    """At a family-wise 5%, more than three objections in 20 tries are rare (probability 1.6%)."""
    objections = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rows, *_ = churn(seed)
        score = np.log(churn(seed)[1] / (1 - churn(seed)[1]))
        twins = (score + rng.normal(size=N), score + rng.normal(size=N))
        objections += compare_by_slice(TARGETS["churn"], rows, *twins).objection is not None
    assert objections <= 3


def test_small_groups_are_listed_and_not_compared():
    rows, model, rule = churn(3)
    region = np.array(rows.features["crm_region"].to_pylist())
    few = np.flatnonzero(region == "far")[: ENOUGH_ROWS - 1]
    keep = np.union1d(np.flatnonzero(region != "far"), few)
    mask = np.isin(np.arange(N), keep)
    found = compare_by_slice(TARGETS["churn"], rows.take(mask), model[mask], rule[mask])
    assert found.too_small == (f"region: far ({ENOUGH_ROWS - 1})",)
    assert "far" not in [s.value for s in found.judged]


def test_a_group_with_one_class_is_not_compared():
    rows, model, rule = churn(4)
    region = np.array(rows.features["crm_region"].to_pylist())
    label = np.where(region == "north", 0.0, rows.label)
    found = compare_by_slice(TARGETS["churn"], rows_of(label, region), model, rule)
    assert [s.split(" (")[0] for s in found.too_small] == ["region: north"]


def test_values_and_classes_have_their_own_scales():
    rng = np.random.default_rng(5)
    spent, region = rng.exponential(100, N), rng.choice(REGIONS, N)
    found = compare_by_slice(TARGETS["value"], rows_of(spent, region), 1.2 * spent, 2 * spent)
    one = found.judged[0]
    inside = region == one.value
    assert one.model.value == pytest.approx(mae(spent[inside], 1.2 * spent[inside]))
    assert one.off == pytest.approx(0.2)
    assert (one.predicted / one.actual) == pytest.approx(1.2)
    chances = rng.dirichlet(np.ones(3), N)
    said = chances.argmax(axis=1).astype(float)
    found = compare_by_slice(TARGETS["nps"], rows_of(said, region), chances, np.full((N, 3), 1 / 3))
    one = found.judged[0]
    inside = region == one.value
    assert one.actual == pytest.approx((said[inside] - 1).mean())
    assert one.predicted == pytest.approx((chances[inside, 2] - chances[inside, 0]).mean())
    assert not found.lost


@pytest.mark.parametrize(("share", "lost"), [(1.0, False), (2.5, True)])
def test_a_correct_mean_value_does_not_lose_to_a_rule_that_predicts_zero(share, lost):
    """90% spend nothing, so 0 has a smaller absolute error than the mean."""
    rng = np.random.default_rng(7)
    spent, region = np.where(rng.random(N) < 0.1, 100.0, 0.0), rng.choice(REGIONS, N)
    model = np.full(N, share * spent.mean())
    found = compare_by_slice(TARGETS["value"], rows_of(spent, region), model, np.zeros(N))
    assert all(s.worse < 0.05 for s in found.judged)
    assert (found.objection is not None) == lost


def test_without_large_groups_nothing_is_compared():
    rows, model, rule = churn(6)
    few = np.arange(N) < 150
    found = compare_by_slice(TARGETS["churn"], rows.take(few), model[few], rule[few])
    assert (found.worst, found.objection) == (None, None)
    assert found.describe() == "no group is large enough to be compared"


def rejected(chances, level):
    """Holm's step-down procedure: reject from the smallest p-value until one is too large."""
    out = set()
    for step, place in enumerate(sorted(range(len(chances)), key=lambda i: chances[i])):
        if chances[place] > level / (len(chances) - step):
            break
        out.add(place)
    return out


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0.001, 0.3))
def test_adjusted_p_values_decide_like_holms_step_down_procedure(chances, level):
    near = [abs(p * k - level) < 1e-9 for p in chances for k in range(1, len(chances) + 1)]
    if not any(near):
        corrected = adjust_holm(chances)
        assert {i for i, p in enumerate(corrected) if p <= level} == rejected(chances, level)


def test_adjusted_p_values_by_hand():
    assert adjust_holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert adjust_holm([0.5, 0.9]) == [1.0, 1.0]
    assert adjust_holm([]) == []
