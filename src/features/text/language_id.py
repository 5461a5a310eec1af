"""Language identification of comments: Chinese, English, Portuguese, or another language.

Decided by script, then by common words; lists of other languages help to rule them out. A text
without known words, or with as many of another language, has no language and is not analysed.
"""

import re
from functools import cache, lru_cache

from features.text.lexicon import load_lexicon, normalise, read_word_lists

#: The languages that are analysed.
LANGUAGES = ("zh", "en", "pt")
#: A Chinese character carries about as much as this many letters.
LETTERS_OF_A_CHARACTER = 3

#: The share of the words that must be known in a language for it to be chosen.
MIN_SHARE = 0.12

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_KANA_OR_HANGUL = re.compile(r"[\u3040-\u30ff\u1100-\u11ff\uac00-\ud7af]")
_LATIN = re.compile(r"[a-zA-Z\u00c0-\u024f]")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
#: Letters of neither English nor Portuguese; letters that Portuguese has and English has not.
_FOREIGN = re.compile(r"[ñäößøåæœłżźśćńęąěščřžýůőűğışțșîëïùèìòđ]")
_PORTUGUESE = re.compile(r"[ãõç]|[ao]\u0303")


def detect_language(text: str) -> str | None:
    """The language of a text, "zh", "en" or "pt"; None for any other or an unclear one."""
    han, kana, latin = (len(p.findall(text)) for p in (_HAN, _KANA_OR_HANGUL, _LATIN))
    letters = sum(c.isalpha() for c in text)
    if kana * 10 >= han + kana > 0:  # Japanese uses Chinese characters too
        return None
    if han and han * LETTERS_OF_A_CHARACTER >= letters - han:
        return "zh"
    return detect_latin_language(text) if latin * 2 > letters else None


def detect_latin_language(text: str) -> str | None:
    """The language of the words in Latin letters, "en" or "pt"; None for any other."""
    votes = dict.fromkeys((*_lists(), "foreign"), 0.0)
    words = _WORD.findall(text.replace("’", "'").lower())
    for word in words:
        for candidate, share in _votes(normalise(word)).items():
            votes[candidate] += share
        if _FOREIGN.search(word):
            votes["foreign"] += 2.0
        if _PORTUGUESE.search(word):
            votes["pt"] += 0.5
    best = max(("pt", "en"), key=lambda name: votes[name])
    others = max(vote for name, vote in votes.items() if name != best)
    # A word of two languages ("excelente") means the same in both.
    return best if votes[best] >= max(others, MIN_SHARE * len(words)) and votes[best] else None


@cache
def _lists() -> dict[str, frozenset[str]]:
    """The common words of each language in Latin letters."""
    return {name: frozenset(words.split()) for name, words in read_word_lists("languages").items()}


@lru_cache(maxsize=50_000)
def _votes(word: str) -> dict[str, float]:
    """A word's votes by language: 1 if common, 0.5 if in a lexicon; split if in several languages."""
    among = [name for name, words in _lists().items() if word in words]
    if among:
        return dict.fromkeys(among, 1.0 / len(among))
    lexical = [name for name in ("en", "pt") if load_lexicon(name).look_up(word)]
    return dict.fromkeys(lexical, 0.5 / len(lexical)) if lexical else {}
