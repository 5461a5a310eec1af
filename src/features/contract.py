"""The data contract: the four tables every company is mapped onto, with columns, types and known times.

A row is known from the time in its `known` column on. A column that becomes known later than its
row names the time column that reveals it: a ticket's `closed_at` is hidden until that instant.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "number", "time", "flag"]


@dataclass(frozen=True)
class ContractColumn:
    """A column of the contract: its type, whether a mapping must give it, and what reveals it.

    `revealed_by` names the time column of the same table from which the value is known; None means
    together with the row. `default` is the SQL used when a mapping leaves the column out.
    """

    name: str
    kind: Kind
    required: bool = False
    revealed_by: str | None = None
    default: str = "null"


@dataclass(frozen=True)
class TableContract:
    """A table of the contract: `clock` is the time axis of windows, `known` when a row is known."""

    name: str
    clock: str
    known: str
    columns: tuple[ContractColumn, ...]
    open_ended: bool = False  # further columns are allowed: CRM attributes

    def column(self, name: str) -> ContractColumn | None:
        """The column of this name, or None."""
        return next((c for c in self.columns if c.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    @property
    def order(self) -> tuple[str, ...]:
        """The columns rows are sorted by; those revealed later than the row come last.

        So no value that is still hidden at a cutoff decides the order of two rows of the same time.
        """
        return tuple(c.name for c in sorted(self.columns, key=lambda c: c.revealed_by is not None))


CUSTOMERS = TableContract(
    "customers",
    clock="valid_from",
    known="valid_from",
    columns=(
        ContractColumn("customer_id", "text", required=True),
        ContractColumn("valid_from", "time"),
    ),
    open_ended=True,
)

EVENTS = TableContract(
    "events",
    clock="occurred_at",
    known="known_at",
    columns=(
        ContractColumn("customer_id", "text", required=True),
        ContractColumn("occurred_at", "time", required=True),
        ContractColumn("known_at", "time", default="occurred_at"),
        ContractColumn("kind", "text", required=True),
        ContractColumn("amount", "number"),
        ContractColumn("quantity", "number"),
        ContractColumn("channel", "text"),
        ContractColumn("category", "text"),
        ContractColumn("due_at", "time"),
    ),
)

SURVEYS = TableContract(
    "surveys",
    clock="sent_at",
    known="sent_at",
    columns=(
        ContractColumn("customer_id", "text", required=True),
        ContractColumn("sent_at", "time", required=True),
        ContractColumn("answered_at", "time", required=True, revealed_by="answered_at"),
        ContractColumn("instrument", "text", required=True),
        ContractColumn("dimension", "text", default="'overall'"),
        ContractColumn("score", "number", required=True, revealed_by="answered_at"),
        ContractColumn("scale_low", "number", required=True),
        ContractColumn("scale_high", "number", required=True),
        ContractColumn("expectation", "number", revealed_by="answered_at"),
        ContractColumn("comment", "text", revealed_by="answered_at"),
        ContractColumn("channel", "text"),
        ContractColumn("weight", "number", default="1.0"),
    ),
)

TICKETS = TableContract(
    "tickets",
    clock="opened_at",
    known="opened_at",
    columns=(
        ContractColumn("customer_id", "text", required=True),
        ContractColumn("opened_at", "time", required=True),
        ContractColumn("first_reply_at", "time", revealed_by="first_reply_at"),
        ContractColumn("closed_at", "time", revealed_by="closed_at"),
        ContractColumn("kind", "text", default="'complaint'"),
        ContractColumn("category", "text"),
        ContractColumn("severity", "number"),
        ContractColumn("channel", "text"),
        ContractColumn("reopened", "flag", revealed_by="closed_at"),
        ContractColumn("comment", "text"),
    ),
)

TABLES: dict[str, TableContract] = {t.name: t for t in (CUSTOMERS, EVENTS, SURVEYS, TICKETS)}

#: Kinds of rows that features and targets use; a company may have others.
KINDS = {
    "events": (
        "order", "return", "payment", "shipment", "visit", "login", "contract", "renewal", "cancel",
    ),
    "tickets": ("complaint", "request"),
}  # fmt: skip

#: The survey instruments.
INSTRUMENTS = ("csat", "nps", "ces", "servqual")


def near_kind(kind: str, table: str) -> str | None:
    """The contract's word that a kind is written like, but for case, blanks or a plural; or None."""
    plain = kind.strip().lower()
    known = KINDS[table]
    if plain in known:
        return plain
    return next((word for word in known if plain in (f"{word}s", f"{word}es")), None)
