"""A rule a segment, true of it and of little else."""

import numpy as np
import pandas as pd
import pytest

from features.errors import DataRefused
from insight.satisfaction.cluster_rules import fit_cluster_rules
from support.appliance_brand import appliance_brand


def test_rules_are_the_borders_that_made_the_segments():
    rng = np.random.default_rng(0)
    customers = pd.DataFrame({"score": rng.uniform(0, 100, 600), "spend": rng.uniform(0, 10, 600)})
    of = pd.Series(
        np.where(customers["score"] <= 40, "C", np.where(customers["spend"] > 6, "A", "B"))
    )
    rules = fit_cluster_rules(customers, of)
    assert rules["C"].bounds["score"][1] == pytest.approx(40, abs=1)
    assert rules["A"].bounds["score"][0] == pytest.approx(40, abs=1)
    assert rules["A"].bounds["spend"][0] == pytest.approx(6, abs=0.1)
    assert all(rule.share > 0.97 and rule.reach > 0.97 for rule in rules.values())
    assert rules["C"].text.startswith("score ≤ ")


def test_the_discontent_of_the_appliance_brand_are_said_by_what_they_answer():
    answers, group = appliance_brand()
    of = pd.Series(np.array(["content", "moderate", "discontent"])[group])
    rule = fit_cluster_rules(answers[["overall", "price"]], of)["discontent"]
    assert rule.bounds["overall"][1] < 80
    assert rule.reach > 0.6
    assert rule.share > 0.7


def test_share_and_reach_are_those_of_the_rounded_rule():
    answers, group = appliance_brand(300)
    of = pd.Series(np.array(list("ABC"))[group])
    for name, rule in fit_cluster_rules(answers[["overall", "price"]], of).items():
        true = rule.holds(answers)
        assert rule.share == pytest.approx((of[true] == name).mean())
        assert rule.reach == pytest.approx(true[of == name].mean())


def test_one_segment_is_everybody():
    customers = pd.DataFrame({"score": [1.0, 2.0, 3.0]})
    assert fit_cluster_rules(customers, pd.Series(["A"] * 3))["A"].text == "everybody"


def test_nobody_with_a_segment_is_refused():
    with pytest.raises(DataRefused, match="no customer has a segment and all columns"):
        fit_cluster_rules(pd.DataFrame({"score": [1.0]}), pd.Series([None], dtype="object"))
