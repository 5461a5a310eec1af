"""The proposal of the customers: versions with their time, or what never changes about a customer."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from features.ingest.identifier_columns import MIN_CUSTOMERS, MIN_VALUES_PER_CUSTOMER
from features.proposal.categories import shortened_code
from features.proposal.column_profile import Column
from features.proposal.evidence import Evidence
from features.proposal.load_sources import Source
from features.proposal.table_proposal import TableProposal, select_sql
from features.proposal.table_roles import time_columns
from features.proposal.vocabulary import tokens

#: The share of customers with a single value from which an attribute of events belongs to the customer.
SINGLE_VALUE = 0.97
#: The values of an attribute from which a code such as a postcode is shortened.
MANY_VALUES = 200


@dataclass(frozen=True)
class Attribute:
    """An attribute of customers: its name, SQL with {0} for the alias, whether it never changes."""

    name: str
    sql: str
    column: Column
    constant: bool


def propose_customers(evidence: Evidence) -> TableProposal | None:
    """Propose the customers, from their own table or from the events; None if no table knows them."""
    masters = sorted(evidence.having("customers"), key=lambda s: (-_ids(evidence, s), s.name))
    table = TableProposal("customers")
    if not masters:
        return _from_events(evidence, table)
    versions = next((s for s in masters if _version_time(evidence, s)), None)
    if versions is not None:
        return _versions(evidence, table, versions)
    return _constants(evidence, table, masters)


def _ids(evidence: Evidence, source: Source) -> int:
    return evidence.paths[source.name].column.distinct


def _version_time(evidence: Evidence, source: Source) -> Column | None:
    """The time since when a row is true, if customers have several rows."""
    path = evidence.paths[source.name]
    if path.column.is_unique:
        return None
    changed = [c for c in time_columns(source) if "changed" in c.means]
    return max(changed, key=lambda c: c.distinct, default=None)


def _versions(evidence: Evidence, table: TableProposal, source: Source) -> TableProposal:
    """Customers with versions: every attribute may be used from its time on."""
    time, path = _version_time(evidence, source), evidence.paths[source.name]
    assert time is not None  # noqa: S101
    table.use(source.name)
    columns = {"customer_id": path.customer_sql(), "valid_from": evidence.time_sql(time, "t")}
    for attribute in _attributes(evidence, source):
        columns[attribute.name] = attribute.sql.format("t")
        evidence.book.add(f"customers.{attribute.name}", "sure", attribute.column.name)
    evidence.book.add("customers.customer_id", "sure", f"{path.column.name} of {source.title}")
    evidence.book.add("customers.valid_from", "sure", f"{time.name}: customers have several rows")
    table.pieces.append(select_sql(columns, f"from {path.from_sql(source)}"))
    table.columns = {name: _quoted(name) for name in columns}
    return table


def _constants(evidence: Evidence, table: TableProposal, masters: list[Source]) -> TableProposal:
    """Customers with one row each: only what never changes is used, since today's state leaks."""
    ids = _all_ids(evidence, table, masters)
    columns, rest = {"customer_id": "ids.customer_id"}, f"from ({ids}) ids"
    for number, source in enumerate(masters, start=1):
        path = evidence.paths[source.name]
        found = [a for a in _attributes(evidence, source) if _keep_constant(evidence, source, a)]
        if not found:
            continue
        table.use(source.name)
        inner = {"customer_id": path.customer_sql()}
        for attribute in found:
            sql = attribute.sql.format("t")
            inner[attribute.name] = sql if path.column.is_unique else f"min({sql})"
            columns.setdefault(attribute.name, f"c{number}.{_quoted(attribute.name)}")
        grouped = "" if path.column.is_unique else "\ngroup by 1"
        subquery = select_sql(inner, f"from {path.from_sql(source)}{grouped}").replace(
            "\n", "\n     "
        )
        rest += f"\nleft join ({subquery}) c{number} using (customer_id)"
    evidence.book.add("customers.customer_id", "sure", _named(evidence, masters))
    table.constant = [name for name in columns if name != "customer_id"]
    table.columns = {name: _quoted(name) for name in columns}
    table.pieces.append(select_sql(columns, rest))
    return table


