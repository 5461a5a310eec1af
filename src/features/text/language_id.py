"""Which language a comment is written in: Chinese, English, Portuguese, or none that we can read.

Decided by script, then by common words; other languages are known well enough to be told apart. A
text of which nothing is known, or as much of another language, has no language: it is not read.
"""

import re
from functools import cache, lru_cache

from features.text.lexicon import lexicon_of, plain, read_data

#: The languages that are read.
READ = ("zh", "en", "pt")
#: A Chinese character says about as much as so many letters.
LETTERS_OF_A_CHARACTER = 3

#: A language is told by at least this share of the words.
LEAST = 0.12

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_KANA_OR_HANGUL = re.compile(r"[\u3040-\u30ff\u1100-\u11ff\uac00-\ud7af]")
_LATIN = re.compile(r"[a-zA-Z\u00c0-\u024f]")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
#: Letters that neither English nor Portuguese has; ones that only Portuguese of the two has.
_FOREIGN = re.compile(r"[ñäößøåæœłżźśćńęąěščřžýůőűğışțșîëïùèìòđ]")
_PORTUGUESE = re.compile(r"[ãõç]|[ao]\u0303")


def language(text: str) -> str | None:
    """The language of a text, "zh", "en" or "pt"; None for any other, and where nothing tells."""
    han, kana, latin = (len(p.findall(text)) for p in (_HAN, _KANA_OR_HANGUL, _LATIN))
    letters = sum(c.isalpha() for c in text)
    if kana * 10 >= han + kana > 0:  # Japanese has Chinese characters too
        return None
    if han and han * LETTERS_OF_A_CHARACTER >= letters - han:
        return "zh"
    return latin_language(text) if latin * 2 > letters else None


def latin_language(text: str) -> str | None:
    """The language of the words in Latin letters, "en" or "pt"; None for any other."""
    votes = dict.fromkeys((*_lists(), "foreign"), 0.0)
    words = _WORD.findall(text.replace("’", "'").lower())
    for word in words:
        for candidate, share in _votes(plain(word)).items():
            votes[candidate] += share
        if _FOREIGN.search(word):
            votes["foreign"] += 2.0
        if _PORTUGUESE.search(word):
            votes["pt"] += 0.5
    best = max(("pt", "en"), key=lambda name: votes[name])
    others = max(vote for name, vote in votes.items() if name != best)
    # What is right in two languages ("excelente") means the same in both.
    return best if votes[best] >= max(others, LEAST * len(words)) and votes[best] else None


@cache
def _lists() -> dict[str, frozenset[str]]:
    """The common words of each language in Latin letters."""
    return {name: frozenset(words.split()) for name, words in read_data("languages").items()}


@lru_cache(maxsize=50_000)
def _votes(word: str) -> dict[str, float]:
    """How a word speaks for languages: a common one fully, one of a lexicon half, shared ones less."""
    among = [name for name, words in _lists().items() if word in words]
    if among:
        return dict.fromkeys(among, 1.0 / len(among))
    lexical = [name for name in ("en", "pt") if lexicon_of(name).look_up(word)]
    return dict.fromkeys(lexical, 0.5 / len(lexical)) if lexical else {}
