"""Topics of comments in surveys and tickets: how many, the trend, and examples that name nobody."""

import re
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.calendar_periods import add_months, start_of
from features.config.company import Company
from features.errors import DataRefused
from features.history_store import Manifest, open_history
from features.settings import Workspace
from features.text.sentiment import score_sentiment
from features.text.topics import TOPICS, find_topics
from insight.evaluation.business_schema import CommentTopic
from insight.evaluation.comment_examples import ExampleFinder
from insight.evaluation.indicator_schema import IntervalEstimate
from insight.satisfaction.behavioural_rates import whole_periods
from models.nonresponse.aipw import Z_95

#: Months of comments, compared with the same ones a year earlier.
MONTHS = 6
#: A topic is shown from so many comments of so many customers on.
FEWEST_COMMENTS, FEWEST_CUSTOMERS = 20, 10
#: Attributes of customers that hold names of persons.
PERSONS = re.compile(r"owner|manager|contact|agent|name|经理|姓名|联系人")

_COMMENTS = """
select distinct customer_id::varchar as customer, {clock} as at, comment from {table}
where comment is not null and trim(comment) <> '' and {clock} < $end
"""
_CLOCKS = {"surveys": "answered_at", "tickets": "opened_at"}

Bools = NDArray[np.bool_]


def read_comment_topics(company: Company, workspace: Workspace) -> list[CommentTopic]:
    """Find the topics of the comments of the last half-year, the most frequent first.

    Topics of fewer comments or customers than `FEWEST_COMMENTS` and `FEWEST_CUSTOMERS` are left out.
    Raises DataRefused without a history, with too few comments, or where no topic has enough.
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
    topics = find_topics(tuple(comments["comment"]))
    mentions = np.nan_to_num(topics) > 0
    examples = ExampleFinder(comments, _persons(company, workspace, manifest))
    found = [
        _topic(name, comments, mentions[:, place], (recent, ago), examples)
        for place, name in enumerate(TOPICS)
    ]
    shown = [topic for topic in found if topic is not None]
    if not shown:
        unread = int(np.isnan(topics[recent, 0]).sum())
        raise DataRefused(
            f"no topic has {FEWEST_COMMENTS} comments of {FEWEST_CUSTOMERS} customers in the last "
            f"{MONTHS} months; {unread} of {int(recent.sum())} comments are in other languages than "
            "Chinese, English and Portuguese"
        )
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
    name: str, comments: pd.DataFrame, about: Bools, spans: tuple[Bools, Bools], finder: ExampleFinder
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