def _named(evidence: Evidence, masters: list[Source]) -> str:
    return ", ".join(f"{evidence.paths[s.name].column.name} of {s.title}" for s in masters)


def _all_ids(evidence: Evidence, table: TableProposal, masters: list[Source]) -> str:
    """SQL of the customers: those of their tables, and those who ordered and are missing there."""
    parts = []
    for source in masters:
        table.use(source.name)
        path = evidence.paths[source.name]
        parts.append(f"select {path.customer_sql()} as customer_id from {path.from_sql(source)}")
    known = " union ".join(parts)
    for source in evidence.having("events"):
        path = evidence.paths[source.name]
        if path.joins or not _orders(evidence, source):
            continue
        ids = f"select {path.customer_sql()} as customer_id from {path.from_sql(source)}"
        missing = evidence.count(
            f"select count(*) from ({ids} except ({known})) where customer_id is not null"
        )
        if missing:
            table.use(source.name)
            parts.append(ids)
            evidence.book.add(
                "customers.customer_id",
                "likely",
                f"{missing:,} customers of {source.title} are not in {_named(evidence, masters)}: added",
            )
    union = "\n     union ".join(parts)
    return f"select distinct customer_id from ({union}) where customer_id is not null"


def _orders(evidence: Evidence, source: Source) -> bool:
    """Whether a source shows that somebody is a customer: not a mailing, for example."""
    from features.proposal.kinds import kind_of_name

    return kind_of_name(source.title) not in {"campaign", "coupon", "visit"}


def _from_events(evidence: Evidence, table: TableProposal) -> TableProposal | None:
    """Customers that only their events know: attributes that are the same in all of them."""
    sources = [s for s in evidence.having("events") if not evidence.paths[s.name].joins]
    for source in sorted(sources, key=lambda s: -s.rows):
        path = evidence.paths[source.name]
        found = [
            a
            for a in _attributes(evidence, source)
            if a.constant and a.column is not path.column and _is_single(evidence, source, a)
        ]
        if not found:
            continue
        table.use(source.name)
        columns = {"customer_id": path.customer_sql()}
        time = max(time_columns(source), key=lambda c: c.filled)
        for attribute in found:
            columns[attribute.name] = (
                f"arg_min({attribute.sql.format('t')}, {evidence.time_sql(time, 't')})"
            )
            evidence.book.add(
                f"customers.{attribute.name}",
                "likely",
                f"the first {attribute.column.name} of a customer; nearly all have only one",
            )
        rest = f"from {path.from_sql(source)}\nwhere {path.customer_sql()} is not null\ngroup by 1"
        table.pieces.append(select_sql(columns, rest))
        others = [
            s for s in evidence.sources.values() if s.name in evidence.paths and s is not source
        ]
        for other in others:
            way = evidence.paths[other.name]
            table.use(other.name, *(j.target for j in way.joins))
        if others:
            _add_missing(evidence, table, others, columns)
        evidence.book.add("customers.customer_id", "sure", f"{path.column.name} of {source.title}")
        table.columns = {name: _quoted(name) for name in columns}
        table.constant = [name for name in columns if name != "customer_id"]
        return table
    return None


def _add_missing(
    evidence: Evidence, table: TableProposal, others: list[Source], columns: dict[str, str]
) -> None:
    """Add the customers that only other sources have, without attributes."""
    ids = " union ".join(
        f"select {evidence.paths[s.name].customer_sql()} as customer_id from "
        f"{evidence.paths[s.name].from_sql(s)}"
        for s in others
    )
    first = table.pieces.pop()
    known = f"select customer_id from ({first})"
    if evidence.count(
        f"select count(*) from (({ids}) except ({known})) where customer_id is not null"
    ):
        table.pieces.append(
            f"with known as ({first})\nselect * from known\nunion all by name\n"
            f"select customer_id from (({ids}) except select customer_id from known)\n"
            "where customer_id is not null"
        )
    else:
        table.pieces.append(first)
        used = table.sources[:1]
        table.sources = used
    del columns


