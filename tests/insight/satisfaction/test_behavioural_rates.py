"""Behaviour of customers in a period, on a few short literal histories."""

from datetime import UTC, datetime, timedelta

import pytest

from features.errors import DataRefused
from features.history_store import open_history
from insight.satisfaction.behavioural_rates import customers_by_period, whole_periods
from insight.satisfaction.satisfaction_settings import SatisfactionSettings
from support.survey_builders import on, survey_answer, write_history


def event(customer, at, kind="order", **other):
    return {
        "customer_id": customer,
        "occurred_at": at,
        "known_at": at,
        "kind": kind,
    } | other


def quarter(folder, number, settings=None, churn="silence", targets=None, zone="UTC", **tables):
    """The customers of a quarter of 2025 by name."""
    company, workspace, manifest = write_history(
        folder, churn=churn, targets=targets, zone=zone, **tables
    )
    with open_history(workspace.history(company.name)) as con:
        table = customers_by_period(con, company, manifest, settings or SatisfactionSettings())
    start = datetime(2025, 3 * number - 2, 1, tzinfo=UTC)
    return table[table["period"] == start].set_index("customer_id")


def test_with_contracts_a_customer_has_an_open_one(tmp_path):
    events = [
        event("A", on(1, 5), "contract"),
        event("B", on(1, 5), "contract"), event("B", on(5, 5), "cancel"),
        event("C", on(1, 5), "contract"), event("C", on(2, 5), "cancel"),
        event("D", on(4, 5), "contract"),
        event("E", on(1, 5), "contract"), event("E", on(5, 5), "cancel"),
        event("E", on(5, 5), "contract"),  # an upgrade
        event("F", on(2, 5), "payment"),  # of a contract signed before the data begin
        event("G", on(1, 5), "contract"), event("G", on(2, 5), "cancel"), event("G", on(4, 5)),
        event("H", on(1, 5), "contract"),
        event("H", on(3, 5), "cancel") | {"known_at": on(4, 5)},  # known too late for the start
        event("I", on(1, 5), "visit"),
    ]  # fmt: skip
    second = quarter(tmp_path, 2, churn="cancel", events=events)
    assert "".join(second.index[second["stood"]]) == "ABEFH"
    assert "".join(second.index[second["stays"].astype(bool)]) == "ADEF"


def test_without_contracts_a_customer_was_recently_active(tmp_path):
    events = [event("A", on(3, 25)), event("B", on(1, 5)), event("C", on(3, 25), "payment")]
    second = quarter(tmp_path, 2, targets={"active_days": 60}, events=events)
    assert second["stood"].to_dict() == {"A": True, "B": False, "C": False}
    assert not second["stays"].any()


def test_activity_calls_orders_and_complaints_are_those_of_the_period(tmp_path):
    events = [
        event("A", on(3, 25)), event("A", on(4, 2)), event("A", on(4, 2)), event("A", on(6, 2)),
        event("B", on(3, 25)), event("B", on(5, 1), "visit"), event("B", on(7, 1)),
    ]  # fmt: skip
    tickets = [
        {"customer_id": "A", "opened_at": on(4, 9), "kind": "complaint"},
        {"customer_id": "A", "opened_at": on(5, 9), "kind": "complaint"},
        {"customer_id": "A", "opened_at": on(7, 9), "kind": "complaint"},
        {"customer_id": "B", "opened_at": on(4, 9), "kind": "request"},
    ]
    second = quarter(tmp_path, 2, events=events, tickets=tickets)
    assert second["order_days"].to_dict() == {"A": 2, "B": 0}
    assert second["called"].to_dict() == {"A": False, "B": True}
    assert second["active"].to_dict() == {"A": True, "B": True}
    assert second["complaints"].to_dict() == {"A": 2, "B": 0}


def test_loyal_customers_ordered_in_each_of_the_last_periods(tmp_path):
    events = [event("A", on(m, 5)) for m in (1, 4, 7, 10)]
    events += [event("B", on(m, 5)) for m in (1, 4, 10)]
    events += [event("C", on(m, 5)) for m in (4, 7, 10)]
    last = quarter(tmp_path, 4, events=events)
    assert last["loyal"].to_dict() == {"A": True, "B": False, "C": False}
    assert last["known"].to_dict() == {"A": True, "B": True, "C": False}


