"""Sentiment by lexicon: valences of words, reversed by negations, scaled by words of degree.

One algorithm for all languages; what differs is data (`features/text/lexicons/*.toml`). A lexicon
entry is one or several units, words of a Latin script or Chinese characters; the longest match wins.
"""

import math
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "lexicons"
#: A negation reverses a valence and weakens it: "not good" is less bad than "bad".
NEGATION = -0.74
#: Factors of a word of degree on the valence that follows, and of "but" on those before and after.
STRONGER, WEAKER, BEFORE_BUT, AFTER_BUT = 1.3, 0.6, 0.5, 1.5
#: The valence of a negation without a word to negate: a mild complaint.
LONE_NEGATION = -0.4
#: The most units between a negation or word of degree and the word it modifies.
REACH = 3
#: A sum of valences at which the score is 0.7: the scale of VADER.
SCALE = 15.0

_UNITS = re.compile(r"[^\W_]+(?:['/][^\W_]+)*|[^\w\s]", re.UNICODE)
_ACCENTS = re.compile(r"[\u0300-\u036f]")
_PAUSE = set(".!?;:,。！？；，、…\n~～")
_EMOJI = {
    2.0: "😀😃😄😁😍🥰😘😊☺🙂👍👏🙏🎉💯❤💕💖⭐🌟😎🤩💪👌🥳✅",
    -2.0: "😡😠🤬😤😢😭😞😔😟🙁☹👎💔😒😩😫😱🤮🤢❌😣😖🤦😑",
}
_EMOJI_VALENCE = {emoji: value for value, group in _EMOJI.items() for emoji in group}

#: A lexicon entry found in a text: its first unit, the unit after it, its kind, its valence.
Entry = tuple[int, int, str, float]


@dataclass(frozen=True)
class Lexicon:
    """The words of a language: their valence, and the ones that modify others (`grammar`).

    Keys are units joined by a space (by nothing in Chinese); those of `stems` match any ending.
    """

    language: str
    valence: dict[str, float]
    stems: dict[str, float]
    grammar: dict[str, str]
    concord: bool = False  # several negations are one: "não recebi nada"

    def valence_sum(self, text: str) -> float:
        """The sum of the valences in a text: 0 for none, about 2 for "good"."""
        total, after_but = 0.0, False
        entries = list(self._entries(text))
        lone = {place for place, entry in enumerate(entries) if entry[2] == "not"}
        for place, (at, _, kind, value) in enumerate(entries):
            if kind == "but":
                total, after_but = BEFORE_BUT * total, True
            elif kind == "valence":
                modifiers = self._modifiers(entries, place, at)
                lone.difference_update(modifiers)
                factor = self._factor([entries[m][2] for m in modifiers])
                total += value * factor * (AFTER_BUT if after_but else 1.0)
        return total + LONE_NEGATION * len(lone)

    def _factor(self, kinds: list[str]) -> float:
        """The factor of a word's modifiers; two negations cancel out unless the language has concord."""
        negations = kinds.count("not")
        negations = min(negations, 1) if self.concord else negations
        degree = STRONGER ** kinds.count("more") * WEAKER ** kinds.count("less")
        return float(NEGATION**negations * degree)

    def _modifiers(self, entries: list[Entry], place: int, at: int) -> list[int]:
        """The negations and words of degree before a word, back to a pause or another word."""
        found = []
        for other in range(place - 1, -1, -1):
            start, end, kind, _ = entries[other]
            if kind in {"pause", "but"} or at - end > REACH:
                break
            if kind in {"not", "more", "less"}:
                found.append(other)
                at = start
            elif kind == "valence":
                break
        return found

    def _entries(self, text: str) -> Iterator[Entry]:
        """The lexicon entries of a text, in its order."""
        units = split_units(text, self.language)
        joint = "" if self.language == "zh" else " "
        at = 0
        while at < len(units):
            if units[at] in _PAUSE:
                yield at, at + 1, "pause", 0.0
            length, kind, value = self._longest(units, at, joint)
            if kind:
                yield at, at + length, kind, value
            at += length

    def _longest(self, units: list[str], at: int, joint: str) -> tuple[int, str, float]:
        """The longest entry that starts at a unit: how many units, its kind, its valence."""
        for length in range(min(len(units) - at, self.heads.get(units[at], 1)), 0, -1):
            found = self.look_up(joint.join(units[at : at + length]))
            if found:
                return length, *found
        emoji = _EMOJI_VALENCE.get(units[at], 0.0)
        return 1, "valence" if emoji else "", emoji

    def look_up(self, key: str) -> tuple[str, float] | None:
        """The kind and valence of an entry; None if it is not in the lexicon."""
        if key in self.grammar:
            return self.grammar[key], 0.0
        value = self.valence.get(key)
        if value is None:
            cuts = range(len(key), max(2, key.rfind(" ") + 1), -1) if self.stems else ()
            value = next((self.stems[key[:c]] for c in cuts if key[:c] in self.stems), None)
        return None if value is None else ("valence" if value else "", value)

    @cached_property
    def heads(self) -> dict[str, int]:
        """The length in units of the longest entry that starts with each unit."""
        found: dict[str, int] = {}
        for key in (*self.valence, *self.stems, *self.grammar):
            units = list(key) if self.language == "zh" else key.split(" ")
            found[units[0]] = max(found.get(units[0], 1), len(units))
        return found


