"""Propose a company file for a folder of files or a PostgreSQL database. Nothing leaves the machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from features.config.postgres_settings import PostgresAddress
from features.errors import DataRefused
from features.progress import Steps
from features.proposal.company_facts import find_facts
from features.proposal.customer_paths import find_customer_paths
from features.proposal.customers_mapping import propose_customers
from features.proposal.day_order import settle_day_order
from features.proposal.events_mapping import propose_events
from features.proposal.evidence import Evidence
from features.proposal.file_overlap import leave_out_contained, split_overlapping
from features.proposal.guess import Chooser, GuessBook, take_safer
from features.proposal.joins import find_joins
from features.proposal.load_sources import Source, load_database, load_folder
from features.proposal.surveys_mapping import propose_surveys
from features.proposal.table_proposal import TableProposal
from features.proposal.table_roles import SourceRole, decide_roles
from features.proposal.target_proposal import TargetMaterial, describe_material, propose_targets
from features.proposal.tickets_mapping import propose_tickets
from features.proposal.toml_writer import write_company_file

PROPOSALS = (propose_customers, propose_events, propose_surveys, propose_tickets)


@dataclass(frozen=True)
class Proposal:
    """A proposed company file, all guesses in it, and what its targets would have to learn from."""

    toml: str
    book: GuessBook
    tables: dict[str, TableProposal]
    material: list[TargetMaterial] = field(default_factory=list)


def propose_folder(
    folder: Path, name: str, spill: Path, steps: Steps, choose: Chooser = take_safer, root: str = ""
) -> Proposal:
    """Propose the company file of the files in a folder; `spill` is for temporary copies.

    `root` is how the file names the folder (default: its whole path).
    """
    con = _connect(spill)
    book = GuessBook(choose)
    try:
        sources, unused = load_folder(con, folder, spill, steps)
        for text in unused:
            book.leave_out("sources", text)
        sources = leave_out_contained(con, sources, book)
        sources = split_overlapping(con, sources, spill, book)
        settings = {"name": name, "title": name, "root": root or str(folder.resolve())}
        with steps.step("propose tables and columns") as done:
            proposal = _propose(con, sources, settings, book, None)
            done(tables=len(proposal.tables), guesses=len(book.guesses))
        return proposal
    finally:
        con.close()


def propose_database(
    address: PostgresAddress,
    url_from: str,
    name: str,
    spill: Path,
    steps: Steps,
    choose: Chooser = take_safer,
) -> Proposal:
    """Propose the company file of a database; it names the variable `url_from`, never the address."""
    con = _connect(spill)
    book = GuessBook(choose)
    try:
        sources = load_database(con, address, spill, steps)
        with steps.step("propose tables and columns") as done:
            proposal = _propose(con, sources, {"name": name, "title": name}, book, url_from)
            done(tables=len(proposal.tables), guesses=len(book.guesses))
        return proposal
    finally:
        con.close()


def _connect(spill: Path) -> duckdb.DuckDBPyConnection:
    spill.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET enable_progress_bar = false")
    con.execute(f"SET temp_directory = '{spill}'")
    return con


def _propose(
    con: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    settings: dict[str, str],
    book: GuessBook,
    url_from: str | None,
) -> Proposal:
    sources = settle_day_order(sources, book)
    joins = find_joins(con, sources)
    paths = find_customer_paths(con, sources, joins, book)
    facts = find_facts(sources, book)
    roles = decide_roles(sources, joins, paths)
    by_name = {s.name: s for s in sources}
    evidence = Evidence(con, by_name, joins, paths, roles, facts, book)
    tables = {t.name: t for make in PROPOSALS if (t := make(evidence)) is not None}
    _check_enough(tables, sources, roles)
    _drop_unknown(evidence, tables)
    _note_unused(evidence, tables)
    _bind(evidence, tables)
    targets = propose_targets(evidence, set(tables))
    about = {**settings, "currency": facts.currency, "time_zone": facts.time_zone}
    toml = write_company_file(about, tables.values(), targets.settings, by_name, book, url_from)
    return Proposal(toml, book, tables, describe_material(evidence, targets, set(tables)))


def _check_enough(
    tables: dict[str, TableProposal], sources: Sequence[Source], roles: Mapping[str, SourceRole]
) -> None:
    """Refuse what has neither events nor surveys, and say what was found instead."""
    if {"events", "surveys"} & set(tables):
        return
    found = "; ".join(f"{s.title}: {roles[s.name].why}" for s in sources[:8])
    raise DataRefused(
        "neither events nor surveys were found: they need a column of the customer and one of a time. "
        f"Looked at: {found}. Write the file by hand (docs/tutorial/your-own-data.md)"
    )


def _drop_unknown(evidence: Evidence, tables: dict[str, TableProposal]) -> None:
    """Leave out rows of customers that the customers table does not have, and say how many."""
    if "customers" not in tables:
        return
    known = f"select customer_id from ({tables['customers'].query})"
    for name, table in tables.items():
        if name == "customers":
            continue
        rows = evidence.count(
            f"select count(*) from ({table.query}) where customer_id is not null "
            f"and customer_id not in ({known})"
        )
        if rows:
            used = [s for s in tables["customers"].sources if s not in table.sources]
            table.use(*used)
            query = tables["customers"].query
            table.drop["not in the customers table"] = (
                f"customer_id not in (select customer_id from ({query}))"
            )
            evidence.book.add(
                f"{name}.rows", "likely", f"{rows:,} rows are of nobody in the customers table"
            )


def _note_unused(evidence: Evidence, tables: dict[str, TableProposal]) -> None:
    """Note the sources that no table reads, each with the reason."""
    used = {name for table in tables.values() for name in table.sources}
    for name, source in evidence.sources.items():
        if name not in used:
            role = evidence.roles[name]
            evidence.book.leave_out("sources", f"{source.title} ({source.rows:,} rows): {role.why}")


def _bind(evidence: Evidence, tables: dict[str, TableProposal]) -> None:
    """Bind each proposed table as a view `proposed_<name>`, as the import will see it."""
    for name, table in tables.items():
        columns = ", ".join(f'{sql} as "{column}"' for column, sql in table.columns.items())
        rules = (
            " and ".join(f"not coalesce({rule}, false)" for rule in table.drop.values()) or "true"
        )
        evidence.con.execute(
            f"create or replace temp view proposed_{name} as "
            f"select {columns} from ({table.query}) where {rules}"
        )
