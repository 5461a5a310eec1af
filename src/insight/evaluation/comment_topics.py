"""Topics of comments in surveys and tickets: how many, the trend, and examples that name nobody."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.calendar_periods import add_months, start_of
from features.config.company import Company
from features.errors import DataRefused
from features.history_store import Manifest, open_history
from features.settings import Workspace
from features.text.language_id import LETTERS_OF_A_CHARACTER, detect_language
from features.text.sentiment import score_sentiment
from features.text.topics import TOPICS, find_topics, mentions_topic
from insight.evaluation.business_schema import CommentTopic
from insight.evaluation.indicator_schema import IntervalEstimate
from insight.satisfaction.behavioural_rates import whole_periods
from models.nonresponse.aipw import Z_95

#: Months of comments, compared with the same ones a year earlier.
MONTHS = 6
#: A topic is shown from so many comments of so many customers on.
FEWEST_COMMENTS, FEWEST_CUSTOMERS = 20, 10
#: An example is shown if each of its words is used by so many customers: nobody's name is.
SHARED = 10
#: A sentence that is worth showing has so many letters; a Chinese character counts as several.
SHORTEST, LONGEST = 15, 160
#: Attributes of customers that hold names of persons.
PERSONS = re.compile(r"owner|manager|contact|agent|name|经理|姓名|联系人")
_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]?")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_HAN = re.compile(r"[㐀-䶿一-鿿]")
#: Parts of addresses and numbers; a single digit or percentage is none.
_PRIVATE = re.compile(r"[@#]|https?:|www\.|\d{3,}|\d\D?\d\D?\d\D?\d")
#: A capital letter within an English or Portuguese sentence begins a name, other than "I".
_NAME = re.compile(r"(?<=[a-zà-þ,;:] )(?!I\b)[A-ZÀ-Þ]")

_COMMENTS = """
select distinct customer_id::varchar as customer, {clock} as at, comment from {table}
where comment is not null and trim(comment) <> '' and {clock} < $end
"""
_CLOCKS = {"surveys": "answered_at", "tickets": "opened_at"}

Bools = NDArray[np.bool_]


def read_comment_topics(company: Company, workspace: Workspace) -> list[CommentTopic]:
    """Find the topics of the comments of the last half-year, the most frequent first.

    Topics of fewer comments or customers than `FEWEST_COMMENTS` and `FEWEST_CUSTOMERS` are left out.
    Raises DataRefused without a history or with too few comments.
    """
    manifest = Manifest.read(workspace, company.name)
    comments = _read(company, workspace, manifest)
    spans = _spans(manifest, company.info.time_zone)
    recent, ago = (_within(comments["at"], *span) for span in spans)
    if recent.sum() < FEWEST_COMMENTS:
        raise DataRefused(
            f"{int(recent.sum())} comments in the last {MONTHS} months; topics need "
            f"{FEWEST_COMMENTS}"
        )
    mentions = np.nan_to_num(find_topics(tuple(comments["comment"]))) > 0
    examples = ExampleFinder(comments, _persons(company, workspace, manifest))
    found = [
        _topic(name, comments, mentions[:, place], (recent, ago), examples)
        for place, name in enumerate(TOPICS)
    ]
    shown = [topic for topic in found if topic is not None]
    return sorted(shown, key=lambda topic: -topic.comments)


def _read(company: Company, workspace: Workspace, manifest: Manifest) -> pd.DataFrame:
    parts: list[pd.DataFrame] = []
    with open_history(workspace.history(company.name)) as con:
        for table, clock in _CLOCKS.items():
            if manifest.rows.get(table) and "comment" in manifest.schema.tables[table]:
                sql = _COMMENTS.format(table=table, clock=clock)
                parts.append(
                    con.sql(sql, params={"end": manifest.end}).to_arrow_table().to_pandas()
                )
    if not parts:
        raise DataRefused("no table has comments; map the column comment of surveys or tickets")
    comments: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return comments.sort_values(["at", "customer", "comment"], ignore_index=True)


def _persons(company: Company, workspace: Workspace, manifest: Manifest) -> frozenset[str]:
    """The names of persons among the customers' attributes, in lower case."""
    columns = [c for c in manifest.schema.tables.get("customers", ()) if PERSONS.search(c)]
    if not columns:
        return frozenset()
    selects = " union ".join(f'select lower("{c}"::varchar) from customers' for c in columns)
    with open_history(workspace.history(company.name)) as con:
        return frozenset(row[0] for row in con.execute(selects).fetchall() if row[0])


