"""Who is a customer at a cutoff: the one definition behind labels, rates, stages, tiers and reports.

With contracts, a customer has an open contract. A contract, a renewal, and any order or payment that
does not follow a cancellation is evidence of one: an extract that begins after the contract was signed
does not lose the customer. A cancellation ends one contract; the customer has left when no signed one
remains, unless a contract or a renewal comes at the same moment (an upgrade) or later.

Without contracts, a customer ordered within the last `active_days`.

Only events that happened and were known before the cutoff count. Whoever has no evidence either way is
unknown: counted, but never a stayer or a leaver.
"""

from dataclasses import dataclass
from typing import Literal

from features.config.company import ACTIVE_DAYS, Company, TargetConfig
from features.definitions.expressions import Expression, Past

CustomerState = Literal["customer", "left", "unknown"]
STATES: tuple[CustomerState, ...] = ("customer", "left", "unknown")

SIGNED, CANCELLED, ORDERED = "contract", "cancel", "order"
#: Kinds of events that show an open contract even after a cancellation.
TIES = (SIGNED, "renewal")
#: Kinds of events that show an open contract unless a cancellation came before.
EVIDENCE = (*TIES, ORDERED, "payment")


@dataclass(frozen=True)
class CustomerDefinition:
    """A company's definition: `contractual`, or orders within `active_days`."""

    contractual: bool
    active_days: int = ACTIVE_DAYS

    @classmethod
    def of(cls, company: Company) -> "CustomerDefinition":
        """The definition in a company's file: `[targets.churn]`, whether churn is trained or not."""
        return cls.from_churn(company.target("churn"))

    @classmethod
    def from_churn(cls, config: TargetConfig) -> "CustomerDefinition":
        """The definition in the settings of churn."""
        return cls(config.definition == "cancel", config.active_days or ACTIVE_DAYS)

    @property
    def column(self) -> str:
        """The feature that decides: missing for unknown customers."""
        return "open_contracts" if self.contractual else "days_since_order"

    @property
    def bounds(self) -> tuple[float, float | None]:
        """The least and the largest value of the feature for a customer; both included."""
        return (1.0, None) if self.contractual else (0.0, float(self.active_days))

    @property
    def text(self) -> str:
        """The definition as one English sentence."""
        if self.contractual:
            return "Customers with an open contract at the cutoff."
        return f"Customers who ordered in the {self.active_days} days before the cutoff."

    def state_sql(self, at: str) -> str:
        """SQL aggregate over the events of one customer: their state at an instant.

        `at` is an SQL expression; the rows need `kind`, `occurred_at` and `known_at`.
        """
        known = f"greatest(occurred_at, known_at) < {at}"
        if self.contractual:
            return _contract_state_sql(known)
        last = f"max(occurred_at) filter (kind = '{ORDERED}' and {known})"
        return (
            f"case when {last} >= {at} - interval {self.active_days} day then 'customer' "
            f"when {last} is not null then 'left' else 'unknown' end"
        )


def _contract_state_sql(known: str) -> str:
    """`signed > cancelled`, or tied since the last cancellation, or never cancelled with evidence."""

    def aggregate(function: str, *kinds: str) -> str:
        return f"{function} filter (kind in {kinds_sql(kinds)} and {known})"

    signed, cancelled = aggregate("count(*)", SIGNED), aggregate("count(*)", CANCELLED)
    tied, left = aggregate("max(occurred_at)", *TIES), aggregate("max(occurred_at)", CANCELLED)
    evidence = aggregate("count(*)", *EVIDENCE)
    return (
        f"case when {signed} > {cancelled} or {tied} >= {left} "
        f"or ({cancelled} = 0 and {evidence} > 0) then 'customer' "
        f"when {cancelled} > 0 then 'left' else 'unknown' end"
    )


def departures_sql(before: str | None = None) -> str:
    """SQL for the cancellations that end a customer's last open contract.

    Columns `customer_id`, `kind`, `occurred_at`, `known_at`. With `before`, an SQL expression, only
    events that happened and were known before that instant are read.
    """
    known = f"and greatest(occurred_at, known_at) < {before}" if before else ""
    return f"""
        select customer_id, kind, occurred_at, known_at from (
            select customer_id, kind, occurred_at, known_at,
                   sum(case kind when '{SIGNED}' then 1 when '{CANCELLED}' then -1 else 0 end)
                       over so_far as open,
                   max(occurred_at) filter (kind in {kinds_sql(TIES)}) over so_far as tied
            from events where kind in {kinds_sql((*TIES, CANCELLED))} {known}
            window so_far as (partition by customer_id order by occurred_at
                              range between unbounded preceding and current row))
        where kind = '{CANCELLED}' and open <= 0 and (tied is null or tied < occurred_at)
    """


def count_open_contracts(past: Past) -> Expression:
    """The open contracts of a customer by the evidence so far: 0 who left, missing when unknown.

    The same as `state_sql` with contracts, in the language of features: a customer has at least 1.
    """
    events = past.events
    signed, cancelled = events.where(kind=SIGNED).count(), events.where(kind=CANCELLED)
    evidence = events.where(kind=EVIDENCE).count()
    tied, left = events.where(kind=TIES).days_since(), cancelled.days_since()
    never_cancelled = evidence.above(0) * cancelled.count().at_most(0)
    customer = signed.above(cancelled.count()) + tied.at_most(left) + never_cancelled
    known = (evidence + cancelled.count()).above(0)
    return customer.above(0) * (signed - cancelled.count()).or_at_least(1) / known


def kinds_sql(kinds: tuple[str, ...]) -> str:
    """A list of kinds of events in SQL."""
    return "(" + ", ".join(f"'{kind}'" for kind in kinds) + ")"
