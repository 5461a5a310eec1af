"""The tone of comments: what it learns, that no text is read by what learnt from it, its JSON."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from features.errors import DataRefused
from features.text.comment_score_model import LEAST, PLACES, CommentScoreModel, model_digest, split_halves, write_comment_score_model

RNG = np.random.default_rng(5)
SAID = {
    0.0: "late broken rude 差 慢 quebrado",
    50.0: "average usual normal 一般 ok",
    100.0: "great fast kind 好 快 otimo",
}


def scored(size: int, seed: int = 1) -> tuple[list[str], np.ndarray]:
    """Made-up comments: three words of the level's own among five of a made-up language."""
    rng = np.random.default_rng(seed)
    levels = rng.choice([*SAID], size)
    texts = []
    for level in levels:
        own = rng.choice(SAID[float(level)].split(), 2)
        noise = ["".join(rng.choice([*"bdfglmnprst"], 5)) for _ in range(5)]
        texts.append(" ".join(rng.permutation([*own, *noise])))
    return texts, levels


@pytest.fixture(scope="module")
def tone() -> CommentScoreModel:
    texts, levels = scored(2000)
    made = CommentScoreModel.fit(texts, levels, np.ones(len(levels)), 1_700_000_000_000_000)
    assert made is not None
    return made


def test_it_reads_new_texts_as_they_were_scored(tone):
    texts, levels = scored(500, seed=2)
    found = tone.predict(texts)
    assert spearmanr(found, levels)[0] > 0.8
    assert (found >= 0).all()
    assert (found <= 100).all()
    assert tone.comments == 2000


def test_no_text_is_read_by_a_model_that_learnt_from_it():
    """Whatever a text of the other half was scored, a text's tone moves; by its own score never."""
    texts, levels = scored(600)
    ones = np.ones(len(texts))
    before = CommentScoreModel.fit(texts, levels, ones, 0)
    half = split_halves(texts)
    for own in (0, 1):
        turned = CommentScoreModel.fit(texts, np.where(half == own, 100 - levels, levels), ones, 0)
        mine = [t for t, h in zip(texts, half, strict=True) if h == own]
        others = [t for t, h in zip(texts, half, strict=True) if h != own]
        np.testing.assert_array_equal(turned.of(mine), before.of(mine))
        assert (np.abs(turned.of(others) - before.of(others)) > 1).mean() > 0.5


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1, max_size=30))
def test_copies_that_look_alike_are_in_the_same_half(text):
    copies = [text, text.upper().lower(), f"  {text}\n", text.replace(" ", "  ")]
    same = split_halves([c for c in copies if c.casefold().split() == text.casefold().split()])
    assert set(same.tolist()) <= {int(split_halves([text])[0])}


def test_the_halves_are_about_equal():
    assert 0.45 < split_halves(scored(2000)[0]).mean() < 0.55


@pytest.mark.parametrize("size", [0, 1, LEAST - 1])
def test_few_comments_make_none(size):
    texts, levels = scored(max(size, 1))
    assert CommentScoreModel.fit(texts[:size], levels[:size], np.ones(size), 0) is None


def test_nothing_to_learn_makes_none():
    texts, levels = scored(400)
    ones = np.ones(400)
    assert CommentScoreModel.fit(texts, np.full(400, 75.0), ones, 0) is None
    assert CommentScoreModel.fit(["the same"] * 400, levels, ones, 0) is None


def test_weights_count():
    texts, levels = scored(1000)
    heavy = np.where(levels == 0, 50.0, 1.0)
    plain, weighted = (CommentScoreModel.fit(texts, levels, w, 0) for w in (np.ones(1000), heavy))
    assert weighted.of(texts).mean() < plain.of(texts).mean() - 2


def test_nothing_said_is_missing(tone):
    found = tone.predict([None, "", " \n", "great", "★"])
    assert np.isnan(found[:3]).all()
    assert not np.isnan(found[3:]).any()
    assert tone.predict([]).shape == (0,)


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=60))
def test_any_text_has_a_tone_of_its_own_alone(tone, text):
    alone, among = tone.predict([text])[0], tone.predict(["great", text, "late"])[1]
    assert np.isnan(alone) == (not text.strip())
    np.testing.assert_array_equal(alone, among)


def test_it_comes_back_exactly_and_holds_numbers_only(tone):
    text = tone.to_json()
    again = CommentScoreModel.from_json(text)
    assert again == tone
    assert again.digest == tone.digest
    texts = scored(200, seed=3)[0]
    np.testing.assert_array_equal(again.of(texts), tone.predict(texts))
    assert len(text) < 250_000
    assert not any(word in text for words in SAID.values() for word in words.split())
    assert [len(half) for half in json.loads(text)["halves"]] == [PLACES, PLACES]


def test_the_same_comments_make_the_same_tone():
    texts, levels = scored(300)
    one, other = (CommentScoreModel.fit(texts, levels, np.ones(300), 7) for _ in range(2))
    assert one == other
    assert model_digest(None) is None
    assert model_digest(one) == other.digest != CommentScoreModel.fit(texts, levels, np.ones(300), 8).digest


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"halves": []}', "null"])
def test_what_is_no_tone_is_refused(text, tone):
    with pytest.raises(DataRefused, match="no tone"):
        CommentScoreModel.from_json(text)
    raw = json.loads(tone.to_json())
    raw["halves"][0] = raw["halves"][0][:5]
    with pytest.raises(DataRefused, match="twice 8192 finite weights"):
        CommentScoreModel.from_json(json.dumps(raw))


def test_it_lies_beside_the_features(tone, tmp_path):
    assert CommentScoreModel.read(tmp_path) is None
    write_comment_score_model(tone, tmp_path)
    assert CommentScoreModel.read(tmp_path) == tone
    write_comment_score_model(None, tmp_path)
    assert list(tmp_path.iterdir()) == []
