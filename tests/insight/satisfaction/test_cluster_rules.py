"""Rules that describe clusters: bounds, precision and recall."""

import numpy as np
import pandas as pd
import pytest

from features.errors import DataRefused
from insight.satisfaction.cluster_rules import fit_cluster_rules
from support.appliance_brand import appliance_brand


def test_rules_recover_the_bounds_that_define_the_clusters():
    rng = np.random.default_rng(0)
    customers = pd.DataFrame({"score": rng.uniform(0, 100, 600), "spend": rng.uniform(0, 10, 600)})
    labels = pd.Series(
        np.where(customers["score"] <= 40, "C", np.where(customers["spend"] > 6, "A", "B"))
    )
    rules = fit_cluster_rules(customers, labels)
    assert rules["C"].bounds["score"][1] == pytest.approx(40, abs=1)
    assert rules["A"].bounds["score"][0] == pytest.approx(40, abs=1)
    assert rules["A"].bounds["spend"][0] == pytest.approx(6, abs=0.1)
    assert all(rule.precision > 0.97 and rule.recall > 0.97 for rule in rules.values())
    assert rules["C"].text.startswith("score ≤ ")


def test_dissatisfied_customers_of_the_appliance_brand_are_described_by_their_answers():
    answers, group = appliance_brand()
    labels = pd.Series(np.array(["content", "moderate", "discontent"])[group])
    rule = fit_cluster_rules(answers[["overall", "price"]], labels)["discontent"]
    assert rule.bounds["overall"][1] < 80
    assert rule.recall > 0.6
    assert rule.precision > 0.7


def test_precision_and_recall_are_those_of_the_rounded_rule():
    answers, group = appliance_brand(300)
    labels = pd.Series(np.array(list("ABC"))[group])
    for name, rule in fit_cluster_rules(answers[["overall", "price"]], labels).items():
        holds = rule.holds(answers)
        assert rule.precision == pytest.approx((labels[holds] == name).mean())
        assert rule.recall == pytest.approx(holds[labels == name].mean())


def test_a_single_cluster_is_everybody():
    customers = pd.DataFrame({"score": [1.0, 2.0, 3.0]})
    assert fit_cluster_rules(customers, pd.Series(["A"] * 3))["A"].text == "everybody"


def test_no_customer_with_a_cluster_is_refused():
    with pytest.raises(DataRefused, match="no customer has a segment and all columns"):
        fit_cluster_rules(pd.DataFrame({"score": [1.0]}), pd.Series([None], dtype="object"))
