"""Comment score model: what it learns, cross-fitting of the two halves, and its JSON."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from features.errors import DataRefused
from features.text.comment_score_model import (
    MIN_COMMENTS,
    N_FEATURES,
    CommentScoreModel,
    model_digest,
    split_halves,
    write_comment_score_model,
)

RNG = np.random.default_rng(5)
WORDS = {
    0.0: "late broken rude 差 慢 quebrado",
    50.0: "average usual normal 一般 ok",
    100.0: "great fast kind 好 快 otimo",
}


def scored_comments(size: int, seed: int = 1) -> tuple[list[str], np.ndarray]:
    """Made-up comments: two words of the level among five of a made-up language."""
    rng = np.random.default_rng(seed)
    levels = rng.choice([*WORDS], size)
    texts = []
    for level in levels:
        own = rng.choice(WORDS[float(level)].split(), 2)
        noise = ["".join(rng.choice([*"bdfglmnprst"], 5)) for _ in range(5)]
        texts.append(" ".join(rng.permutation([*own, *noise])))
    return texts, levels


@pytest.fixture(scope="module")
def model() -> CommentScoreModel:
    texts, levels = scored_comments(2000)
    fitted = CommentScoreModel.fit(texts, levels, np.ones(len(levels)), 1_700_000_000_000_000)
    assert fitted is not None
    return fitted


def test_predictions_of_new_texts_correlate_with_their_scores(model):
    texts, levels = scored_comments(500, seed=2)
    found = model.predict(texts)
    assert spearmanr(found, levels)[0] > 0.8
    assert (found >= 0).all()
    assert (found <= 100).all()
    assert model.comments == 2000


def test_a_text_is_scored_by_the_half_that_did_not_learn_from_it():
    """Scores of the other half change a prediction; scores of the text's own half never do."""
    texts, levels = scored_comments(600)
    ones = np.ones(len(texts))
    before = CommentScoreModel.fit(texts, levels, ones, 0)
    half = split_halves(texts)
    for own in (0, 1):
        flipped = CommentScoreModel.fit(texts, np.where(half == own, 100 - levels, levels), ones, 0)
        mine = [t for t, h in zip(texts, half, strict=True) if h == own]
        others = [t for t, h in zip(texts, half, strict=True) if h != own]
        np.testing.assert_array_equal(flipped.predict(mine), before.predict(mine))
        assert (np.abs(flipped.predict(others) - before.predict(others)) > 1).mean() > 0.5


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1, max_size=30))
def test_copies_that_look_alike_are_in_the_same_half(text):
    copies = [text, text.upper().lower(), f"  {text}\n", text.replace(" ", "  ")]
    same = split_halves([c for c in copies if c.casefold().split() == text.casefold().split()])
    assert set(same.tolist()) <= {int(split_halves([text])[0])}


def test_the_halves_are_about_equal():
    assert 0.45 < split_halves(scored_comments(2000)[0]).mean() < 0.55


@pytest.mark.parametrize("size", [0, 1, MIN_COMMENTS - 1])
def test_too_few_comments_give_no_model(size):
    texts, levels = scored_comments(max(size, 1))
    assert CommentScoreModel.fit(texts[:size], levels[:size], np.ones(size), 0) is None


def test_equal_scores_or_texts_give_no_model():
    texts, levels = scored_comments(400)
    ones = np.ones(400)
    assert CommentScoreModel.fit(texts, np.full(400, 75.0), ones, 0) is None
    assert CommentScoreModel.fit(["the same"] * 400, levels, ones, 0) is None


def test_weights_are_used():
    texts, levels = scored_comments(1000)
    heavy = np.where(levels == 0, 50.0, 1.0)
    plain, weighted = (CommentScoreModel.fit(texts, levels, w, 0) for w in (np.ones(1000), heavy))
    assert weighted.predict(texts).mean() < plain.predict(texts).mean() - 2


def test_blank_texts_are_missing(model):
    found = model.predict([None, "", " \n", "great", "★"])
    assert np.isnan(found[:3]).all()
    assert not np.isnan(found[3:]).any()
    assert model.predict([]).shape == (0,)


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=60))
def test_a_prediction_depends_on_its_own_text_only(model, text):
    alone, among = model.predict([text])[0], model.predict(["great", text, "late"])[1]
    assert np.isnan(alone) == (not text.strip())
    np.testing.assert_array_equal(alone, among)


def test_json_round_trip_is_exact_and_holds_no_words(model):
    text = model.to_json()
    again = CommentScoreModel.from_json(text)
    assert again == model
    assert again.digest == model.digest
    texts = scored_comments(200, seed=3)[0]
    np.testing.assert_array_equal(again.predict(texts), model.predict(texts))
    assert len(text) < 250_000
    assert not any(word in text for words in WORDS.values() for word in words.split())
    assert [len(half) for half in json.loads(text)["halves"]] == [N_FEATURES, N_FEATURES]


def test_the_same_comments_give_the_same_model():
    texts, levels = scored_comments(300)
    one, other = (CommentScoreModel.fit(texts, levels, np.ones(300), 7) for _ in range(2))
    assert one == other
    assert model_digest(None) is None
    assert (
        model_digest(one)
        == other.digest
        != CommentScoreModel.fit(texts, levels, np.ones(300), 8).digest
    )


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"halves": []}', "null"])
def test_invalid_json_is_refused(text, model):
    with pytest.raises(DataRefused, match="not a comment score model"):
        CommentScoreModel.from_json(text)
    raw = json.loads(model.to_json())
    raw["halves"][0] = raw["halves"][0][:5]
    with pytest.raises(DataRefused, match="two sets of 8,192 finite weights"):
        CommentScoreModel.from_json(json.dumps(raw))


def test_it_is_stored_with_the_features(model, tmp_path):
    assert CommentScoreModel.read(tmp_path) is None
    write_comment_score_model(model, tmp_path)
    assert CommentScoreModel.read(tmp_path) == model
    write_comment_score_model(None, tmp_path)
    assert list(tmp_path.iterdir()) == []
