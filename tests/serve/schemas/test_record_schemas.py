"""Rows of a request have the contract's columns, aware times and finite numbers."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from features import contract
from serve.schemas.record_schemas import (
    MOST_CUSTOMERS,
    CustomerRow,
    EventRow,
    Records,
    SurveyRow,
    TicketRow,
)

ROWS = {"customers": CustomerRow, "events": EventRow, "surveys": SurveyRow, "tickets": TicketRow}
EVENT = {"customer_id": "a", "occurred_at": "2025-01-01T00:00:00Z", "kind": "order"}


def records(**rows: Any) -> Records:
    return Records.model_validate({"customers": [{"customer_id": "a"}], **rows})


@pytest.mark.parametrize("table", ROWS)
def test_rows_have_the_columns_of_the_contract(table: str) -> None:
    assert set(ROWS[table].model_fields) == set(contract.TABLES[table].names)


def test_a_time_with_an_offset_becomes_utc() -> None:
    row = EventRow.model_validate({**EVENT, "occurred_at": "2025-01-01T02:00:00.1234567+02:00"})
    assert row.occurred_at == datetime(2025, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "time",
    ["2025-01-01T00:00:00", "2025-01-01", "2025-02-30T00:00:00Z", "0001-01-01T00:00:00Z",
     "9999-01-01T00:00:00Z", "20250101T000000Z", "2025-W01-1", "now", "", 0, 1735689600, True,
     "2025-01-01T00:00:00Z\n", "２０２５-01-01T00:00:00Z", "2025-01-01T25:00:00Z", None, []],
)  # fmt: skip
def test_any_other_time_is_refused_with_the_right_form(time: object) -> None:
    with pytest.raises(ValidationError, match="offset"):
        EventRow.model_validate({**EVENT, "occurred_at": time})


@pytest.mark.parametrize("amount", ["12", True, [], {}, float("nan"), float("inf")])
def test_an_amount_is_a_finite_number(amount: object) -> None:
    with pytest.raises(ValidationError):
        EventRow.model_validate({**EVENT, "amount": amount})


def test_other_fields_of_a_customer_are_attributes() -> None:
    row = CustomerRow.model_validate(
        {"customer_id": "a", "region": "北", "size": 40, "limit": 1.5, "owner": None}
    )
    assert row.attributes == {"region": "北", "size": 40.0, "limit": 1.5, "owner": None}
    assert isinstance(row.attributes["size"], float)
    with pytest.raises(ValidationError):
        EventRow.model_validate({**EVENT, "region": "north"})


@pytest.mark.parametrize("value", [True, [], {}, float("nan"), float("inf"), "x" * 1001, 1e301])
def test_an_attribute_is_text_a_number_or_null(value: object) -> None:
    with pytest.raises(ValidationError):
        CustomerRow.model_validate({"customer_id": "a", "size": value})


def test_attributes_are_limited_in_number_and_length() -> None:
    with pytest.raises(ValidationError):
        CustomerRow.model_validate({"customer_id": "a", **{f"a{i}": 1 for i in range(201)}})
    with pytest.raises(ValidationError):
        CustomerRow.model_validate({"customer_id": "a", "x" * 101: 1})


def test_customers_without_a_row_are_listed() -> None:
    assert records(events=[EVENT]).ids_without_customer_row == []
    assert records(events=[EVENT, {**EVENT, "customer_id": "b"}]).ids_without_customer_row == ["b"]


def test_the_number_of_customers_is_limited() -> None:
    rows = [{**EVENT, "customer_id": f"b{n}"} for n in range(MOST_CUSTOMERS - 1)]
    assert len(records(events=rows).ids_without_customer_row) == MOST_CUSTOMERS - 1
    with pytest.raises(ValidationError, match="at most 1000"):
        records(events=[*rows, {**EVENT, "customer_id": "one more"}])


def test_the_defaults_are_those_of_the_contract() -> None:
    survey = {"customer_id": "a", "sent_at": "2025-01-01T00:00:00Z", "instrument": "nps",
              "scale_low": 0, "scale_high": 10}  # fmt: skip
    row = SurveyRow.model_validate(survey)
    assert (row.dimension, row.weight) == ("overall", 1.0)
    ticket = TicketRow.model_validate({"customer_id": "a", "opened_at": "2025-01-01T00:00:00Z"})
    assert ticket.kind == "complaint"


def test_no_message_holds_a_value() -> None:
    with pytest.raises(ValidationError) as refused:
        records(events=[{**EVENT, "kind": 5550123}], surveys=[{"comment": "call 5550123"}])
    assert "5550123" not in str(refused.value)
