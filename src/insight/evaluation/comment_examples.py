"""Sentences of comments that may be shown as examples, because they name nobody.

A name is recognised by how it is written and used, for no list holds all names: a sentence is shown
only if each of its words is common, and none of them looks like a name. A sentence that is lost to this
does no harm; a name that is shown does.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache

import pandas as pd

from features.text.language_id import LETTERS_OF_A_CHARACTER, detect_language
from features.text.lexicon import load_lexicon, read_word_lists
from features.text.sentiment import score_sentiment
from features.text.topics import mentions_topic

#: An example is shown if each of its words is used by so many customers.
SHARED = 10
#: A word written with a capital letter within sentences in this share of its uses is a name.
CAPITAL_SHARE = 0.05
#: A sentence that is worth showing has so many letters; a Chinese character counts as several.
SHORTEST, LONGEST = 15, 160
#: The most frequent Chinese surnames, and what follows the name of somebody who is spoken of.
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林郑谢罗梁宋唐许韩冯邓曹彭曾萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任"
    "沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
TITLES = "先生|女士|小姐|经理|总监|师傅|老师|主任|客服|工程师|销售"

_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]?")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_HAN = re.compile(r"[㐀-䶿一-鿿]")
#: Parts of addresses and numbers; a single digit or percentage is none.
_PRIVATE = re.compile(r"[@#]|https?:|www\.|\d{3,}|\d\D?\d\D?\d\D?\d")
_TITLED = re.compile(f"[{SURNAMES}][㐀-䶿一-鿿]{{0,2}}(?:{TITLES})")
_CLAUSE = re.compile(r"(?:^|[，、；：“\"‘（(\s])([㐀-䶿一-鿿]{2,3})")


class ExampleFinder:
    """Finds sentences of comments that name nobody.

    Each word (in Chinese, each pair of neighbouring characters) must be used by `SHARED` customers.
    Sentences with an address, a number of several digits, a word of `persons`, a capital letter other
    than at the start, a first word that nobody writes in lower case, a word that others write with a
    capital letter, or a Chinese clause that begins with a surname are not shown.
    """

    def __init__(self, comments: pd.DataFrame, persons: frozenset[str] = frozenset()) -> None:
        used: dict[str, set[str]] = {}
        capital: Counter[str] = Counter()
        uses: Counter[str] = Counter()
        for customer, text in zip(comments["customer"], comments["comment"], strict=True):
            for unit in set(units(text)):
                users = used.setdefault(unit, set())
                if len(users) < SHARED:
                    users.add(customer)
            for sentence in split_sentences(text):
                for word in _WORD.findall(sentence)[1:]:
                    uses[word.lower()] += 1
                    capital[word.lower()] += word[0].isupper()
        self.shared = {unit for unit, users in used.items() if len(users) >= SHARED}
        self.names = {
            word for word, times in capital.items()
            if times > CAPITAL_SHARE * uses[word] and word not in common_words()
        }  # fmt: skip
        self.lower = {word for word, times in uses.items() if times - capital[word] >= SHARED}
        self.persons = {name for name in persons if len(name) > 1}
        self.persons_words = {w for name in persons for w in _WORD.findall(name) if len(w) > 2}

    def examples(self, topic: str, texts: Iterable[str]) -> dict[str, list[str]]:
        """By language, the most frequent critical sentence about a topic, and another one."""
        counts = Counter(
            sentence
            for text in texts
            for sentence in split_sentences(text)
            if self.names_nobody(sentence)
        )
        ordered = [sentence for sentence, _ in counts.most_common()]
        about, tone = mentions_topic(ordered, topic), score_sentiment(ordered)
        found: dict[str, dict[bool, str]] = {}
        for sentence, relevant, valence in zip(ordered, about, tone, strict=True):
            language = detect_language(sentence)
            if relevant > 0 and language:
                found.setdefault(language, {}).setdefault(bool(valence < 0), sentence)
        return {
            language: [of_tone[critical] for critical in (True, False) if critical in of_tone]
            for language, of_tone in sorted(found.items())
        }

    def names_nobody(self, sentence: str) -> bool:
        """Whether a sentence may be shown."""
        letters = len(sentence) * (LETTERS_OF_A_CHARACTER if _HAN.search(sentence) else 1)
        if not SHORTEST <= letters <= LONGEST or _PRIVATE.search(sentence):
            return False
        lower = sentence.lower()
        if any(name in lower for name in self.persons):
            return False
        if not all(unit in self.shared for unit in units(sentence)):
            return False
        return not self._has_name(_WORD.findall(sentence)) and not has_chinese_name(sentence)

    def _has_name(self, words: Sequence[str]) -> bool:
        """Whether a word of a Latin script looks like a name."""
        for place, word in enumerate(words):
            lower = word.lower()
            if lower in self.persons_words or lower in self.names:
                return True
            if word[0].isupper() and lower not in common_words():
                if place or lower not in self.lower:
                    return True
            elif word[0].isupper() and place and word != "I":
                return True
        return False


def has_chinese_name(sentence: str) -> bool:
    """Whether a clause begins with a surname that no common word begins with, or a title follows one."""
    if _TITLED.search(sentence):
        return True
    return any(
        start[0] in SURNAMES and not any(start[:n] in chinese_words() for n in (2, 3))
        for start in _CLAUSE.findall(sentence)
    )


@cache
def common_words() -> frozenset[str]:
    """Common words of English and Portuguese, in lower case: those that languages are known by."""
    lists = read_word_lists("languages")
    return frozenset(word for language in ("en", "pt") for word in lists[language].split())


@cache
def chinese_words() -> frozenset[str]:
    """Chinese words of trade: those with a valence, and those of topics."""
    topics = read_word_lists("topics")
    words = [word for topic in topics.values() for word in topic["zh"].split()]
    return frozenset([*words, *load_lexicon("zh").valence])


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, without space around them."""
    return [part.strip() for part in _SENTENCE.findall(text) if part.strip()]


def units(text: str) -> Sequence[str]:
    """The words of a text in lower case; of Chinese, the pairs of neighbouring characters."""
    found: list[str] = []
    for word in _WORD.findall(text.lower()):
        if _HAN.search(word):
            found += [word[n : n + 2] for n in range(len(word) - 1)] or [word]
        else:
            found.append(word)
    return found