def _is_single(evidence: Evidence, source: Source, attribute: Attribute) -> bool:
    path, sql = evidence.paths[source.name], attribute.sql.format("t")
    share = evidence.number(
        f"select avg((n = 1)::int) from (select count(distinct {sql}) as n from {path.from_sql(source)} "
        f"where {path.customer_sql()} is not null and {sql} is not null group by {path.customer_sql()})"
    )
    return (share or 0.0) >= SINGLE_VALUE


def _keep_constant(evidence: Evidence, source: Source, attribute: Attribute) -> bool:
    """Whether an attribute may be used without a time; otherwise it is listed as left out."""
    name = attribute.column.name
    if attribute.constant:
        evidence.book.add(
            f"customers.{attribute.name}",
            "likely",
            f"{name} of {source.title}, which hardly ever changes",
        )
        return True
    evidence.book.leave_out(
        "customers",
        f"{name} of {source.title}: shows today's state; add it under constant if it never changes",
    )
    return False


def _attributes(evidence: Evidence, source: Source) -> Iterator[Attribute]:
    """The attributes of a source of customers; others are noted as left out, each with its reason."""
    path = evidence.paths[source.name]
    master = evidence.roles[source.name].role == "customers"
    taken = {"customer_id", "valid_from", "customer_since" if not master else ""}
    for column in source.columns.values():
        if column is path.column:
            continue
        if column.is_time and "signup" not in column.means:
            if master and "changed" not in column.means:
                evidence.book.leave_out(
                    "customers",
                    f"{column.name} of {source.title}: a time; it may say what became of them",
                )
            continue
        reason = _reason_against(column, source, master)
        if reason:
            if master:
                evidence.book.leave_out("customers", f"{column.name} of {source.title}: {reason}")
            continue
        name = attribute_name(column.name)
        while name in taken:
            name += "_2"
        taken.add(name)
        yield _attribute(evidence, source, column, name)


def _attribute(evidence: Evidence, source: Source, column: Column, name: str) -> Attribute:
    quoted = column.quoted.replace("{", "{{").replace("}", "}}")
    if column.is_time:
        return Attribute(name, f"year({column.sql('{0}')})", column, True)
    constant = column.means.share("stable", "signup") > 0
    if (column.is_text or column.is_whole) and column.distinct > MANY_VALUES and constant:
        size = shortened_code(evidence, column, source.rows) if column.length <= 12 else None
        if size:
            return Attribute(name, f"left({{0}}.{quoted}::varchar, {size})", column, True)
    if column.number:
        return Attribute(name, column.sql("{0}"), column, constant)
    return Attribute(name, f"{{0}}.{quoted}", column, constant)


def _reason_against(column: Column, source: Source, master: bool) -> str | None:
    """Why a column is no attribute; None if it is one."""
    means = column.means
    if not column.filled or column.distinct < 2:
        return "has a single value"
    if means.share("identifying") >= 0.3 and not (
        "stable" in means and column.distinct <= MANY_VALUES
    ):
        return "identifies the customer"
    if "leak" in means:
        return "says what became of the customer, which is to be predicted"
    if "weight" in means:
        return "a weight, not an attribute"
    if column.is_free_text:
        return "free text"
    unique = (
        column.distinct >= MIN_VALUES_PER_CUSTOMER * column.filled
        and column.filled >= MIN_CUSTOMERS
    )
    if (
        unique
        and (column.is_text or (column.is_whole and "identifier" in means))
        and not ("stable" in means and column.length <= 12)
    ):
        return "nearly one value a customer: it identifies them"
    if "person" in means and "identifier" in means and not {"stable"} & set(means.shares):
        return "another key"
    return None


def attribute_name(name: str) -> str:
    """The name of an attribute: the column's words in small letters, without those for customer."""
    from features.proposal.vocabulary import read_name

    words = list(tokens(name))
    kept = [w for w in words if read_name(w).share("person") < 1 or "stable" in read_name(w)]
    shown = kept if kept and kept != ["since"] and len(kept) < len(words) else words
    text = re.sub(r"\W+", "_", "_".join(shown)).strip("_")
    return text if text and not text[0].isdigit() else f"attribute_{text}"


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'
