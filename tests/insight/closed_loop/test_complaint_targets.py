"""Indicators out of complaints, measured and not."""

from datetime import timedelta
from pathlib import Path

import pytest

from insight.closed_loop.complaint_targets import NAMES, complaint_indicators
from insight.complaints.intake import complaints
from support.complaint_history_builders import NOW, history, ticket

DAY = timedelta(days=1)


def test_medians_and_the_share_opened_again(tmp_path: Path) -> None:
    opened = NOW - 90 * DAY
    rows = [
        ticket("C1", opened, "complaint", "price", first_reply_at=opened + n / 24 * DAY,
               closed_at=opened + n * DAY, reopened=float(n <= 5))
        for n in range(1, 26)
    ]  # fmt: skip
    found = complaint_indicators(complaints(*history(tmp_path, tickets=rows)))
    values = {name: m.value for name, m in found.items() if m}
    expected = {"hours_to_reply": 13.0, "days_to_solution": 13.0, "reopen_rate": 0.2}
    assert values == pytest.approx(expected)
    assert all(m.low < m.value < m.high and m.n == 25 for m in found.values() if m)


def test_what_nobody_records_is_none(tmp_path: Path) -> None:
    rows = [ticket("C1", NOW - 9 * DAY, "complaint", "price") for _ in range(20)]
    found = complaint_indicators(complaints(*history(tmp_path, tickets=rows)))
    assert found == dict.fromkeys(NAMES)
