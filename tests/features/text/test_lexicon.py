"""Valence sums on a lexicon of a few words, and consistency checks of the word lists."""

import pytest

from features.text.language_id import LANGUAGES
from features.text.lexicon import (
    AFTER_BUT,
    BEFORE_BUT,
    LONE_NEGATION,
    NEGATION,
    STRONGER,
    WEAKER,
    Lexicon,
    load_lexicon,
    read_word_lists,
    scale_valence,
    split_units,
    to_simplified,
)

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # LeIA leaves files open

WORDS = {"good": 2.0, "bad": -2.0, "well done": 3.0, "well": 1.0, "good grief": 0.0}
GRAMMAR = {"not": "not", "never": "not", "very": "more", "a bit": "less", "but": "but"}
PLAIN = Lexicon("en", WORDS, {"disappoint": -2.0}, GRAMMAR)
CONCORD = Lexicon("en", WORDS, {}, GRAMMAR, concord=True)


@pytest.mark.parametrize(
    ("text", "valence"),
    [
        ("it is so", 0), ("good", 2), ("GOOD!", 2), ("good bad", 0), ("good good", 4),
        ("not good", 2 * NEGATION),
        ("not at all that good", 2 * NEGATION), ("not never good", 2 * NEGATION**2),
        ("very good", 2 * STRONGER), ("a bit bad", -2 * WEAKER), ("very very good", 2 * STRONGER**2),
        ("not very good", 2 * NEGATION * STRONGER),
        ("good, not", 2 + LONE_NEGATION), ("not. good", 2 + LONE_NEGATION),
        ("not as it was before good", 2 + LONE_NEGATION), ("not bad good", -2 * NEGATION + 2),
        ("well done", 3), ("well", 1), ("good grief", 0), ("disappointing", -2), ("disappointed me", -2),
        ("good but bad", 2 * BEFORE_BUT - 2 * AFTER_BUT),
        ("not good but good", 2 * NEGATION * BEFORE_BUT + 2 * AFTER_BUT),
        ("😀", 2), ("good 😡", 0),
    ],
)  # fmt: skip
def test_valence_sums(text, valence):
    assert PLAIN.valence_sum(text) == pytest.approx(valence)


def test_with_negative_concord_two_negations_count_once():
    assert CONCORD.valence_sum("not never good") == pytest.approx(2 * NEGATION)


def test_chinese_matches_characters_longest_word_first():
    words = {"快": 1.0, "快递": 0.0, "慢": -1.0}
    lexicon = Lexicon("zh", words, {}, {"不": "not"})
    assert lexicon.valence_sum("快递不慢") == pytest.approx(-NEGATION)
    assert lexicon.valence_sum("快") == 1


def test_split_units():
    assert split_units("Não é BOM!", "pt") == ["nao", "e", "bom", "!"]
    assert split_units("It’s ok", "en") == ["it's", "ok"]
    assert split_units("貨 壞了", "zh") == ["货", "坏", "了"]


def test_scale_valence_keeps_order_and_sign():
    assert [scale_valence(x) for x in (-100, 0, 100)] == pytest.approx([-1, 0, 1], abs=0.01)
    assert scale_valence(2) == -scale_valence(-2)


@pytest.mark.parametrize("name", LANGUAGES)
def test_each_listed_word_has_one_valence(name):
    data = read_word_lists(name)["valence"]
    listed = [word for words in data.values() for word in words.split()]
    assert sorted({w for w in listed if listed.count(w) > 1}) == []
    lexicon = load_lexicon(name)
    own = {word.replace("_", " ") for word in listed if not word.endswith("*")}
    assert not sorted(own & set(lexicon.grammar)), "a grammar word has no valence"


def test_each_traditional_character_maps_to_one_simplified_character():
    script = read_word_lists("zh")["script"]
    assert (
        len(script["traditional"]) == len(script["simplified"]) == len(set(script["traditional"]))
    )
    assert to_simplified(script["traditional"]) == script["simplified"]
    assert to_simplified(script["simplified"]) == script["simplified"], (
        "no character is mapped twice"
    )
