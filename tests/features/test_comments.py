"""Sentiment: its order in three languages, its missing value, and that no text upsets it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.comments import sentiment

#: LeIA leaves files of its lexicon open when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

#: From the bitterest to the most delighted.
LADDERS = {
    "english": [
        "Terrible service, I am very disappointed and angry.",
        "The order arrived on Tuesday.",
        "Excellent quality, fast delivery, we love it!",
    ],
    "portuguese": [
        "Péssimo, o produto veio quebrado e estou muito decepcionado.",
        "O produto chegou na terça.",
        "Excelente produto, entrega ótima, recomendo muito!",
    ],
    "chinese": [
        "质量很差，送货太慢，非常失望。",
        "星期二收到货。",
        "质量很好，送货及时，非常满意！",
    ],
    "traditional chinese": ["態度冷淡，遲到，很失望。", "星期二到。", "服務熱情，準時，滿意。"],
}


@pytest.mark.parametrize("texts", LADDERS.values(), ids=LADDERS)
def test_better_comments_score_higher(texts):
    bitter, plain, delighted = sentiment(texts)
    assert -1 <= bitter < -0.3
    assert bitter < plain < delighted
    assert 0.3 < delighted <= 1


@pytest.mark.parametrize(
    ("plain", "negated"),
    [
        ("满意", "不满意"),
        ("送货及时", "送货不及时"),
        ("服务很好", "服务不是很好"),
        ("The service is good", "The service is not good"),
    ],
)
def test_a_negation_turns_it_round(plain, negated):
    good, bad = sentiment([plain, negated])
    assert good > 0 > bad


def test_a_negation_lowers_the_score_in_portuguese():
    """LeIA does not turn a word round after "não", but "não" itself counts against it."""
    good, less = sentiment(["O produto é bom", "O produto não é bom"])
    assert good > less


def test_a_negated_fault_is_praise():
    (score,) = sentiment(["没有问题"])
    assert score > 0


def test_half_good_half_bad_is_neutral():
    assert sentiment(["质量很好，但是送货太慢"]).tolist() == [0.0]


def test_nothing_said_is_missing():
    found = sentiment([None, "", " \t\n\u3000", "ok"])
    assert np.isnan(found[:3]).all()
    assert not np.isnan(found[3])
    assert sentiment([]).shape == (0,)
    assert sentiment([]).dtype == np.float64


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.text("不没太很好差满意nãoéõ!?'\" :)-", max_size=30))
def test_no_text_upsets_it_and_the_same_text_has_the_same_score(text):
    one, other = sentiment([text]), sentiment([text, text])
    assert np.isnan(one).all() == (not text.strip())
    assert np.isnan(one).all() or abs(one[0]) <= 1
    np.testing.assert_array_equal(other, [one[0], one[0]])


def test_long_and_strange_texts():
    texts = ["good " * 5000, "差" * 20_000, "\ud800", "\x00", "😀" * 300, "{}%s\\N", "a" * 100_000]
    assert np.isfinite(sentiment(texts)).all()
