"""Who is a customer: each kind of evidence by eye, against an oracle, and with a cut extract."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features.config.company import Company, TargetConfig
from features.customer_definition import CustomerDefinition, count_open_contracts
from features.definitions.expressions import Past
from features.history_store import create_departures_table, open_history
from features.settings import Workspace
from models.targets.target import customer_condition, population_mask
from support.table_builders import contract_table, day, micro, values

#: (day, kind) or (day, kind, day on which it was known).
Event = tuple[float, str] | tuple[float, str, float]

CONTRACTS = CustomerDefinition(contractual=True)
SILENCE = CustomerDefinition(contractual=False, active_days=60)
CUTOFF = 100.0


def events_table(*histories: Sequence[Event]) -> pa.Table:
    """The events of the customers C000, C001, ..."""
    rows = [
        {"customer_id": name, "occurred_at": e[0], "kind": e[1], "known_at": e[-1] if e[2:] else e[0]}
        for name, events in zip(names(len(histories)), histories, strict=True)
        for e in events
    ]  # fmt: skip
    return contract_table("events", rows)


def names(customers: int) -> tuple[str, ...]:
    return tuple(f"C{number:03}" for number in range(customers))


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        yield con


def states_by_sql(
    con: duckdb.DuckDBPyConnection, definition: CustomerDefinition, *histories: Sequence[Event]
) -> list[str]:
    con.register("events", events_table(*histories))
    sql = definition.state_sql(f"timestamptz '{day(CUTOFF).isoformat()}'")
    found = dict(con.sql(f"select customer_id, {sql} from events group by all").fetchall())
    return [found.get(name, "unknown") for name in names(len(histories))]


def states_by_feature(definition: CustomerDefinition, *histories: Sequence[Event]) -> list[str]:
    """The states by the feature that the population of churn reads."""
    expression = (
        count_open_contracts(Past())
        if definition.contractual
        else Past().events.where(kind="order").days_since()
    )
    column = np.array(
        values({"events": events_table(*histories)}, expression, CUTOFF, names(len(histories))),
        float,
    )
    inside = population_mask(pa.table({definition.column: column}), customer_condition(definition))
    left = np.where(np.isnan(column), "unknown", "left")
    return np.where(inside, "customer", left).tolist()


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([(1, "contract")], "customer"),
        ([(1, "renewal")], "customer"),
        ([(1, "order")], "customer"),
        ([(1, "payment")], "customer"),
        ([(1, "login"), (2, "visit"), (3, "return"), (4, "shipment")], "unknown"),
        ([], "unknown"),
        ([(50, "cancel")], "left"),
        ([(1, "contract"), (50, "cancel")], "left"),
        ([(1, "order"), (40, "payment"), (50, "cancel")], "left"),
        # a payment or an order after the cancellation pays for what was bought before it
        ([(1, "contract"), (50, "cancel"), (60, "payment"), (70, "order")], "left"),
        ([(1, "contract"), (50, "cancel"), (60, "renewal")], "customer"),
        ([(1, "contract"), (50, "cancel"), (60, "contract")], "customer"),
        # an upgrade: a cancellation and a contract at one moment, also without the first contract
        ([(1, "contract"), (50, "cancel"), (50, "contract")], "customer"),
        ([(50, "contract"), (50, "cancel")], "customer"),
        ([(1, "contract"), (50, "cancel"), (50, "contract"), (60, "cancel")], "left"),
        # two contracts, one or both cancelled
        ([(1, "contract"), (2, "contract"), (50, "cancel")], "customer"),
        ([(1, "contract"), (2, "contract"), (50, "cancel"), (60, "cancel")], "left"),
        # cancelled twice, and back
        ([(1, "contract"), (50, "cancel"), (51, "cancel"), (60, "contract")], "customer"),
        # strictly before the cutoff, both what happened and what was known
        ([(100, "contract")], "unknown"),
        ([(99.99, "contract")], "customer"),
        ([(1, "contract", 100)], "unknown"),
        ([(1, "contract"), (100, "cancel")], "customer"),
        ([(1, "contract"), (50, "cancel", 100)], "customer"),
        ([(1, "contract"), (50, "cancel", 99.99)], "left"),
    ],
)
def test_with_contracts_each_kind_of_evidence(
    con: duckdb.DuckDBPyConnection, events: list[Event], state: str
) -> None:
    assert states_by_sql(con, CONTRACTS, events) == [state]
    assert states_by_feature(CONTRACTS, events) == [state]


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([(99, "order")], "customer"),
        ([(40, "order")], "customer"),  # 60 days to the second
        ([(39.9, "order")], "left"),
        ([(39.9, "order"), (99, "login"), (99, "payment"), (99, "contract")], "left"),
        ([(99, "login")], "unknown"),
        ([(99, "order"), (99.5, "cancel")], "customer"),  # only orders count without contracts
        ([(100, "order")], "unknown"),
        ([(99, "order", 100)], "unknown"),
        ([(10, "order"), (99, "order", 100)], "left"),
        ([], "unknown"),
    ],
)
def test_without_contracts_a_customer_ordered_within_the_window(
    con: duckdb.DuckDBPyConnection, events: list[Event], state: str
) -> None:
    assert states_by_sql(con, SILENCE, events) == [state]
    assert states_by_feature(SILENCE, events) == [state]


def test_the_number_of_open_contracts() -> None:
    def count(*events: Event) -> float | None:
        table = {"events": events_table(events)}
        return values(table, count_open_contracts(Past()), CUTOFF, names(1))[0]

    assert count((1, "contract"), (2, "contract"), (3, "contract"), (50, "cancel")) == 2
    assert count((1, "payment")) == 1  # of a contract that was signed before the extract begins
    assert count((1, "payment"), (50, "cancel")) == 0
    assert count((50, "cancel"), (60, "renewal")) == 1
    assert np.isnan(count((1, "login")))


KINDS = ("contract", "renewal", "cancel", "order", "payment", "login")
HISTORIES = st.lists(
    st.tuples(
        st.integers(0, 12).map(lambda n: 10.0 * n),
        st.sampled_from(KINDS),
        st.integers(0, 14).map(lambda n: 10.0 * n),
    ),
    max_size=8,
)


def oracle(definition: CustomerDefinition, events: Sequence[Event], cutoff: float) -> str:
    """The definition in words, one event after the other."""
    seen = sorted(e for e in events if max(e[0], e[2]) < cutoff)  # type: ignore[misc]
    if not definition.contractual:
        orders = [e[0] for e in seen if e[1] == "order"]
        if not orders:
            return "unknown"
        return "customer" if cutoff - max(orders) <= definition.active_days else "left"
    state, signed, cancelled = "unknown", 0, 0
    for moment in dict.fromkeys(e[0] for e in seen):
        kinds = [e[1] for e in seen if e[0] == moment]
        signed, cancelled = signed + kinds.count("contract"), cancelled + kinds.count("cancel")
        if "contract" in kinds or "renewal" in kinds:
            state = "customer"
        elif "cancel" in kinds:
            state = "customer" if signed > cancelled else "left"
        elif state == "unknown" and ("order" in kinds or "payment" in kinds):
            state = "customer"
    return state


PAIRS = st.lists(st.tuples(HISTORIES, HISTORIES), min_size=1, max_size=12)


@example(pairs=[([(10.0, "cancel", 10.0), (20.0, "order", 20.0)], [])], contractual=True)
@settings(deadline=None, max_examples=20)
@given(pairs=PAIRS, contractual=st.booleans())
def test_all_readers_agree_and_what_comes_after_the_cutoff_changes_nothing(
    con: duckdb.DuckDBPyConnection,
    pairs: list[tuple[list[Event], list[Event]]],
    contractual: bool,
) -> None:
    definition = CustomerDefinition(contractual, active_days=60)
    expected = [oracle(definition, events, CUTOFF) for events, _ in pairs]
    # happened from the cutoff on, or before it and known only then
    longer = [
        [*events, *((t + CUTOFF, k, n + CUTOFF) for t, k, n in unseen),
         *((min(t, 90.0), k, n + CUTOFF) for t, k, n in unseen)]
        for events, unseen in pairs
    ]  # fmt: skip
    for histories in ([events for events, _ in pairs], longer):
        assert states_by_sql(con, definition, *histories) == expected
        assert states_by_feature(definition, *histories) == expected


def departures(
    con: duckdb.DuckDBPyConnection, *events: Event, before: float | None = None
) -> list[float]:
    """The days of the departures of one customer."""
    con.register("events", events_table(events))
    limit = f"timestamptz '{day(before).isoformat()}'" if before is not None else None
    create_departures_table(con, ["events"], limit)
    found = con.sql("select epoch_us(occurred_at) from departures order by 1").fetchall()
    return [(moment - micro(0)) / 86_400e6 for (moment,) in found]


def test_a_departure_ends_the_last_open_contract(con: duckdb.DuckDBPyConnection) -> None:
    assert departures(con, (1, "contract"), (50, "cancel")) == [50]
    assert departures(con, (50, "cancel")) == [50]
    assert departures(con, (1, "contract"), (50, "cancel"), (50, "contract")) == []  # an upgrade
    assert departures(con, (1, "contract"), (50, "cancel"), (50, "renewal"), (60, "cancel")) == [60]
    assert departures(con, (1, "contract"), (2, "contract"), (50, "cancel"), (60, "cancel")) == [60]
    assert departures(con, (1, "contract"), (50, "cancel"), (60, "contract"), (70, "cancel")) == [
        50,
        70,
    ]
    assert departures(con, (1, "order"), (2, "payment"), (3, "login")) == []
    assert departures(con, (1, "contract"), (50, "cancel", 80), (90, "cancel"), before=80) == []
    assert departures(con, (1, "contract"), (50, "cancel", 79), (90, "cancel"), before=80) == [50]


def test_without_events_nobody_departs(con: duckdb.DuckDBPyConnection) -> None:
    create_departures_table(con, ["surveys"])
    assert con.sql("select * from departures").fetchall() == []


def test_the_definition_of_a_company_is_that_of_churn() -> None:
    cancel = CustomerDefinition.from_churn(TargetConfig(definition="cancel"))
    assert cancel == CustomerDefinition(True, 365)
    assert customer_condition(cancel).column == "open_contracts"
    silence = CustomerDefinition.from_churn(TargetConfig(definition="silence", active_days=90))
    assert silence == CustomerDefinition(False, 90)
    assert customer_condition(silence).at_most == 90
    assert CustomerDefinition.from_churn(TargetConfig()) == CustomerDefinition(False, 365)


def customers_since(history: Path, start: str) -> set[str]:
    """The customers at 2026-01-01 in an extract that begins at a date."""
    at = "timestamptz '2026-01-01T00:00:00Z'"
    with open_history(history) as con:
        rows = con.sql(
            f"select customer_id, {CONTRACTS.state_sql(at)} as state from events "
            f"where occurred_at >= timestamptz '{start}T00:00:00Z' group by 1"
        ).fetchall()
    return {customer for customer, state in rows if state == "customer"}


STARTS = ("2024-07-02", "2024-10-01", "2025-01-01", "2025-04-01", "2025-07-05")


def check_cut_extracts(history: Path, allowed: float) -> None:
    """Each cut extract has as many customers as the whole, within 2%; nearly all are the same."""
    whole = customers_since(history, "2024-01-01")
    for start in STARTS:
        cut = customers_since(history, start)
        assert abs(len(cut) - len(whole)) <= 0.02 * len(whole), start
        assert len(cut ^ whole) <= allowed * len(whole), start


def test_a_cut_extract_keeps_the_customers(small_company: tuple[Company, Workspace]) -> None:
    company, workspace = small_company
    check_cut_extracts(workspace.history(company.name), allowed=0.03)


@pytest.mark.slow
def test_a_cut_extract_keeps_the_customers_of_the_sample(
    make_company: Callable[[Path, int], tuple[Company, Workspace]], tmp_path: Path
) -> None:
    """Contracts and renewals alone show 1,696 of 3,137 in an extract of 180 days."""
    company, workspace = make_company(tmp_path, 5_000)
    history = workspace.history(company.name)
    assert len(customers_since(history, "2024-01-01")) == 3137
    check_cut_extracts(history, allowed=0.02)
