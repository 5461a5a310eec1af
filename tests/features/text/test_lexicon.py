"""How feelings are weighed, on a lexicon of a few words; and that the word lists are in order."""

import pytest

from features.text.language_id import READ
from features.text.lexicon import (
    AFTER,
    BEFORE,
    IDLE,
    STRONGER,
    TURN,
    WEAKER,
    Lexicon,
    lexicon_of,
    read_data,
    scale,
    simplified,
    units_of,
)

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # LeIA leaves files open

WORDS = {"good": 2.0, "bad": -2.0, "well done": 3.0, "well": 1.0, "good grief": 0.0}
GRAMMAR = {"not": "not", "never": "not", "very": "more", "a bit": "less", "but": "but"}
PLAIN = Lexicon("en", WORDS, {"disappoint": -2.0}, GRAMMAR)
AGREEING = Lexicon("en", WORDS, {}, GRAMMAR, concord=True)


@pytest.mark.parametrize(
    ("text", "feeling"),
    [
        ("it is so", 0), ("good", 2), ("GOOD!", 2), ("good bad", 0), ("good good", 4),
        ("not good", 2 * TURN), ("not at all that good", 2 * TURN), ("not never good", 2 * TURN**2),
        ("very good", 2 * STRONGER), ("a bit bad", -2 * WEAKER), ("very very good", 2 * STRONGER**2),
        ("not very good", 2 * TURN * STRONGER), ("good, not", 2 + IDLE), ("not. good", 2 + IDLE),
        ("not as it was before good", 2 + IDLE), ("not bad good", -2 * TURN + 2),
        ("well done", 3), ("well", 1), ("good grief", 0), ("disappointing", -2), ("disappointed me", -2),
        ("good but bad", 2 * BEFORE - 2 * AFTER), ("not good but good", 2 * TURN * BEFORE + 2 * AFTER),
        ("😀", 2), ("good 😡", 0),
    ],
)  # fmt: skip
def test_feelings(text, feeling):
    assert PLAIN.feeling(text) == pytest.approx(feeling)


def test_where_negations_agree_two_are_one():
    assert AGREEING.feeling("not never good") == pytest.approx(2 * TURN)


def test_chinese_is_read_by_characters_the_longest_word_first():
    words = {"快": 1.0, "快递": 0.0, "慢": -1.0}
    lexicon = Lexicon("zh", words, {}, {"不": "not"})
    assert lexicon.feeling("快递不慢") == pytest.approx(-TURN)
    assert lexicon.feeling("快") == 1


def test_units():
    assert units_of("Não é BOM!", "pt") == ["nao", "e", "bom", "!"]
    assert units_of("It’s ok", "en") == ["it's", "ok"]
    assert units_of("貨 壞了", "zh") == ["货", "坏", "了"]


def test_the_scale_keeps_order_and_sign():
    assert [scale(x) for x in (-100, 0, 100)] == pytest.approx([-1, 0, 1], abs=0.01)
    assert scale(2) == -scale(-2)


@pytest.mark.parametrize("name", READ)
def test_no_word_of_ours_has_two_values(name):
    data = read_data(name)["valence"]
    listed = [word for words in data.values() for word in words.split()]
    assert sorted({w for w in listed if listed.count(w) > 1}) == []
    lexicon = lexicon_of(name)
    ours = {word.replace("_", " ") for word in listed if not word.endswith("*")}
    assert not sorted(ours & set(lexicon.grammar)), "a word of grammar has no feeling"


def test_every_traditional_character_has_its_simplified_one():
    script = read_data("zh")["script"]
    assert (
        len(script["traditional"]) == len(script["simplified"]) == len(set(script["traditional"]))
    )
    assert simplified(script["traditional"]) == script["simplified"]
    assert simplified(script["simplified"]) == script["simplified"], "nothing is turned twice"
