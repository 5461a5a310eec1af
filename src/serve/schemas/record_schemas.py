"""Rows of customers in a request: the four tables of the data contract, strictly typed."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

#: Maximum length of an id, a text, a comment and an attribute name.
ID_LENGTH, TEXT_LENGTH, COMMENT_LENGTH, NAME_LENGTH = 200, 1_000, 10_000, 100
#: Maximum number of rows per table and request, and of attributes per customer.
MOST_CUSTOMERS, MOST_EVENTS, MOST_SURVEYS, MOST_TICKETS = 1_000, 50_000, 10_000, 10_000
MOST_ATTRIBUTES = 200

#: RFC 3339 with an offset; the limited years keep microseconds since 1970 from overflowing.
_INSTANT = r"^(19|20|21)\d{2}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-][01]\d:[0-5]\d)$"
_INSTANT_PATTERN = re.compile(_INSTANT, re.ASCII)


def _instant(value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if isinstance(value, str) and _INSTANT_PATTERN.fullmatch(value):
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except ValueError:
            pass
    raise PydanticCustomError(
        "instant",
        "must be an ISO 8601 time with seconds and an offset, between 1900 and 2199, "
        "such as 2025-03-01T09:30:00+01:00 or 2025-03-01T08:30:00Z",
    )


def _attribute(value: object) -> str | float | None:
    if value is None:
        return None
    if isinstance(value, str) and len(value) <= TEXT_LENGTH:
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300:
        return float(value)
    raise PydanticCustomError(
        "attribute",
        f"must be text of at most {TEXT_LENGTH} characters, a number below 1e300, or null",
    )


Instant = Annotated[
    datetime,
    PlainValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": _INSTANT}),
]
Attribute = Annotated[
    str | float | None,
    PlainValidator(_attribute),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "maxLength": TEXT_LENGTH},
                {"type": "number", "exclusiveMinimum": -1e300, "exclusiveMaximum": 1e300},
                {"type": "null"},
            ]
        }
    ),
]
CustomerId = Annotated[str, Field(min_length=1, max_length=ID_LENGTH)]
Text = Annotated[str, Field(max_length=TEXT_LENGTH)]
Comment = Annotated[str, Field(max_length=COMMENT_LENGTH)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class RecordRow(BaseModel):
    """A row: unknown columns and wrong types are errors; messages never hold a value."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, allow_inf_nan=False
    )

    customer_id: CustomerId


class CustomerRow(RecordRow):
    """What the CRM knew about a customer from `valid_from` on; all other fields are attributes."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Attribute] = Field(init=False)

    valid_from: Instant | None = None

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes by name: text, float or None."""
        return self.__pydantic_extra__

    @model_validator(mode="after")
    def _limit_attributes(self) -> Self:
        names = self.__pydantic_extra__
        if len(names) > MOST_ATTRIBUTES or any(len(name) > NAME_LENGTH for name in names):
            raise PydanticCustomError(
                "attributes",
                f"at most {MOST_ATTRIBUTES} attributes with names up to {NAME_LENGTH} characters",
            )
        return self


class EventRow(RecordRow):
    """An event; `amount` is positive for revenue, negative for a refund.

    Without `known_at` it is known from the time it occurred.
    """

    occurred_at: Instant
    known_at: Instant | None = None
    kind: Text
    amount: Number | None = None
    quantity: Number | None = None
    channel: Text | None = None
    category: Text | None = None
    due_at: Instant | None = None


class SurveyRow(RecordRow):
    """A survey question sent to a customer; without `answered_at` it is unanswered."""

    sent_at: Instant
    answered_at: Instant | None = None
    instrument: Literal["csat", "nps", "ces", "servqual"]
    dimension: Text = "overall"
    score: Number | None = None
    scale_low: Number
    scale_high: Number
    expectation: Number | None = None
    comment: Comment | None = None
    channel: Text | None = None
    weight: Number = 1.0


class TicketRow(RecordRow):
    """A complaint or request."""

    opened_at: Instant
    first_reply_at: Instant | None = None
    closed_at: Instant | None = None
    kind: Text = "complaint"
    category: Text | None = None
    severity: Number | None = None
    channel: Text | None = None
    reopened: bool | None = None
    comment: Comment | None = None


class Records(BaseModel):
    """Rows of customers; a customer without a row in `customers` is scored without attributes."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, allow_inf_nan=False
    )

    customers: list[CustomerRow] = Field(min_length=1, max_length=MOST_CUSTOMERS)
    events: list[EventRow] = Field(default=[], max_length=MOST_EVENTS)
    surveys: list[SurveyRow] = Field(default=[], max_length=MOST_SURVEYS)
    tickets: list[TicketRow] = Field(default=[], max_length=MOST_TICKETS)

    @property
    def ids_without_customer_row(self) -> list[str]:
        """Customers with rows in other tables only, sorted."""
        rows = (*self.events, *self.surveys, *self.tickets)
        return sorted({row.customer_id for row in rows} - {c.customer_id for c in self.customers})

    @model_validator(mode="after")
    def _limit_customers(self) -> Self:
        named = len({row.customer_id for row in self.customers}) + len(
            self.ids_without_customer_row
        )
        if named > MOST_CUSTOMERS:
            raise PydanticCustomError(
                "customers",
                f"there are {named} customers in the rows; send at most {MOST_CUSTOMERS}",
            )
        return self
