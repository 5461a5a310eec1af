"""How long customers stayed, by eye: a few events and what follows; a month has 30.4375 days."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from features.history_store import Manifest
from features.settings import Workspace
from models.training.fit_survival import measure_tenure
from models.training_set.splits import microseconds
from support.survey_company import import_literal_tables

NAN = float("nan")
JANUARY, FEBRUARY, MAY = (datetime(2024, m, 1, tzinfo=UTC) for m in (1, 2, 5))
ONLY = 'data_end = "2024-06-01T00:00:00Z"\n[targets.value]\nenabled = false\n'


def found(
    home: Path, churn: str, events: str, keys: list[tuple[str, datetime]], until: datetime = MAY
) -> dict[str, tuple[float, float]]:
    """(month left, months observed) by customer and month of the cutoff."""
    company, workspace = import_literal_tables(
        home, f"{ONLY}[targets.churn]\n{churn}\n", events=events
    )
    ids, cutoffs = zip(*keys, strict=True)
    table = pa.table({"customer_id": ids, "cutoff": pa.array(cutoffs, pa.timestamp("us", "UTC"))})
    manifest = Manifest.read(Workspace(home), company.name)
    made = measure_tenure(company, workspace, manifest, table, microseconds(until))
    rows = zip(keys, made.left.tolist(), made.observed.tolist(), strict=True)
    return {f"{who} {cutoff:%m}": (left, seen) for (who, cutoff), left, seen in rows}


CANCELS = """
same    2024-01-01           -  cancel    -
first   2024-01-31           -  cancel    -
whole   2024-01-31T10:30:00  -  cancel    -
second  2024-01-31T10:30:01  -  cancel    -
twice   2024-02-20           -  cancel    -
twice   2024-01-02           -  contract  -
twice   2024-04-01           -  cancel    -
before  2023-12-31T23:59:59  -  cancel    -
short   2024-04-30T23:59:59  -  cancel    -
after   2024-05-01           -  cancel    -
other   2024-02-01           -  order     9
"""


def test_months_until_the_cancellation_or_the_end_of_the_data(tmp_path: Path) -> None:
    who = ["same", "first", "whole", "second", "twice", "before", "short", "after", "other", "new"]
    keys = [*((w, JANUARY) for w in who), ("second", FEBRUARY), ("twice", FEBRUARY)]
    made = found(tmp_path, 'definition = "cancel"\nhorizon_days = 60', CANCELS, keys)
    expected = {
        "same 01": (0, 3),  # on the very instant; from January to May are 121 days, 3.98 months
        "first 01": (1, 3),  # after 30 days
        "whole 01": (1, 3),  # after a month to the second
        "second 01": (2, 3),  # a second later
        "twice 01": (2, 3),  # the first cancellation counts
        "before 01": (NAN, 3),
        "short 01": (4, 3),  # in the fourth month, of which the end is not observed
        "after 01": (NAN, 3),  # what happens after `until` is not looked at
        "other 01": (NAN, 3),
        "new 01": (NAN, 3),  # not one event
        "second 02": (NAN, 2),  # gone before this cutoff; 90 days are seen
        "twice 02": (1, 2),
    }
    assert list(made) == list(expected)
    np.testing.assert_equal(made, expected)


#: With a horizon of 28 days; from January to May are 121 days, so silences are known for 93 of them.
ORDERS = """
gone    2023-12-20           -  order  1
back    2023-12-31           -  order  1
back    2024-01-30           -  order  1
edge    2024-01-29           -  order  1
close   2024-01-28T23:59:59  -  order  1
login   2024-01-05           -  login  -
login   2024-02-05           -  login  -
two     2024-01-20           -  order  1
two     2024-02-10           -  order  1
two     2024-03-20           -  order  1
loyal   2024-01-20           -  order  1
loyal   2024-02-09           -  order  1
loyal   2024-02-29           -  order  1
loyal   2024-03-20           -  order  1
loyal   2024-04-09           -  order  1
loyal   2024-04-29           -  order  1
late    2024-01-20           -  order  1
late    2024-02-10           -  order  1
late    2024-03-05           -  order  1
late    2024-04-01           -  order  1
late    2024-04-03           -  order  1
after   2024-01-20           -  order  1
after   2024-02-10           -  order  1
after   2024-03-05           -  order  1
after   2024-04-01           -  order  1
after   2024-04-04           -  order  1
after   2024-05-02           -  order  1
"""


def test_months_until_the_last_order_before_the_first_silence(tmp_path: Path) -> None:
    who = ["gone", "back", "edge", "close", "login", "two", "loyal", "late", "after"]
    keys = [*((w, JANUARY) for w in who), ("two", FEBRUARY), ("back", FEBRUARY)]
    made = found(tmp_path, 'definition = "silence"\nhorizon_days = 28', ORDERS, keys)
    expected = {
        "gone 01": (0, 3),  # not one order from the cutoff on
        "back 01": (0, 3),  # orders again, after 29 days: too late for the horizon
        "edge 01": (0, 3),  # after 28 days to the second: the horizon is silent
        "close 01": (1, 3),  # a second earlier he is still there, and falls silent then
        "login 01": (0, 3),  # a login is no order
        "two 01": (2, 3),  # falls silent on 02-10, after 40 days, for 39
        "loyal 01": (NAN, 3),
        "late 01": (4, 3),  # silent for 28 days when the data end: the fourth month is cut short
        "after 01": (NAN, 3),  # silent for 27 days so far; May is not looked at
        "two 02": (1, 2),
        "back 02": (0, 2),  # his order of January is before this cutoff
    }
    assert list(made) == list(expected)
    np.testing.assert_equal(made, expected)


def test_the_data_may_end_before_what_is_asked_for(tmp_path: Path) -> None:
    churn, later = 'definition = "cancel"\nhorizon_days = 60', datetime(2030, 1, 1, tzinfo=UTC)
    made = found(tmp_path, churn, CANCELS, [("after", JANUARY), ("new", JANUARY)], later)
    # the data end in June: 152 days, 4.99 months
    np.testing.assert_equal(made, {"after 01": (4, 4), "new 01": (NAN, 4)})