def split_units(text: str, language: str) -> list[str]:
    """Split a text into words and marks, or characters for Chinese; normalised and simplified."""
    text = normalise(text)
    if language == "zh":
        return [unit for unit in to_simplified(text) if not unit.isspace()]
    return _UNITS.findall(text.replace("\n", " . "))


def normalise(text: str) -> str:
    """Normalise a text: lower case, no accents, one kind of apostrophe, no full-width letters."""
    if text.isascii():
        return text.casefold()
    text = unicodedata.normalize("NFKD", text.replace("’", "'").replace("´", "'"))
    text = _ACCENTS.sub("", text)
    return unicodedata.normalize("NFC", text).casefold()


def to_simplified(text: str) -> str:
    """Replace the traditional characters common in business texts by simplified ones."""
    return text.translate(_simplified())


def scale_valence(valence: float) -> float:
    """Scale a sum of valences to a score between -1 and 1."""
    return valence / math.sqrt(valence * valence + SCALE)


def emoji_valence(text: str) -> float | None:
    """The sum of the valences of the emoji in a text; None if there are none."""
    found = [_EMOJI_VALENCE[c] for c in text if c in _EMOJI_VALENCE]
    return sum(found) if found else None


@cache
def read_word_lists(name: str) -> dict[str, Any]:
    """Read a file of word lists."""
    return tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def _simplified() -> dict[int, int]:
    script = read_word_lists("zh")["script"]
    return str.maketrans(script["traditional"], script["simplified"])


@cache
def load_lexicon(language: str) -> Lexicon:
    """The lexicon of "zh", "en" or "pt"; our own words override those of VADER and LeIA."""
    data = read_word_lists(language)
    valence = _published(language)
    stems: dict[str, float] = {}
    for value, words in data["valence"].items():
        for word in words.split():
            key = word.replace("_", " ")
            if key.endswith("*"):
                stems[key[:-1]] = float(value)
                for known in [k for k in valence if k.startswith(key[:-1])]:
                    del valence[known]
    for value, words in data["valence"].items():
        for word in words.split():
            if not word.endswith("*"):
                valence[word.replace("_", " ")] = float(value)
    kinds = {"negators": "not", "stronger": "more", "weaker": "less", "but": "but"}
    grammar = {
        word.replace("_", " "): kind
        for name, kind in kinds.items()
        for word in data["grammar"][name].split()
    }
    return Lexicon(language, valence, stems, grammar, data["grammar"].get("concord", False))


def _published(language: str) -> dict[str, float]:
    """The published lexicon of a language (VADER for English, LeIA for Portuguese), word by word."""
    if language == "en":
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    elif language == "pt":
        from LeIA import SentimentIntensityAnalyzer
    else:
        return {}
    found = SentimentIntensityAnalyzer().lexicon
    return {word: float(value) for word, value in found.items() if word.isalpha()}
