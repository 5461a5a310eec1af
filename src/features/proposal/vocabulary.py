"""What the words of names and values mean, in English, German, Portuguese and Chinese (`words/`)."""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal

Section = Literal["columns", "tables", "kinds", "ticket_kinds", "instruments"]
LANGUAGES = ("en", "de", "pt", "zh")
#: The letters from which a word is also found at the beginning or end of a compound.
COMPOUND = 4
_HAN = re.compile(r"[\u3400-\u9fff]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PARTS = re.compile(r"[\u3400-\u9fff]+|[a-z]+|[0-9]+")
#: Endings of a plural or of another form of the same word.
_ENDINGS = ("", "s", "es", "n", "en", "e", "er")


@dataclass(frozen=True)
class Reading:
    """The concepts that a name mentions, with the share of the name that each explains (0 to 1)."""

    shares: dict[str, float]
    left: tuple[str, ...]

    def __contains__(self, concept: str) -> bool:
        return concept in self.shares

    def share(self, *concepts: str) -> float:
        """The largest share of the name that one of the concepts explains; 0 if none does."""
        return max((self.shares.get(c, 0.0) for c in concepts), default=0.0)


def tokens(name: str) -> tuple[str, ...]:
    """The words of a name in small letters and without accents; runs of Chinese stay together."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss").replace("ẞ", "ss"))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return tuple(_PARTS.findall(_CAMEL.sub(" ", plain).lower()))


@lru_cache(maxsize=4096)
def read_name(name: str, section: Section = "columns") -> Reading:
    """Find the concepts of a section that a name mentions."""
    words = tokens(name)
    size = sum(map(len, words)) or 1
    covered: dict[str, set[tuple[int, int]]] = {}
    for index, word in enumerate(words):
        if _HAN.fullmatch(word):
            _read_chinese(word, index, section, covered)
            continue
        for concept, length in _read_latin(words, index, section):
            covered.setdefault(concept, set()).update((index + i, 0) for i in range(length))
    shares = {
        concept: min(1.0, sum(_width(words, place) for place in places) / size)
        for concept, places in covered.items()
    }
    touched = {i for places in covered.values() for i, _ in places}
    return Reading(shares, tuple(w for i, w in enumerate(words) if i not in touched))


def best_concept(name: str, section: Section) -> str | None:
    """The concept that explains most of a name; None if no concept does, or two do alike."""
    shares = sorted(read_name(name, section).shares.items(), key=lambda item: -item[1])
    if not shares or (len(shares) > 1 and shares[0][1] == shares[1][1]):
        return None
    return shares[0][0]


def answer_level(text: str) -> int | None:
    """The level of an answer in words, from 1, very dissatisfied, to 5, very satisfied."""
    return _levels("answers").get(" ".join(tokens(text)))


def severity_level(text: str) -> int | None:
    """The level of a severity in words, from 1, low, to 4, critical."""
    return _levels("severities").get(" ".join(tokens(text)))


def language_of(names: list[str]) -> str | None:
    """The language of most words of names; None without a clear one."""
    votes = dict.fromkeys(LANGUAGES, 0.0)
    for word in {token for name in names for token in tokens(name)}:
        if _HAN.search(word):
            votes["zh"] += 1
        else:
            known = [lang for lang in LANGUAGES if word in _words_of(lang)]
            for lang in known:
                votes[lang] += 1 / len(known)
    first, second = sorted(votes.values(), reverse=True)[:2]
    return max(votes, key=lambda lang: votes[lang]) if first > second else None


def _width(words: tuple[str, ...], place: tuple[int, int]) -> int:
    index, length = place
    return length or len(words[index])


def _read_latin(words: tuple[str, ...], index: int, section: Section) -> list[tuple[str, int]]:
    """The concepts of the expression that begins at a word, with its number of words."""
    index_of = _latin_words(section)
    found: list[tuple[str, int]] = []
    for length in (3, 2, 1):
        expression = words[index : index + length]
        if len(expression) == length:
            for ending in _ENDINGS:
                stem = "_".join(expression)
                if stem.endswith(ending):
                    stem = stem[: len(stem) - len(ending)] if ending else stem
                    found += [(concept, length) for concept in index_of.get(stem, ())]
        if found:
            return found
    return [(concept, 1) for concept in _compound(words[index], section)]


@lru_cache(maxsize=4096)
def _compound(word: str, section: Section) -> tuple[str, ...]:
    """The concepts of the words that a compound begins or ends with, the longest each."""
    index_of = _latin_words(section)
    found: dict[str, None] = {}
    for size in range(len(word) - 2, COMPOUND - 1, -1):
        for part, other in ((word[:size], word[size:]), (word[-size:], word[:-size])):
            if size > COMPOUND or other in index_of:
                for concept in index_of.get(part, ()):
                    found.setdefault(concept)
    ends = [end for end in ("id", "nr", "no", "dt") if word.endswith(end) and found]
    for end in ends:
        for concept in index_of.get(end, ()):
            found.setdefault(concept)
    return tuple(found)


def _read_chinese(
    word: str, index: int, section: Section, covered: dict[str, set[tuple[int, int]]]
) -> None:
    """Add the concepts of the longest words in a run of Chinese; no character counts twice."""
    left = word
    for known, concepts in _chinese_words(section):
        if known in left:
            for concept in concepts:
                covered.setdefault(concept, set()).add((index, len(known)))
            left = left.replace(known, "\0")


@cache
def _sections(language: str) -> dict[str, dict[str, str]]:
    text = files("features.proposal").joinpath("words", f"{language}.toml")
    return tomllib.loads(text.read_text(encoding="utf-8"))


@cache
def _latin_words(section: Section) -> dict[str, tuple[str, ...]]:
    """The concepts of each word or expression of the languages in Latin letters."""
    found: dict[str, list[str]] = {}
    for language in LANGUAGES[:-1]:
        for concept, words in _sections(language).get(section, {}).items():
            for word in words.lower().split():
                if concept not in found.setdefault(word, []):
                    found[word].append(concept)
    return {word: tuple(concepts) for word, concepts in found.items()}


@cache
def _chinese_words(section: Section) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The Chinese words with their concepts, the longest first."""
    found: dict[str, list[str]] = {}
    for concept, words in _sections("zh").get(section, {}).items():
        for word in words.split():
            found.setdefault(word, []).append(concept)
    return tuple((w, tuple(found[w])) for w in sorted(found, key=lambda word: (-len(word), word)))


@cache
def _levels(section: str) -> dict[str, int]:
    return {
        " ".join(tokens(text.replace("_", " "))): int(level)
        for language in LANGUAGES
        for level, texts in _sections(language).get(section, {}).items()
        for text in texts.split("|")
    }


@cache
def _words_of(language: str) -> frozenset[str]:
    sections = ("columns", "tables", "kinds")
    texts = [w for s in sections for w in _sections(language).get(s, {}).values()]
    return frozenset(part for text in texts for part in text.lower().replace("_", " ").split())
