"""How a text feels by the words it uses: valences, turned by negations, weighed by words of degree.

One way of reading for all languages; what differs is data (`features/lexicons/*.toml`). A lexicon
entry is one or several units, words of a Latin script or Chinese characters, the longest wins.
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
#: A negation turns a feeling round and takes some of it: "not good" is less bad than "bad".
TURN = -0.74
#: What a word of degree does to the feeling that follows, and "but" to those before and after it.
STRONGER, WEAKER, BEFORE, AFTER = 1.3, 0.6, 0.5, 1.5
#: A negation that turns nothing round still complains a little.
IDLE = -0.4
#: Units between a negation or word of degree and the feeling it belongs to.
REACH = 3
#: A sum of feelings at which the score is 0.7: the scale of VADER.
SCALE = 15.0

_UNITS = re.compile(r"[^\W_]+(?:['/][^\W_]+)*|[^\w\s]", re.UNICODE)
_ACCENTS = re.compile(r"[\u0300-\u036f]")
_PAUSE = set(".!?;:,。！？；，、…\n~～")
_EMOJI = {
    2.0: "😀😃😄😁😍🥰😘😊☺🙂👍👏🙏🎉💯❤💕💖⭐🌟😎🤩💪👌🥳✅",
    -2.0: "😡😠🤬😤😢😭😞😔😟🙁☹👎💔😒😩😫😱🤮🤢❌😣😖🤦😑",
}
_FACES = {face: value for value, faces in _EMOJI.items() for face in faces}

#: Something known in a text: its first unit and the one after it, its kind, its valence.
Entry = tuple[int, int, str, float]


@dataclass(frozen=True)
class Lexicon:
    """Words of a language: how they feel, and what they do to others (`grammar`).

    Keys are units joined by a space (by nothing in Chinese); those of `stems` stand for any ending.
    """

    language: str
    valence: dict[str, float]
    stems: dict[str, float]
    grammar: dict[str, str]
    concord: bool = False  # several negations are one: "não recebi nada"

    def feeling(self, text: str) -> float:
        """The sum of the feelings in a text: 0 for none, about 2 for "good"."""
        total, turned = 0.0, False
        entries = list(self._entries(text))
        used = {place for place, entry in enumerate(entries) if entry[2] == "not"}
        for place, (at, _, kind, value) in enumerate(entries):
            if kind == "but":
                total, turned = BEFORE * total, True
            elif kind == "feeling":
                modifiers = self._modifiers(entries, place, at)
                used.difference_update(modifiers)
                factor = self._factor([entries[m][2] for m in modifiers])
                total += value * factor * (AFTER if turned else 1.0)
        return total + IDLE * len(used)

    def _factor(self, kinds: list[str]) -> float:
        """What the words before a feeling make of it; two negations cancel out but where they agree."""
        turns = kinds.count("not")
        turns = min(turns, 1) if self.concord else turns
        degree = STRONGER ** kinds.count("more") * WEAKER ** kinds.count("less")
        return float(TURN**turns * degree)

    def _modifiers(self, entries: list[Entry], place: int, at: int) -> list[int]:
        """The places of the negations and degrees before a feeling, up to a pause or another one."""
        found = []
        for other in range(place - 1, -1, -1):
            start, end, kind, _ = entries[other]
            if kind in {"pause", "but"} or at - end > REACH:
                break
            if kind in {"not", "more", "less"}:
                found.append(other)
                at = start
            elif kind == "feeling":
                break
        return found

    def _entries(self, text: str) -> Iterator[Entry]:
        """What is known of a text, in its order."""
        units = units_of(text, self.language)
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
        """The longest entry from a unit on: how many units, its kind, its valence."""
        for length in range(min(len(units) - at, self.heads.get(units[at], 1)), 0, -1):
            found = self.look_up(joint.join(units[at : at + length]))
            if found:
                return length, *found
        face = _FACES.get(units[at], 0.0)
        return 1, "feeling" if face else "", face

    def look_up(self, key: str) -> tuple[str, float] | None:
        """What an entry does and how it feels; None if it is not in the lexicon."""
        if key in self.grammar:
            return self.grammar[key], 0.0
        value = self.valence.get(key)
        if value is None:
            cuts = range(len(key), max(2, key.rfind(" ") + 1), -1) if self.stems else ()
            value = next((self.stems[key[:c]] for c in cuts if key[:c] in self.stems), None)
        return None if value is None else ("feeling" if value else "", value)

    @cached_property
    def heads(self) -> dict[str, int]:
        """How many units the longest entry has that begins with a unit."""
        found: dict[str, int] = {}
        for key in (*self.valence, *self.stems, *self.grammar):
            units = list(key) if self.language == "zh" else key.split(" ")
            found[units[0]] = max(found.get(units[0], 1), len(units))
        return found


def units_of(text: str, language: str) -> list[str]:
    """A text in words and marks, or in characters; lower case, without accents, simplified."""
    text = plain(text)
    if language == "zh":
        return [unit for unit in simplified(text) if not unit.isspace()]
    return _UNITS.findall(text.replace("\n", " . "))


def plain(text: str) -> str:
    """Lower case letters without accents, one kind of apostrophe; full-width letters as usual."""
    if text.isascii():
        return text.casefold()
    text = unicodedata.normalize("NFKD", text.replace("’", "'").replace("´", "'"))
    text = _ACCENTS.sub("", text)
    return unicodedata.normalize("NFC", text).casefold()


def simplified(text: str) -> str:
    """A text with the traditional characters of trade turned into simplified ones."""
    return text.translate(_simplified())


def scale(feeling: float) -> float:
    """A sum of feelings as a score between -1 and 1."""
    return feeling / math.sqrt(feeling * feeling + SCALE)


def faces(text: str) -> float | None:
    """The sum of the feelings of the emoji in a text without words; None if there is none."""
    found = [_FACES[c] for c in text if c in _FACES]
    return sum(found) if found else None


@cache
def read_data(name: str) -> dict[str, Any]:
    """A file of word lists."""
    return tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def _simplified() -> dict[int, int]:
    script = read_data("zh")["script"]
    return str.maketrans(script["traditional"], script["simplified"])


@cache
def lexicon_of(language: str) -> Lexicon:
    """The lexicon of "zh", "en" or "pt"; those of VADER and LeIA stand behind our own words."""
    data = read_data(language)
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
    """The lexicon somebody else has published for a language, word by word."""
    if language == "en":
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    elif language == "pt":
        from LeIA import SentimentIntensityAnalyzer
    else:
        return {}
    found = SentimentIntensityAnalyzer().lexicon
    return {word: float(value) for word, value in found.items() if word.isalpha()}
