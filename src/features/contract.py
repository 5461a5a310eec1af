"""The four tables every company is mapped onto: their columns, types and moments of becoming known.

A row exists for us from its `known` column on. A column that becomes known later than its row
names the column that reveals it: a ticket's `closed_at` is hidden until that very instant.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "number", "time", "flag"]


@dataclass(frozen=True)
class Column:
    """A contract column: its type, whether a mapping must give it, and what reveals it.

    `revealed_by` names the time column of the same table at which the value becomes known;
    None means together with the row. `default` is the SQL used when a mapping leaves it out.
    """

    name: str
    kind: Kind
    required: bool = False
    revealed_by: str | None = None
    default: str = "null"


@dataclass(frozen=True)
class TableContract:
    """A contract table: `clock` is the time axis windows look along, `known` when a row is known."""

    name: str
    clock: str
    known: str
    columns: tuple[Column, ...]
    open_ended: bool = False  # further columns are allowed: the CRM's attributes

    def column(self, name: str) -> Column | None:
        """The column called so, or None."""
        return next((c for c in self.columns if c.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    @property
    def order(self) -> tuple[str, ...]:
        """The columns rows are sorted by: what is revealed later comes last.

        So nothing still hidden at a cutoff decides which of two rows of one moment comes first.
        """
        return tuple(c.name for c in sorted(self.columns, key=lambda c: c.revealed_by is not None))


CUSTOMERS = TableContract(
    "customers",
    clock="valid_from",
    known="valid_from",
    columns=(
        Column("customer_id", "text", required=True),
        Column("valid_from", "time"),
    ),
    open_ended=True,
)

EVENTS = TableContract(
    "events",
    clock="occurred_at",
    known="known_at",
    columns=(
        Column("customer_id", "text", required=True),
        Column("occurred_at", "time", required=True),
        Column("known_at", "time", default="occurred_at"),
        Column("kind", "text", required=True),
        Column("amount", "number"),
        Column("quantity", "number"),
        Column("channel", "text"),
        Column("category", "text"),
        Column("due_at", "time"),
    ),
)

SURVEYS = TableContract(
    "surveys",
    clock="sent_at",
    known="sent_at",
    columns=(
        Column("customer_id", "text", required=True),
        Column("sent_at", "time", required=True),
        Column("answered_at", "time", required=True, revealed_by="answered_at"),
        Column("instrument", "text", required=True),
        Column("dimension", "text", default="'overall'"),
        Column("score", "number", required=True, revealed_by="answered_at"),
        Column("scale_low", "number", required=True),
        Column("scale_high", "number", required=True),
        Column("expectation", "number", revealed_by="answered_at"),
        Column("comment", "text", revealed_by="answered_at"),
        Column("channel", "text"),
        Column("weight", "number", default="1.0"),
    ),
)

TICKETS = TableContract(
    "tickets",
    clock="opened_at",
    known="opened_at",
    columns=(
        Column("customer_id", "text", required=True),
        Column("opened_at", "time", required=True),
        Column("first_reply_at", "time", revealed_by="first_reply_at"),
        Column("closed_at", "time", revealed_by="closed_at"),
        Column("kind", "text", default="'complaint'"),
        Column("category", "text"),
        Column("severity", "number"),
        Column("channel", "text"),
        Column("reopened", "flag", revealed_by="closed_at"),
        Column("comment", "text"),
    ),
)

TABLES: dict[str, TableContract] = {t.name: t for t in (CUSTOMERS, EVENTS, SURVEYS, TICKETS)}

#: Kinds of rows features and targets know; a company may have others.
KINDS = {
    "events": (
        "order", "return", "payment", "shipment", "visit", "login", "contract", "renewal", "cancel",
    ),
    "tickets": ("complaint", "request"),
}  # fmt: skip

#: Answers to a question are asked with one of these.
INSTRUMENTS = ("csat", "nps", "ces", "servqual")
