"""Complaint indicators by period and group, on literal complaints."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from insight.complaints.intake import read_complaints
from insight.evaluation.complaint_indicators import (
    COMPLAINT_INDICATORS,
    measure_complaint_indicators,
    measure_complaints,
)
from insight.evaluation.indicator_schema import Indicator
from insight.satisfaction.satisfaction_inputs import SatisfactionInputs
from insight.satisfaction.satisfaction_settings import SatisfactionSettings
from support.complaint_history_builders import NOW, Row, history, ticket

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PERIODS = [datetime(2025, month, 1, tzinfo=UTC) for month in (1, 4, 7, 10)]


def received(month: int, hours: list[float | None], **more: Any) -> list[Row]:
    """Complaints of a month: replied to after `hours` (None: not yet), solved a day later."""
    rows = []
    for place, wait in enumerate(hours):
        opened = datetime(2025, month, 2, tzinfo=UTC)
        done = {} if wait is None else {
            "first_reply_at": opened + wait * HOUR, "closed_at": opened + (wait + 24) * HOUR,
            "reopened": float(place % 5 == 0),
        }  # fmt: skip
        rows.append(ticket(f"C{place}", opened, "complaint", "price", **done | more))
    return rows


def measure(
    home: Path, rows: list[Row], fewest: int = 5
) -> tuple[dict[str, Indicator], dict[str, str]]:
    company, workspace = history(home, tickets=rows)
    found = SatisfactionInputs(
        SatisfactionSettings(fewest=fewest), "f", PERIODS, {}, {}, 0, ("channel",)
    )
    indicators, missing = measure_complaint_indicators(company, workspace, found)
    return {one.name: one for one in indicators}, missing


def test_median_by_quarter_and_the_quarter_before(tmp_path: Path) -> None:
    hours = [float(h) for h in range(1, 22)]  # 21 complaints, the median 11 hours
    slower = [h + 20 for h in hours]
    indicators, missing = measure(tmp_path, received(8, slower) + received(11, hours))
    reply = indicators["hours_to_reply"]
    assert missing == {}
    assert (reply.value, reply.before) == (11.0, 31.0)
    assert [p.period.month for p in reply.over_time] == [7, 10]
    assert (reply.asked, reply.answered, reply.customers, reply.kind) == (21, 21, 21, "median")
    assert indicators["days_to_solution"].value == pytest.approx((11 + 24) / 24)
    reopened = indicators["reopen_rate"]
    assert (reopened.value, reopened.kind) == (pytest.approx(5 / 21), "rate")


def test_median_equals_numpy_when_no_complaint_is_open(tmp_path: Path) -> None:
    hours = np.random.default_rng(2).exponential(10, 51).round(3).tolist()
    indicators, _ = measure(tmp_path, received(11, hours))
    assert indicators["hours_to_reply"].value == pytest.approx(float(np.median(hours)), abs=1e-4)


def test_open_complaints_count_with_the_time_waited_so_far(tmp_path: Path) -> None:
    """20 answered within 20 hours, 11 not at all: the median is the 16th of 31."""
    hours: list[float | None] = [float(h) for h in range(1, 21)]
    indicators, _ = measure(tmp_path, received(11, [*hours, *[None] * 11]))
    assert indicators["hours_to_reply"].value == 16.0
    assert (indicators["hours_to_reply"].asked, indicators["hours_to_reply"].answered) == (31, 20)


def test_small_groups_are_hidden(tmp_path: Path) -> None:
    hours = [float(h) for h in range(1, 13)]
    rows = [
        row | {"channel": "mail" if place < 6 else "phone" if place < 11 else "visit"}
        for place, row in enumerate(received(11, hours) + received(11, hours))
    ]
    indicators, _ = measure(tmp_path, rows, fewest=6)
    reply = indicators["hours_to_reply"]
    # phone has 5, mail 6, visit 13: phone is too small, and mail is hidden with it
    assert [(c.by, c.group, c.answered) for c in reply.cells] == [
        ("channel", "visit", 13), ("category", "price", 24),
    ]  # fmt: skip
    assert reply.hidden["channel"].model_dump() == {"cells": 2, "answers": 11}


def test_missing_indicators_have_a_reason(tmp_path: Path) -> None:
    plain = [
        ticket(f"C{i}", datetime(2025, 11, 2, tzinfo=UTC), "complaint", "x") for i in range(25)
    ]
    indicators, missing = measure(tmp_path / "a", plain)
    assert indicators == {}
    assert missing["hours_to_reply"].startswith("no records of first replies")
    indicators, missing = measure(tmp_path / "b", received(8, [5.0] * 25))
    assert missing == {}
    reply = indicators["hours_to_reply"]
    assert (reply.value, reply.period.month, reply.low) == (5.0, 7, None)  # all waits are equal
    assert (reply.empty_period.answered, reply.empty_period.last.month) == (0, 8)
    assert [(c.by, c.group) for c in reply.cells] == [("category", "price")]
    _, missing = measure(tmp_path / "e", received(8, [5.0] * 25), fewest=26)
    assert missing["hours_to_reply"].startswith("at most 25 complaints in a quarter")
    indicators, missing = measure(tmp_path / "d", received(11, [*[5.0] * 10, *[None] * 15]))
    assert "hours_to_reply" not in indicators
    assert "more than half of the 25 complaints in the quarter" in missing["hours_to_reply"]
    _, missing = measure(tmp_path / "c", plain[:3])
    assert set(missing) == {"hours_to_reply", "days_to_solution", "reopen_rate"}
    assert "has 3 tickets of kind complaint" in missing["reopen_rate"]
    others = [row | {"kind": "request"} for row in plain]
    _, missing = measure(tmp_path / "f", [*plain[:3], *others])
    assert "its tickets are request (25), complaint (3)" in missing["reopen_rate"]


def test_median_times_and_reopen_rate(tmp_path: Path) -> None:
    opened = NOW - 90 * DAY
    rows = [
        ticket("C1", opened, "complaint", "price", first_reply_at=opened + n / 24 * DAY,
               closed_at=opened + n * DAY, reopened=float(n <= 5))
        for n in range(1, 26)
    ]  # fmt: skip
    found = measure_complaints(read_complaints(*history(tmp_path, tickets=rows)))
    values = {name: m.value for name, m in found.items() if m}
    expected = {"hours_to_reply": 13.0, "days_to_solution": 13.0, "reopen_rate": 0.2}
    assert values == pytest.approx(expected)
    assert all(m.low < m.value < m.high and m.answered == 25 for m in found.values() if m)


def test_unrecorded_measurements_are_none(tmp_path: Path) -> None:
    rows = [ticket("C1", NOW - 9 * DAY, "complaint", "price") for _ in range(20)]
    found = measure_complaints(read_complaints(*history(tmp_path, tickets=rows)))
    assert found == dict.fromkeys(COMPLAINT_INDICATORS)
