"""Cutoffs on the calendar, and splits in which no label is seen before it is judged."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.config.company import CutoffCalendar
from features.errors import DataRefused
from features.history.history_table import DAY
from models.training_set.splits import (
    calendar_cutoffs,
    instant,
    microseconds,
    split_answers,
    split_calendar,
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def days(every: str, start: str, end: str, span: int, **more: object) -> list[str]:
    calendar = CutoffCalendar.model_validate({"every": every, "warmup_days": 0, **more})
    return [f"{c:%Y-%m-%d}" for c in calendar_cutoffs(calendar, span, at(start), at(end), "churn")]


def test_months_keep_their_day_or_take_the_last_one() -> None:
    assert days("month", "2023-11-30", "2024-04-30", 30) == [
        "2023-11-30", "2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31",
    ]  # fmt: skip


def test_weeks_and_quarters() -> None:
    assert days("week", "2024-02-20", "2024-03-21", 7) == [
        "2024-02-22", "2024-02-29", "2024-03-07", "2024-03-14",
    ]  # fmt: skip
    assert days("quarter", "2023-01-01", "2024-03-01", 91) == [
        "2023-03-01", "2023-06-01", "2023-09-01", "2023-12-01",
    ]  # fmt: skip


def test_the_time_of_day_is_kept_and_the_first_cutoff_may_be_the_start() -> None:
    found = calendar_cutoffs(
        CutoffCalendar(every="week", warmup_days=3),
        7,
        at("2024-01-01T06:30"),
        at("2024-02-01T06:30"),
        "",
    )
    assert found[0] == at("2024-01-04T06:30")
    assert found[-1] == at("2024-01-25T06:30")


def test_given_cutoffs_bound_the_calendar() -> None:
    given = {"first_cutoff": "2023-06-15T00:00:00", "test_cutoff": "2023-10-15T02:00:00+02:00"}
    found = days("month", "2020-01-01", "2024-05-01", 30, **given)
    assert found == ["2023-06-15", "2023-07-15", "2023-08-15", "2023-09-15", "2023-10-15"]


def test_a_test_cutoff_that_is_not_mature_is_refused_with_both_days() -> None:
    mature = days("month", "2023-01-01", "2024-01-31", 30, test_cutoff="2024-01-01T00:00:00")
    assert mature[-1] == "2024-01-01"
    with pytest.raises(DataRefused, match=r"2024-01-02 is mature on 2024-02-01, but .* 2024-01-31"):
        days("month", "2023-01-01", "2024-01-31", 30, test_cutoff="2024-01-02T00:00:00")


def test_a_history_too_short_is_refused_with_the_numbers() -> None:
    assert len(days("week", "2024-01-01", "2024-01-22", 7)) == 3
    with pytest.raises(DataRefused) as refused:
        days("week", "2024-01-01", "2024-01-21", 7, warmup_days=5)
    message = str(refused.value)
    assert "target churn: the history of 20 days (2024-01-01 to 2024-01-21)" in message
    assert "too short for a horizon of 7 days" in message
    assert "5 days of warm-up and three label windows need 26" in message
    assert "shorten targets.churn.horizon_days" in message
    with pytest.raises(DataRefused, match="history of 3 days"):
        days("month", "2024-01-01", "2024-01-04", 90)


steps = st.lists(st.integers(0, 900), min_size=1, max_size=60)
spans = st.integers(1, 200)


@given(
    st.sampled_from(["week", "month", "quarter"]), spans, st.integers(0, 1500), st.integers(0, 60)
)
def test_an_accepted_calendar_always_splits(
    every: str, span: int, length: int, warmup: int
) -> None:
    start = at("2020-02-29T13:00")
    end = start + timedelta(days=length)
    calendar = CutoffCalendar.model_validate({"every": every, "warmup_days": warmup})
    try:
        found = calendar_cutoffs(calendar, span, start, end, "value")
    except DataRefused:
        # Months and quarters are up to 31 and 92 days long: with more than this there is room.
        assert length < warmup + 3 * span + 2 * 92
        return
    assert found == sorted(set(found))
    assert found[0] >= start + timedelta(days=warmup)
    assert found[-1] + timedelta(days=span) == end
    split = split_calendar(np.array([microseconds(c) for c in found]), span)
    assert split.fit.any()
    assert split.valid.sum() == split.test.sum() == 1
    assert split.test_start == found[-1]


@given(steps, spans)
def test_no_label_window_of_a_calendar_split_reaches_what_it_is_judged_on(
    when: list[int], span: int
) -> None:
    cutoff = np.array(when, np.int64) * DAY
    try:
        split = split_calendar(cutoff, span)
    except DataRefused:
        assert (max(when) - min(when)) < span
        return
    assert (cutoff[split.test] == cutoff.max()).all()
    assert len(np.unique(cutoff[split.valid])) == 1
    _nothing_overlaps(cutoff, split, span)


@given(steps, spans, st.floats(0.05, 0.85))
def test_no_label_window_of_an_answer_split_reaches_what_it_is_judged_on(
    when: list[int], span: int, share: float
) -> None:
    cutoff = np.array(when, np.int64) * DAY
    try:
        split = split_answers(cutoff, span, share)
    except DataRefused:
        first_test = np.quantile(cutoff, 1 - share, method="lower")
        assert cutoff.min() + span * DAY > first_test
        return
    assert split.test.sum() >= int(share * len(when))
    assert split.valid.any()
    _nothing_overlaps(cutoff, split, span)


def _nothing_overlaps(cutoff, split, span) -> None:  # type: ignore[no-untyped-def]
    end = cutoff + span * DAY
    valid, test = microseconds(split.valid_start), microseconds(split.test_start)
    assert (end[split.fit] <= valid).all()
    assert (cutoff[split.valid] >= valid).all()
    assert (end[split.refit] <= test).all()
    assert (end[split.valid] <= test).all()
    assert (cutoff[split.test] >= test).all()
    assert not (split.fit & split.valid).any()
    assert not (split.refit & split.test).any()
    assert (split.refit >= (split.fit | split.valid)).all()
    left_out = end[~split.refit & ~split.test]
    assert (left_out > test).all()  # nothing mature is wasted


def test_answers_too_close_together_are_refused() -> None:
    with pytest.raises(DataRefused, match="all 3 answers lie within 10 days before the test"):
        split_answers(np.array([0, 1, 9], np.int64) * DAY, 10, 0.3)
    with pytest.raises(DataRefused, match="no cutoff is mature 10 days before the test"):
        split_calendar(np.array([0, 1, 9], np.int64) * DAY, 10)


def test_the_split_of_answers_by_eye() -> None:
    cutoff = np.arange(0, 100, 10, dtype=np.int64) * DAY  # ten answers, one every ten days
    split = split_answers(cutoff, 20, 0.2)
    assert np.flatnonzero(split.test).tolist() == [7, 8, 9]  # the first 70 days are 80 %
    assert np.flatnonzero(split.refit).tolist() == [0, 1, 2, 3, 4, 5]
    assert np.flatnonzero(split.valid).tolist() == [4, 5]
    assert np.flatnonzero(split.fit).tolist() == [0, 1, 2]


@given(st.datetimes(datetime(1900, 1, 1), datetime(2199, 1, 1)))  # noqa: DTZ001
def test_instants_are_whole_microseconds(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    assert instant(microseconds(moment)) == moment


def test_a_second_is_a_million_microseconds() -> None:
    assert microseconds(at("1970-01-01T00:00:01")) == 1_000_000
    assert instant(-1) == at("1969-12-31T23:59:59.999999")


@pytest.mark.parametrize("first", [700, 900])
def test_answers_are_tested_from_a_date_on(first: int) -> None:
    cutoff = np.arange(1000, dtype=np.int64) * DAY
    split = split_answers(cutoff, 30, 0.2, instant(first * DAY))
    assert np.flatnonzero(split.test).tolist() == list(range(first, 1000))
    assert np.flatnonzero(split.refit).max() == first - 30
    assert split.test_start == instant(first * DAY)
    assert not (split.valid & split.test).any()


def test_a_date_after_the_last_answer_is_refused_with_its_day() -> None:
    cutoff = np.arange(100, dtype=np.int64) * DAY
    with pytest.raises(DataRefused, match=r"from test_from, 1970-05-01, on; .* sent on 1970-04-10"):
        split_answers(cutoff, 30, 0.2, at("1970-05-01"))