def _spans(manifest: Manifest, zone: str) -> list[tuple[datetime, datetime]]:
    """The last whole months of the data, and the same months a year earlier."""
    months = [start for start, _ in whole_periods(manifest, "month", zone)]
    if len(months) < MONTHS:
        raise DataRefused(f"{len(months)} whole months of data; topics of comments need {MONTHS}")
    first, until = months[-MONTHS], add_months(months[-1], 1)
    spans = [(first, until), (add_months(first, -12), add_months(until, -12))]
    return [(start_of(start, zone), start_of(end, zone)) for start, end in spans]


def _within(moments: "pd.Series[pd.Timestamp]", start: datetime, end: datetime) -> Bools:
    return ((moments >= start) & (moments < end)).to_numpy()


def _topic(
    name: str, comments: pd.DataFrame, about: Bools, spans: tuple[Bools, Bools], finder: "ExampleFinder"
) -> CommentTopic | None:  # fmt: skip
    recent, ago = spans
    here = about & recent
    customers = comments.loc[here, "customer"].nunique()
    if here.sum() < FEWEST_COMMENTS or customers < FEWEST_CUSTOMERS:
        return None
    share = float(about[recent].mean())
    year_ago = float(about[ago].mean()) if ago.sum() >= FEWEST_COMMENTS else None
    sentiment = score_sentiment(comments.loc[here, "comment"].tolist())
    known = sentiment[np.isfinite(sentiment)]
    return CommentTopic(
        topic=name, months=MONTHS, comments=int(here.sum()), customers=int(customers), share=share,
        year_ago=year_ago,
        change=None if year_ago is None else share_difference(share, recent.sum(), year_ago, ago.sum()),
        negative=float((known < 0).mean()) if len(known) else None,
        examples=finder.examples(name, comments.loc[here, "comment"]),
    )  # fmt: skip


def share_difference(now: float, count: int, then: float, count_then: int) -> IntervalEstimate:
    """The difference of two shares of independent comments, with its 95% interval."""
    error = np.sqrt(now * (1 - now) / count + then * (1 - then) / count_then)
    half = float(Z_95 * error)
    return IntervalEstimate(value=now - then, low=now - then - half, high=now - then + half)


class ExampleFinder:
    """Finds sentences of comments that name nobody.

    Each word (in Chinese, each pair of neighbouring characters) must be used by `SHARED` customers; a
    sentence with an address, a number of several digits, a name of `persons` or a capital letter inside
    is not shown.
    """

    def __init__(self, comments: pd.DataFrame, persons: frozenset[str] = frozenset()) -> None:
        used: dict[str, set[str]] = {}
        for customer, text in zip(comments["customer"], comments["comment"], strict=True):
            for unit in set(units(text)):
                users = used.setdefault(unit, set())
                if len(users) < SHARED:
                    users.add(customer)
        self.shared = {unit for unit, users in used.items() if len(users) >= SHARED}
        self.persons = {name for name in persons if len(name) > 1}

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
        if not SHORTEST <= letters <= LONGEST:
            return False
        if _PRIVATE.search(sentence) or _NAME.search(sentence):
            return False
        lower = sentence.lower()
        if any(name in lower for name in self.persons):
            return False
        return all(unit in self.shared for unit in units(sentence))


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
