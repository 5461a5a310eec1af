"""Rating scales are converted to 0 to 100, keeping the order; inconsistent ones are refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import DataRefused
from insight.satisfaction.rating_scales import (
    Equipercentile,
    SurveyScale,
    find_reversed_items,
    require_one_scale,
)

#: Ends of common scales by their number of points.
SCALES = {5: (1.0, 5.0), 7: (1.0, 7.0), 10: (1.0, 10.0), 11: (0.0, 10.0), 100: (0.0, 100.0)}


@pytest.mark.parametrize(
    ("points", "answers", "hundred"),
    [
        (5, [1, 2, 3, 5], [0, 25, 50, 100]),
        (7, [1, 4, 7], [0, 50, 100]),
        (10, [1, 10], [0, 100]),
        (11, [0, 5, 10], [0, 50, 100]),
        (100, [0, 80, 100], [0, 80, 100]),
    ],
)
def test_each_scale_is_converted_to_0_to_100(points, answers, hundred):
    assert SurveyScale(*SCALES[points]).to_hundred(np.array(answers, float)).tolist() == hundred


def test_a_descending_scale_is_converted():
    assert SurveyScale(5, 1).to_hundred(np.array([1.0, 2.0, np.nan])).tolist()[:2] == [100.0, 75.0]


@given(st.sampled_from(list(SCALES)), st.data())
def test_the_order_of_answers_is_kept(points, data):
    low, high = SCALES[points]
    answers = np.array(data.draw(st.lists(st.integers(int(low), int(high)), min_size=2)), float)
    mapped = SurveyScale(low, high).to_hundred(answers)
    assert np.array_equal(
        np.sign(np.subtract.outer(answers, answers)), np.sign(np.subtract.outer(mapped, mapped))
    )


def test_an_answer_outside_its_scale_is_refused():
    with pytest.raises(DataRefused, match=r"2 answers lie outside the scale 1 to 5, for example 6"):
        SurveyScale(1, 5).to_hundred(np.array([1.0, 6.0, 0.0]))


def test_a_scale_without_points_is_refused():
    with pytest.raises(DataRefused, match="3 to 3 has no points"):
        SurveyScale(3, 3)


def test_different_scales_within_one_question_are_refused():
    with pytest.raises(
        DataRefused, match=r"csat overall: .* 1 to 5 \(2 rows\), 1 to 10 \(1 rows\)"
    ):
        require_one_scale("csat overall", np.ones(3), np.array([5.0, 10.0, 5.0]))
    assert require_one_scale("csat overall", np.ones(2), np.full(2, 5.0)) == SurveyScale(1, 5)


def test_a_missing_scale_is_refused():
    with pytest.raises(DataRefused, match="a scale is missing"):
        require_one_scale("nps", np.array([np.nan]), np.array([10.0]))


def test_equipercentile_matches_percentile_ranks():
    """Answers are spread evenly over each scale: 1 and 2 map to the borders of 1 | 2 and 3 | 4."""
    two = np.repeat([1.0, 2.0], 50)
    four = np.repeat([1.0, 2.0, 3.0, 4.0], 25)
    matched = Equipercentile.fit(two, four, SurveyScale(1, 2), SurveyScale(1, 4))
    # the percentile rank of 1 is 25%, the border of 1 and 2; that of 2 is 75%, the border of 3 and 4
    assert matched.equivalents.tolist() == [1.5, 3.5]


def test_equipercentile_of_a_scale_onto_itself_is_the_identity():
    rng = np.random.default_rng(0)
    answers = rng.integers(1, 8, 500).astype(float)
    matched = Equipercentile.fit(answers, answers, SurveyScale(1, 7), SurveyScale(1, 7))
    np.testing.assert_allclose(matched.convert(np.arange(1.0, 8.0)), np.arange(1.0, 8.0))


@given(st.integers(0, 2**32 - 1))
def test_equipercentile_keeps_the_order_and_the_ends(seed):
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(5, 0.3)), rng.dirichlet(np.full(10, 0.3))
    five, ten = (1.0 + rng.choice(len(p), 60, p=p) for p in shares)
    mapped = Equipercentile.fit(five, ten, SurveyScale(1, 5), SurveyScale(1, 10)).convert(
        np.arange(1.0, 6.0)
    )
    assert (np.diff(mapped) >= 0).all()
    assert mapped.min() >= 1
    assert mapped.max() <= 10


def test_equipercentile_removes_leniency_that_linear_keeps():
    """The same population on both scales, more lenient on the second: linear is biased."""
    rng = np.random.default_rng(1)
    mood = rng.normal(size=(2, 4000))
    five = np.digitize(mood[0], [-1.5, -0.5, 0.5, 1.5]) + 1.0
    ten = np.digitize(mood[1], np.linspace(-2.5, 0.5, 9)) + 1.0
    matched = Equipercentile.fit(five, ten, SurveyScale(1, 5), SurveyScale(1, 10)).convert(five)
    linear = 1 + 9 * SurveyScale(1, 5).to_hundred(five) / 100
    assert abs(matched.mean() - ten.mean()) < 0.15
    assert abs(linear.mean() - ten.mean()) > 1.0


def test_unused_points_get_no_answers():
    """On 0 to 100, answers are multiples of ten: 80 maps to 80, not to the middle of 70 and 80."""
    one, all_80 = np.full(50, 3.0), np.full(50, 80.0)
    hundred = SurveyScale(0, 100)
    assert (
        Equipercentile.fit(one, all_80, SurveyScale(1, 5), hundred).convert(np.array([3.0])) == 80
    )
    four, six = np.repeat([2.0, 4.0], 20), np.repeat([2.0, 6.0], 20)
    mapped = Equipercentile.fit(four, six, SurveyScale(1, 5), SurveyScale(1, 7))
    assert mapped.convert(np.array([2.0, 3.0, 4.0])).tolist() == [2.0, 4.0, 6.0]
    mood = np.random.default_rng(1).normal(0.6, 0.2, (2, 600)).clip(0, 1)
    five, tens = np.round(mood[0] * 4) + 1, np.round(mood[1] * 10) * 10
    found = Equipercentile.fit(five, tens, SurveyScale(1, 5), hundred).convert(five)
    assert found.mean() == pytest.approx(tens.mean(), abs=1.5)  # to the middle: 4 less


def test_equipercentile_refuses_a_descending_scale():
    with pytest.raises(DataRefused, match="a scale from 5 to 1 runs down"):
        Equipercentile.fit(np.ones(50), np.ones(50), SurveyScale(5, 1), SurveyScale(1, 7))


def test_equipercentile_needs_enough_answers():
    with pytest.raises(DataRefused, match="29 answers on one of two scales; at least 30"):
        Equipercentile.fit(np.ones(29), np.ones(50), SurveyScale(1, 5), SurveyScale(1, 5))


def agreeing(rows: int, items: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    mood = rng.normal(size=(rows, 1)) + rng.normal(size=(rows, items))
    table = pd.DataFrame(np.digitize(mood, [-1.5, -0.5, 0.5, 1.5]) + 1.0)
    return table.set_axis([f"q{i}" for i in range(items)], axis=1)


def test_only_reverse_coded_items_are_found():
    answers = agreeing(400, 6)
    assert find_reversed_items(answers) == {}
    turned = answers.assign(q1=6 - answers["q1"], q4=6 - answers["q4"])
    found = find_reversed_items(turned)
    assert sorted(found) == ["q1", "q4"]
    assert all(agreement < -0.2 for agreement in found.values())


def test_an_item_of_noise_is_not_reversed():
    answers = agreeing(400, 5).assign(noise=np.random.default_rng(3).integers(1, 6, 400))
    assert find_reversed_items(answers) == {}


def test_too_few_answers_to_find_reversed_items_are_refused():
    with pytest.raises(DataRefused, match="10 complete answers to 4 items; 30 answers to 3 items"):
        find_reversed_items(agreeing(10, 4))
