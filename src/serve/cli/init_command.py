"""`goodwill init`: propose a company file for a folder or a database, and check the data with it."""

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from features.errors import ConfigRefused
from serve.cli.options import FORCE, FROM, NAME, YES

if TYPE_CHECKING:
    from features.config.company import Company
    from features.data_quality.check_tables import DataQualityReport
    from features.progress import Steps
    from features.proposal.guess import Question
    from features.proposal.propose import Proposal
    from features.settings import Workspace

POSTGRES = re.compile(r"postgres(ql)?://", re.IGNORECASE)
#: Shares of rows that may break the contract, tried in this order before the import stays refused.
BAD_SHARES = (0.0, 0.01, 0.05)


@click.command("init")
@FROM
@NAME
@YES
@FORCE
def init(source: str, name: str | None, yes: bool, force: bool) -> None:
    """Propose a company file for your own tables.

    Looks at the files of a folder (CSV, Excel, Parquet, JSON lines) or at a PostgreSQL database, and
    writes data/NAME.toml with a comment at each guess. On a terminal, asks where two readings are
    equally likely. Then checks the data quality. Nothing is sent anywhere.
    """
    from features.progress import Steps
    from features.settings import find_workspace

    workspace = find_workspace()
    order = _Order(source, name or _name_from(source), yes or not sys.stdin.isatty(), force)
    path = workspace.data / f"{order.name}.toml"
    if path.exists() and not force:
        raise ConfigRefused(
            f"{path} exists and stays as it is; give another name with --name, or --force to replace it"
        )
    steps = Steps(workspace.log(order.name))
    proposal = _propose(order, workspace, steps)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(proposal.toml, encoding="utf-8")
    _report(proposal, steps)
    _check(path, workspace, proposal, steps)
    shown = os.path.relpath(path, workspace.home)
    steps.console.print(f"  wrote {shown}", markup=False)
    if POSTGRES.match(source):
        steps.console.print(
            f"  before the next command: export {order.variable}=postgresql://... (it is in no file)",
            markup=False,
        )
    steps.console.print(
        f"  look at its comments, then: goodwill retrain --company {shown}", markup=False
    )


@dataclass(frozen=True)
class _Order:
    """What the command line asks for; `silent` asks no question."""

    source: str
    name: str
    silent: bool
    force: bool

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", self.name):
            raise ConfigRefused(
                f"the name {self.name!r} cannot be used: small letters, digits and _, beginning with a "
                "letter, at most 40; give one with --name, such as --name acme"
            )

    @property
    def variable(self) -> str:
        """The environment variable that holds the address of the database."""
        return f"{self.name.upper()}_DATABASE_URL"


def _name_from(source: str) -> str:
    """The name of a company from its folder or database, without what the name may not have."""
    if POSTGRES.match(source):
        last = source.split("?")[0].rstrip("/").rpartition("/")[2]
        # After "//" there may be a password: then there is no database to be named after.
        text = last if "@" not in last and source.count("/") > 2 else ""
    else:
        text = Path(source).resolve().name
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:40]
    return plain if plain and plain[0].isalpha() else "company"


def _propose(order: _Order, workspace: "Workspace", steps: "Steps") -> "Proposal":
    """Propose the company file of a folder or of a database."""
    from features.proposal.guess import take_safer
    from features.proposal.propose import propose_database, propose_folder

    choose = take_safer if order.silent else _ask
    spill = workspace.data / order.name / "spill"
    try:
        if not POSTGRES.match(order.source):
            folder = Path(order.source)
            root = _root(folder, workspace)
            return propose_folder(folder, order.name, spill, steps, choose, root)
        from features.config.postgres_settings import PostgresSettings, find_postgres_address

        os.environ[order.variable] = order.source
        settings = PostgresSettings(url_from=order.variable)
        address = find_postgres_address(settings, "goodwill init")
        return propose_database(address, order.variable, order.name, spill, steps, choose)
    finally:
        shutil.rmtree(spill, ignore_errors=True)


def _root(folder: Path, workspace: "Workspace") -> str:
    """How the company file names a folder: relative to itself where the folder is beside it."""
    resolved = folder.resolve()
    if resolved.is_relative_to(workspace.data.resolve()):
        return "{here}/" + str(resolved.relative_to(workspace.data.resolve()))
    return str(resolved)


def _ask(question: "Question") -> str:
    """Ask on the terminal."""
    click.echo(f"\n{question.text}")
    options = list(question.options)
    for number, option in enumerate(options, start=1):
        click.echo(f"  {number}  {question.options[option]}")
    default = options.index(question.safer) + 1
    answer = click.prompt("Which", type=click.IntRange(1, len(options)), default=default)
    return options[answer - 1]


def _report(proposal: "Proposal", steps: "Steps") -> None:
    """Print what was decided without asking, what is unsure, and what is not used."""
    from rich.markup import escape

    for question, answer in proposal.book.decided:
        steps.note(f"  {escape(question.text)} [bold]{escape(question.options[answer])}[/]")
    for guess in proposal.book.guesses.values():
        if guess.confidence == "unsure":
            steps.note(f"[yellow]?[/] {escape(guess.place)}: {escape(guess.why)}")
    for text in proposal.book.left_out.get("sources", []):
        steps.note(f"[yellow]–[/] not used: {escape(text)}")
    for material in proposal.material:
        steps.note(f"  {material.target}: {escape(material.says)}")


def _check(path: Path, workspace: "Workspace", proposal: "Proposal", steps: "Steps") -> None:
    """Check the data with the file; a small share of rows that break the contract is allowed in it."""
    from features.config.company import load_company
    from features.data_quality.terminal_summary import findings_table

    company = load_company(path)
    for share in BAD_SHARES:
        info = company.info.model_copy(update={"max_bad_share": share})
        report = _quality(company.model_copy(update={"info": info}), workspace, steps)
        if not report.refusals:
            break
    else:
        share = 0.0
    if share:
        text = proposal.toml.replace(
            "\n[company]\n",
            f"\n[company]\n# rows that break the contract are put aside and reported, up to this share\n"
            f"max_bad_share = {share}\n",
            1,
        )
        path.write_text(text, encoding="utf-8")
    steps.console.print(findings_table(report), crop=False)
    for refusal in report.refusals:
        steps.console.print(f"an import would be refused: {refusal}", markup=False)


def _quality(company: "Company", workspace: "Workspace", steps: "Steps") -> "DataQualityReport":
    """The data quality of a company, with its page."""
    from features.company_lock import company_lock
    from features.import_history.run_import import run_dry_import
    from features.result_sets import staged_results
    from insight.data_quality_report.data_quality_page import write_data_quality_page

    with (
        company_lock(workspace, company.name),
        staged_results(workspace, company.name, lambda *_: None) as staged,
    ):
        report = run_dry_import(company, staged, steps)
        write_data_quality_page(company, staged, steps)
    return report
