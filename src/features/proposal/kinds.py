"""The kind of an event: of a whole source, of one of its times, or by the values of a column."""

from dataclasses import dataclass

from features.contract import KINDS
from features.ingest.sql import quote_literal
from features.proposal.column_profile import Column
from features.proposal.load_sources import Source
from features.proposal.vocabulary import best_concept, read_name, tokens

#: The share of rows whose values must be known kinds before a column is taken for the kind.
KNOWN_ROWS = 0.5
#: The least share of a name that a kind must explain.
NAMED = 0.25


@dataclass(frozen=True)
class KindColumn:
    """A column whose values say the kind, and the values that are not understood."""

    column: Column
    kinds: dict[str, str]
    unknown: tuple[str, ...]

    def sql(self, alias: str, fallback: str | None) -> str:
        """SQL of the kind; values that are not understood become `fallback`, or stay as they are."""
        name = f"{alias}.{self.column.quoted}"
        by_kind: dict[str, list[str]] = {}
        for value, kind in self.kinds.items():
            by_kind.setdefault(kind, []).append(value)
        whens = " ".join(
            f"when {name}::varchar in ({', '.join(map(quote_literal, values))}) "
            f"then {quote_literal(kind)}"
            for kind, values in by_kind.items()
        )
        rest = quote_literal(fallback) if fallback else f"lower({name}::varchar)"
        return f"case {whens} else {rest} end"

    def is_kind(self, alias: str, kind: str) -> str:
        """SQL of whether a row is of a kind."""
        values = ", ".join(quote_literal(v) for v, k in self.kinds.items() if k == kind)
        return f"{alias}.{self.column.quoted}::varchar in ({values})"


def kind_of_name(name: str) -> str | None:
    """The kind that a name mentions: handing over before delivery, a return before an order."""
    reading = read_name(name, "kinds")
    for kind in ("handover", "return"):
        if reading.share(kind) > 0:
            return kind
    shares = sorted(reading.shares.items(), key=lambda item: -item[1])
    if not shares or shares[0][1] < NAMED:
        return None
    if len(shares) > 1 and shares[0][1] == shares[1][1]:
        later = [k for k, share in shares if share == shares[0][1] and k != "order"]
        return later[0] if len(later) == 1 else None
    return shares[0][0]


def kind_of_value(value: str, contract: bool) -> str | None:
    """The kind of a value; in a table of contracts a cancellation ends one, elsewhere it is a return."""
    kind = best_concept(value, "kinds") or kind_of_name(value)
    if kind == "cancel" and not contract:
        return "return"
    if kind in {"order", None} and contract:
        return "contract" if kind else None
    return kind


def find_kind_column(source: Source, table_kind: str | None) -> KindColumn | None:
    """The column whose values say what kind of event a row is."""
    contract = table_kind in {"contract", "cancel", "renewal"}
    for column in source.columns.values():
        named = column.means.share("kind") >= 0.5 or (contract and "status" in column.means)
        foreign = {"channel", "amount", "person", "product", "category", "comment"}
        if not named or not column.values or len(column.values) > 40 or not column.is_text:
            continue
        if foreign & set(column.means.shares) and "kind" not in tokens(column.name):
            continue
        events = contract or _is_contract_log(column)
        kinds = {v: kind_of_value(v, events) for v in column.values}
        known = {v: k for v, k in kinds.items() if k}
        rows = sum(column.values[v] for v in known)
        if rows >= KNOWN_ROWS * column.filled and (len(set(known.values())) > 1 or contract):
            return KindColumn(column, known, tuple(v for v in kinds if v not in known))
    return None


def _is_contract_log(column: Column) -> bool:
    """Whether values tell of contracts: then a cancellation is the end of one."""
    read = [best_concept(v, "kinds") for v in column.values]
    return "contract" in read or "renewal" in read


def is_contract_kind(kind: str) -> bool:
    """Whether the contract of the tables knows this kind of event."""
    return kind in KINDS["events"]
