"""How much of the shipped company files `goodwill init` finds from the raw files alone.

The rows and labels that both company files lead to are compared, not their texts: rows by customer,
kind and local time, columns by their values in the rows that both have, attributes by their values
whatever they are called, labels at the cutoffs of the shipped file. A guess that is wrong and marked
sure is taken off the total.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from benchmarks.league_home import home_of_its_own
from features.config.company import Company, load_company
from features.contract import KINDS, TABLES
from features.errors import DataRefused, GoodwillError
from features.history_store import Manifest
from features.import_history.run_import import import_history
from features.ingest.sql import quote_identifier, quote_literal
from features.progress import silent_steps
from features.proposal.guess import GuessBook
from features.proposal.propose import Proposal, propose_folder
from features.sample_company.generate import generate_sample_company
from features.settings import Workspace
from models.targets.registry import TARGETS
from models.training_set.labels import label_rows

PROJECT = Path(__file__).parents[1]
COMPANIES = ("sample", "complete_journey", "online_retail", "olist")
#: The share from which something counts as found.
FOUND = 0.98
#: Columns that identify the rows of a table, beside the customer and the local time of its clock.
KEYS = {
    "customers": "",
    "events": "kind",
    "surveys": "instrument || coalesce(dimension, '')",
    "tickets": "''",
}


@dataclass(frozen=True)
class Item:
    """One thing that the shipped file says: how much of it was found (0 to 1), and how surely."""

    what: str
    found: float
    confidence: str

    @property
    def wrong_and_sure(self) -> bool:
        return self.found < FOUND and self.confidence == "sure"


@dataclass
class Score:
    """The items of one company."""

    company: str
    items: list[Item] = field(default_factory=list)

    @property
    def found(self) -> float:
        """The share found; a guess that is wrong and sure counts against it."""
        total = sum(item.found - item.wrong_and_sure for item in self.items)
        return total / max(len(self.items), 1)


def measure() -> str:
    """A line for each company, and one for each item that was not found."""
    lines = [
        "# What `goodwill init` finds",
        "",
        "| company | found | items | wrong and sure |",
        "|---|---|---|---|",
    ]
    missing: list[str] = []
    with home_of_its_own() as workspace:
        for name in COMPANIES:
            try:
                score = score_company(name, workspace)
            except GoodwillError as err:
                missing.append(f"- {name}: not measured: {err}")
                continue
            wrong = sum(item.wrong_and_sure for item in score.items)
            lines.append(f"| {name} | {score.found:.1%} | {len(score.items)} | {wrong} |")
            missing += [
                f"- {name}: {i.what}: {i.found:.0%}, {i.confidence}"
                for i in score.items
                if i.found < FOUND
            ]
    return "\n".join([*lines, "", "Not found:", "", *missing]) + "\n"


def score_company(name: str, workspace: Workspace) -> Score:
    """Propose a company file from the raw files of a shipped company, import both, and compare."""
    shipped = load_company(workspace.data / f"{name}.toml")
    raw = shipped.root(workspace)
    if name == "sample" and not raw.is_dir():
        generate_sample_company(raw, raw.parent / "truth", customers=1500, seed=7)
    if not raw.is_dir():
        raise DataRefused(f"no raw files at {raw}")
    proposal = propose_folder(raw, name, workspace.home / "spill", silent_steps())
    path = workspace.home / "proposed" / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(proposal.toml, encoding="utf-8")
    home = Workspace(workspace.home / "proposed_home")
    proposed = load_company(path)
    proposed = proposed.model_copy(update={"calendar": shipped.calendar, "limits": shipped.limits})
    proposed = proposed.model_copy(
        update={"info": proposed.info.model_copy(update={"data_end": shipped.info.data_end})}
    )
    for company, where in ((shipped, workspace), (proposed, home)):
        import_history(company, where, silent_steps())
    return compare(shipped, workspace, proposed, home, proposal)


def compare(
    shipped: Company, ours: Workspace, proposed: Company, theirs: Workspace, proposal: Proposal
) -> Score:
    """Compare two imported companies: `shipped` is right, `proposed` is what was guessed."""
    score, book = Score(shipped.name), proposal.book
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    for key in ("currency", "time_zone"):
        equal = getattr(shipped.info, key) == getattr(proposed.info, key)
        score.items.append(Item(key, float(equal), book.confidence(f"company.{key}")))
    for table in shipped.tables:
        if table not in proposed.tables:
            score.items.append(Item(f"table {table}", 0.0, "not proposed"))
            continue
        for side, company, where in (("ours", shipped, ours), ("theirs", proposed, theirs)):
            _bind(con, side, company, where, table)
        if table == "customers":
            score.items += _customers(con, book)
        else:
            score.items += _rows(con, table, proposal)
    score.items += _targets(shipped, ours, proposed, theirs, book)
    con.close()
    return score


def _bind(
    con: duckdb.DuckDBPyConnection, side: str, company: Company, where: Workspace, table: str
) -> None:
    """Bind a stored table with the key of its rows, numbered where several rows have the same."""
    path = where.history(company.name) / f"{table}.parquet"
    clock, zone = TABLES[table].clock, quote_literal(company.info.time_zone)
    columns = {row[0] for row in con.execute(f"describe from '{path}'").fetchall()}
    local = (
        f"date_trunc('second', timezone({zone}, {clock}))::varchar" if clock in columns else "''"
    )
    known = ", ".join(map(quote_literal, KINDS.get(table, ())))
    if table == "events":  # a company may call other kinds what it likes
        key = f"case when kind in ({known}) then kind else 'another kind' end"
    else:
        key = KEYS[table] or "''"
    order = "amount, quantity" if table == "events" else "score" if table == "surveys" else "1"
    con.execute(
        f"create or replace temp table {side} as select *, {key} as part, concat_ws('|', customer_id, "
        f"coalesce({local}, ''), {key}, row_number() over (partition by customer_id, {local}, {key} "
        f"order by {order})) as row_key from '{path}'"
    )


def _customers(con: duckdb.DuckDBPyConnection, book: GuessBook) -> list[Item]:
    """The customers and their versions, and each attribute by its values."""
    items = [
        Item("customers: rows", _overlap(con, "true"), book.confidence("customers.customer_id"))
    ]
    fixed = {"customer_id", "valid_from", "row_key", "part"}
    ours, theirs = (
        [r[0] for r in con.execute(f"describe {side}").fetchall() if r[0] not in fixed]
        for side in ("ours", "theirs")
    )
    for attribute in ours:
        shares = {t: _equal(con, attribute, t, "true") for t in theirs}
        best = max(shares, key=lambda t: shares[t], default=None)
        confidence = book.confidence(f"customers.{best}") if best else "not proposed"
        found = shares[best] if best else 0.0
        items.append(
            Item(f"customers: {attribute}", found, confidence if found > 0.5 else "not proposed")
        )
    return items


def _rows(con: duckdb.DuckDBPyConnection, table: str, proposal: Proposal) -> list[Item]:
    """The rows of each kind, and each column in the rows that both have."""
    items = []
    parts = [r[0] for r in con.execute("select distinct part from ours order by 1").fetchall()]
    values = [c.name for c in TABLES[table].columns if c.name not in {"customer_id", "kind"}]
    values = [v for v in values if v != TABLES[table].clock]
    for part in parts if table == "events" else [None]:
        where = "true" if part is None else f"part = {quote_literal(part)}"
        named = f"{table} {part}" if part else table
        items.append(
            Item(f"{named}: rows", _overlap(con, where), _confidence(proposal, table, part, "kind"))
        )
        for column in values:
            filled = con.execute(
                f"select count({quote_identifier(column)}) from ours where {where}"
            ).fetchall()
            if not filled[0][0]:
                continue
            theirs = con.execute(
                f"select count({quote_identifier(column)}) from theirs where {where}"
            ).fetchall()
            confidence = _confidence(proposal, table, part, column)
            if not theirs[0][0]:
                confidence = "not proposed"
            items.append(Item(f"{named}: {column}", _equal(con, column, column, where), confidence))
    return items


def _overlap(con: duckdb.DuckDBPyConnection, where: str) -> float:
    """The share of rows that both have: the smaller of recall and precision."""
    rows = con.execute(
        f"select (select count(*) from ours where {where}), "
        f"(select count(*) from theirs where {where}), "
        f"(select count(*) from ours join theirs using (row_key) where ours.{where})".replace(
            "ours.true", "true"
        )
    ).fetchall()[0]
    return float(rows[2] / max(rows[0], rows[1], 1))


def _equal(con: duckdb.DuckDBPyConnection, left: str, right: str, where: str) -> float:
    """The share of the rows with a value in ours that have the same in theirs."""
    a, b = f"o.{quote_identifier(left)}", f"t.{quote_identifier(right)}"
    equal = (
        f"({a}::varchar = {b}::varchar or "
        f"abs(try_cast({a}::varchar as double) - try_cast({b}::varchar as double)) "
        f"<= 1e-6 * (1 + abs(try_cast({a}::varchar as double))))"
    )
    kinds = con.execute(
        f"select typeof({a}), typeof({b}) from (from ours limit 1) o, (from theirs limit 1) t"
    ).fetchall()
    if kinds and set(kinds[0]) == {"TIMESTAMP WITH TIME ZONE"}:
        equal = f"abs(date_diff('minute', {a}, {b})) % 15 = 0 and abs(date_diff('hour', {a}, {b})) <= 14"
    condition = where if where == "true" else f"o.{where}"
    share = con.execute(
        f"select avg(coalesce({equal}, false)::int) from ours o join theirs t using (row_key) "
        f"where {condition} and {a} is not null"
    ).fetchall()[0][0]
    return float(share or 0.0)


def _confidence(proposal: Proposal, table: str, part: str | None, column: str) -> str:
    """The least confidence of the guesses about a column of the sources of a kind of rows."""
    pieces = proposal.tables[table].pieces
    if part and part in KINDS.get(table, ()):
        pieces = [p for p in pieces if f"'{part}'" in p]
    sources = {name for p in pieces for name in re.findall(r'from "([^"]+)" t', p)}
    order = ("sure", "likely", "unsure")
    found = [
        g.confidence
        for place, g in proposal.book.guesses.items()
        if any(place == f"{table}.{s}.{column}" for s in sources)
    ]
    return max(found, key=order.index, default="unsure")


def _targets(
    shipped: Company, ours: Workspace, proposed: Company, theirs: Workspace, book: GuessBook
) -> list[Item]:
    """The labels of each target at the shipped cutoffs: the share of customers with the same label."""
    items = []
    for name, target in TARGETS.items():
        if not all(table in shipped.tables for table, _ in target.required_columns):
            continue
        enabled = [
            c.target(name).enabled and not target.missing_setting(c.target(name))
            for c in (shipped, proposed)
        ]
        if name not in {"churn", "value", "satisfaction", "nps"} or (
            not enabled[0] and not enabled[1]
        ):
            if name in shipped.targets:
                items.append(Item(f"target {name}: not trained", 1.0, "sure"))
            continue
        confidence = book.confidence(f"targets.{'churn' if name == 'value' else name}.horizon_days")
        labels = []
        for company, where in ((shipped, ours), (proposed, theirs)):
            try:
                manifest = Manifest.read(where, company.name)
                labels.append(label_rows(target, company, where, manifest).table)
            except DataRefused:
                labels.append(None)
        if labels[0] is None:
            continue
        if labels[1] is None or enabled[0] != enabled[1]:
            items.append(Item(f"target {name}: labels", 0.0, confidence))
            continue
        con = duckdb.connect()
        con.execute("SET TimeZone = 'UTC'")
        con.register("ours", labels[0])
        con.register("theirs", labels[1])

        def numbered(side: str) -> str:
            """Labels with the day of their cutoff, whose hour depends on the zone."""
            day = "cutoff::date as k, row_number() over (partition by customer_id, cutoff::date"
            return f"select *, {day} order by label) as n from {side}"

        equal, total = con.execute(
            f"select count(*) filter (abs(o.label - t.label) <= 1e-6 * (1 + abs(o.label))), "
            f"greatest(count(*), (select count(*) from ours), (select count(*) from theirs)) "
            f"from ({numbered('ours')}) o join ({numbered('theirs')}) t using (customer_id, k, n)"
        ).fetchall()[0]
        items.append(Item(f"target {name}: labels", float(equal / max(total, 1)), confidence))
        con.close()
    return items