def test_channel_and_attributes_are_those_at_the_start(tmp_path):
    events = [event("A", on(3, 1), channel="web"), event("A", on(4, 1), channel="phone")]
    customers = [
        {"customer_id": "A", "valid_from": on(1), "region": "north"},
        {"customer_id": "A", "valid_from": on(4, 9), "region": "south"},
    ]
    settings = SatisfactionSettings(by=["region"])
    second = quarter(tmp_path, 2, settings, events=events, customers=customers)
    assert second.loc["A", ["channel", "region"]].tolist() == ["web", "north"]


@pytest.mark.parametrize(("period", "count"), [("month", 12), ("quarter", 4), ("year", 1)])
def test_whole_periods_lie_within_the_data(tmp_path, period, count):
    _, _, manifest = write_history(tmp_path, events=[event("A", on(2))])
    found = whole_periods(manifest, period, "UTC")
    assert len(found) == count
    assert found[0][0] == on(1)
    assert found[-1][1] == datetime(2026, 1, 1, tzinfo=UTC)


def test_whole_periods_are_those_of_the_time_zone(tmp_path):
    """The data end on 1 January at midnight in UTC: in New York, December is not over."""
    _, _, manifest = write_history(tmp_path, events=[event("A", on(2))])
    west = whole_periods(manifest, "month", "America/New_York")
    assert (west[0][0], west[-1][1]) == (on(1), on(12))
    east = whole_periods(manifest, "month", "Asia/Shanghai")
    assert (east[0][0], east[-1][1]) == (on(2), datetime(2026, 1, 1, tzinfo=UTC))


def test_without_events_there_are_no_rates(tmp_path):
    with pytest.raises(DataRefused, match="no events; rates of customers need orders"):
        quarter(tmp_path, 2, surveys=[survey_answer("A", on(2), 5.0)])


def test_the_day_and_the_period_are_those_where_the_company_is(tmp_path):
    """20:30 on 31 March in New York is 00:30 on 1 April in UTC."""
    late = on(4, 1) + timedelta(minutes=30)
    events = [event("A", late - timedelta(hours=10)), event("A", late), event("B", on(4, 1, 2024)),
              event("B", late)]  # fmt: skip
    home = {"zone": "America/New_York", "events": events}
    assert quarter(tmp_path / "q1", 1, **home)["order_days"].to_dict() == {"A": 1, "B": 1}
    second = quarter(tmp_path / "q2", 2, **home)
    assert second["order_days"].to_dict() == {"A": 0, "B": 0}
    assert second["stood"].tolist() == [True, True]
    utc = quarter(tmp_path / "utc", 2, events=events)
    assert utc["order_days"].to_dict() == {"A": 1, "B": 1}


def test_stays_is_unknown_within_the_first_active_days(tmp_path):
    """The data begin in January; 100 days later is 10 April, in the second quarter."""
    events = [event("A", on(m, 5)) for m in (1, 3, 6)]
    company, workspace, manifest = write_history(
        tmp_path, targets={"active_days": 100}, events=events
    )
    with open_history(workspace.history(company.name)) as con:
        table = customers_by_period(con, company, manifest, SatisfactionSettings())
    stays = table.groupby("period")["stays"].agg(lambda s: s.notna().all())
    assert stays.tolist() == [False, True, True, True]


def test_unrecorded_complaints_and_calls_are_missing(tmp_path):
    first = quarter(tmp_path, 1, events=[event("A", on(1, 5)), event("A", on(2, 5))])
    assert first["complaints"].isna().all()
    assert first["called"].isna().all()


def test_orders_on_the_same_day_count_once(tmp_path):
    events = [
        event("A", on(5, 9)),
        event("A", on(5, 9)),
        event("B", on(5, 9)),
        event("B", on(5, 8)),
    ]
    second = quarter(tmp_path, 2, events=events)
    assert second["order_days"].to_dict() == {"A": 1, "B": 2}


def test_attributes_without_a_date_hold_from_the_start(tmp_path):
    customers = [{"customer_id": "A", "valid_from": None, "region": "north"}]
    second = quarter(
        tmp_path,
        2,
        SatisfactionSettings(by=["region"]),
        events=[event("A", on(4, 2))],
        customers=customers,
    )
    assert second["region"].tolist() == ["north"]
