"""Clusters: recovery, stability, and names that persist across runs."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from features.errors import DataRefused
from insight.satisfaction.clustering import NamedClusters, cluster_customers
from support.appliance_brand import appliance_brand

CENTRES = {"high": (90.0, 80.0), "middle": (70.0, 20.0), "low": (30.0, 60.0)}


def three(rows=240, seed=0, centres=CENTRES):
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, len(centres), rows)
    at = np.array(list(centres.values()))[kind]
    return pd.DataFrame(at + 5 * rng.normal(size=(rows, 2)), columns=["score", "spend"]), kind


def test_three_clusters_are_found_and_named_by_the_first_column():
    customers, kind = three()
    found = cluster_customers(customers)
    assert len(found.profile) == 3
    assert found.stable
    assert found.stability > 0.95
    assert adjusted_rand_score(kind, found.labels) == 1.0
    assert found.profile["score"].tolist() == sorted(found.profile["score"], reverse=True)
    assert list(found.profile.index) == ["A", "B", "C"]
    assert found.profile["share"].sum() == pytest.approx(1)


def test_the_satisfaction_groups_of_the_appliance_brand_are_recovered():
    """Satisfied, moderate, dissatisfied, from overall satisfaction and the price's rating."""
    answers, group = appliance_brand()
    found = cluster_customers(answers[["overall", "price"]])
    assert list(found.profile.index) == ["A", "B", "C"]
    order = np.array([{"A": 0, "B": 1, "C": 2}[name] for name in found.labels])
    assert found.stable
    assert np.mean(order == group) > 0.75
    assert found.profile["overall"].is_monotonic_decreasing


@pytest.mark.slow
def test_homogeneous_customers_have_no_stable_clusters():
    cloud = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 4)), columns=list("abcd"))
    assert not cluster_customers(cloud, count=4).stable
    with pytest.raises(
        DataRefused, match="200 customers form a single cluster by a, b, c, d; use other"
    ):
        cluster_customers(cloud)


def test_names_persist_across_runs():
    before = cluster_customers(three(seed=1)[0])
    moved = {name: (a + 4, b - 3) for name, (a, b) in reversed(CENTRES.items())}
    customers, _ = three(seed=2, centres=moved)
    after = cluster_customers(
        customers,
        previous=NamedClusters.from_dict(json.loads(json.dumps(before.names.to_dict()))),
        seed=9,
    )
    for name, centre in before.names.centres.items():
        np.testing.assert_allclose(after.names.centres[name], centre, atol=8)


@pytest.mark.slow
def test_a_new_cluster_gets_an_unused_letter():
    before = cluster_customers(three()[0])
    lost = {"high": CENTRES["high"], "middle": CENTRES["middle"], "new": (30.0, -80.0)}
    after = cluster_customers(three(centres=lost)[0], previous=before.names)
    assert set(after.names.centres) == {"A", "B", "D"}
    again = cluster_customers(three()[0], previous=after.names)
    assert set(again.names.centres) == {"A", "B", "E"}


def test_a_later_customer_gets_the_nearest_centre():
    named = cluster_customers(three()[0]).names
    later = pd.DataFrame({"score": [88.0, 31.0, np.nan], "spend": [79.0, 58.0, 1.0]})
    found = named.assign(later)
    assert found.tolist()[:2] == ["A", "C"]
    assert found.isna().tolist() == [False, False, True]


def test_a_customer_with_a_missing_value_has_no_cluster():
    customers, _ = three()
    customers.loc[3, "spend"] = np.nan
    found = cluster_customers(customers, count=3)
    assert found.labels.isna().sum() == found.incomplete == 1


def test_too_few_customers_and_other_columns_are_refused():
    customers, _ = three(50)
    with pytest.raises(DataRefused, match="50 customers with all of score, spend; 60 are needed"):
        cluster_customers(customers)
    previous = cluster_customers(three()[0]).names
    with pytest.raises(
        DataRefused, match="clusters were named by score, spend, now there are score"
    ):
        cluster_customers(three()[0][["score"]], previous=previous)
