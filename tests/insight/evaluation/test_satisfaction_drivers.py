"""Drivers of satisfaction from answers by question, and from service gaps."""

import numpy as np
import pandas as pd
import pytest

from features.errors import DataRefused
from insight.evaluation.satisfaction_drivers import summarise_drivers


def questions(instrument="csat", **scores):
    """Every customer's answer to every dimension; `scores` has one array per dimension."""
    return pd.concat([
        pd.DataFrame({
            "customer_id": [f"C{i}" for i in range(len(values))], "instrument": instrument,
            "dimension": name, "score": values, "expectation": np.nan, "weight": 1.0,
        })
        for name, values in scores.items()
    ])  # fmt: skip


def company_answers(count=200, rare=200):
    """Overall satisfaction is 0.8 of the price and 0.2 of the staff; `rare` customers rate the image."""
    rng = np.random.default_rng(4)
    price, staff, image = rng.uniform(0, 100, (3, count))
    image[rare:] = np.nan
    return questions(
        overall=0.8 * price + 0.2 * staff + rng.normal(0, 2, count), price=price, staff=staff,
        image=image,
    )  # fmt: skip


def test_planted_effects_are_found_most_important_first():
    found = summarise_drivers(company_answers())
    assert (found.outcome, found.rows, found.incomplete, found.left_out) == ("overall", 200, 0, {})
    assert found.drivers[0].name == "price"
    effects = {d.name: d.effect for d in found.drivers}
    assert effects["price"].value == pytest.approx(0.8, abs=0.02)
    assert effects["staff"].value == pytest.approx(0.2, abs=0.02)
    assert effects["image"].low < 0 < effects["image"].high
    assert sum(d.importance.value for d in found.drivers) == pytest.approx(1.0)


def test_a_rarely_answered_dimension_is_left_out_with_the_reason():
    found = summarise_drivers(company_answers(rare=30))
    assert {d.name for d in found.drivers} == {"price", "staff"}
    assert found.left_out["image"].startswith("30 customers answered it, 30 of them all the others")
    assert found.rows == 200


def test_the_widest_service_gaps_are_drivers():
    rng = np.random.default_rng(6)
    perceived = rng.uniform(20, 80, (4, 200))
    names = ["speed", "courtesy", "tools", "trust"]
    gaps = questions("servqual", **dict(zip(names, perceived, strict=True)))
    wanted = {"speed": 95.0, "courtesy": 90.0, "tools": 85.0, "trust": 50.0}
    gaps["expectation"] = gaps["dimension"].map(wanted)
    found = summarise_drivers(pd.concat([company_answers(), gaps]))
    assert {d.name for d in found.drivers} >= {"gap: speed", "gap: courtesy", "gap: tools"}
    assert "gap: trust" not in {d.name for d in found.drivers}


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (None, "no surveys"),
        (questions(overall=np.arange(9.0)), r"there are answers on csat overall \(9\): ask about"),
        (questions(price=np.arange(9.0)), r"there are answers on csat price \(9\)"),
        (questions("nps", overall=np.arange(9.0)), r"there are answers on nps overall \(9\)"),
        (company_answers(30), "30 complete answers for 1 drivers of overall; 50 are needed"),
    ],
)
def test_missing_answers_are_refused(asked, why):
    with pytest.raises(DataRefused, match=why):
        summarise_drivers(asked)


def test_the_reason_for_no_questions_is_passed_on():
    """Without a whole period, or with scales that disagree, the company still has surveys."""
    why = "csat overall: the scales disagree within one question"
    for asked in (None, questions(overall=np.full(3, np.nan))):
        with pytest.raises(DataRefused, match=why):
            summarise_drivers(asked, why)
