"""The context of a verb: project, company and steps; and the sample company."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import PartMissing

# Imported where they are used, so that `goodwill --help` is fast.
if TYPE_CHECKING:
    from pandas import DataFrame

    from features.config.company import Company
    from features.execution.partitions import Runner
    from features.import_history.accepted_losses import AcceptedLoss
    from features.result_sets import AfterRollback
    from features.settings import Workspace


class CommandContext:
    """Workspace, company and steps of one run of a verb."""

    def __init__(self, toml: Path | None) -> None:
        from features.config.company import load_company
        from features.progress import Steps
        from features.settings import find_workspace
        from models.targets.registry import check_names

        self.workspace: Workspace = find_workspace()
        path = toml or self.workspace.data / "sample.toml"
        self.company: Company = load_company(path)
        check_names(self.company)
        self.steps = Steps(self.workspace.log(self.company.name))

    @contextmanager
    def results(
        self,
        then: "Callable[[Workspace, str], None] | None" = None,
        after_rollback: "AfterRollback | None" = None,
    ) -> "Iterator[Workspace]":
        """Lock the company and stage its results; they are published together at the end.

        `then` runs after the publication, still under the lock. `after_rollback` makes anew what
        depends on models that were rolled back meanwhile; by default a note says so. Raises
        AlreadyRunning while another command holds the lock.
        """
        from features.company_lock import company_lock
        from features.result_sets import staged_results

        with company_lock(self.workspace, self.company.name):
            again = after_rollback or self._note_rollback
            with staged_results(self.workspace, self.company.name, again) as staged:
                yield staged
            if then:
                then(self.workspace, self.company.name)

    def _note_rollback(self, _: "Workspace", targets: list[str]) -> None:
        self.steps.note(
            f"[yellow]–[/] rolled back during this run: {', '.join(targets)}; scores, tiers and report "
            "may be of the model before, make them anew with `goodwill score --reasons`, `evaluate` "
            "and `report`"
        )

    def check_parts(self) -> None:
        """Raise PartMissing when the command went on without a part, such as a plot or one target."""
        if self.steps.missing:
            lines = "\n".join(f"  - {part}: {why}" for part, why in self.steps.missing.items())
            raise PartMissing(f"published without:\n{lines}")

    def report_written(self, *paths: Path) -> None:
        """Print the paths that were written, relative to the project."""
        from features.result_sets import published_path

        for path in map(published_path, paths):
            shown = os.path.relpath(path, self.workspace.home)
            self.steps.note(f"  wrote [bold]{shown}[/]")

    def print_table(self, frame: "DataFrame", wrapped: str) -> None:
        """Print a small table, of which only the column `wrapped` may be broken into lines."""
        from rich.table import Column, Table

        columns = [Column(str(name), no_wrap=name != wrapped) for name in frame.columns]
        table = Table(*columns, box=None, pad_edge=True)
        for row in frame.itertuples(index=False):
            table.add_row(*map(str, row))
        self.steps.console.print(table)

    def describe_features(self) -> None:
        """Print all feature columns, with the share of missing values in the last snapshot."""
        from rich.console import Console

        from features.definitions.catalog import as_percent, describe_features
        from features.feature_table import plan_for
        from features.history_store import Manifest
        from features.terminal_table import TextTable
        from features.text.comment_score_model import CommentScoreModel

        name = self.company.name
        tone = CommentScoreModel.read(self.workspace.features(name))
        plan = plan_for(Manifest.read(self.workspace, name).schema, comment_model=tone)
        described = describe_features(
            plan.columns, self.workspace.features(name) / "snapshot.parquet"
        )
        rows = [((d.name, d.unit, d.source, as_percent(d.missing)), d.meaning) for d in described]
        columns = ("feature", "unit", "source", "missing")
        Console().print(TextTable(columns, rows, numbers=("missing",)), crop=False)

    def runner(self, engine: str) -> "AbstractContextManager[Runner]":
        """Return the runner of an engine; a Spark session lasts as long as the block."""
        if engine == "local":
            from features.execution.partitions import LOCAL

            return nullcontext(LOCAL)
        from features.execution.spark import spark_runner

        return spark_runner(self.steps)


def make_sample(context: CommandContext, customers: int, seed: int) -> "AcceptedLoss":
    """Simulate the sample company: its tables, and the ground truth behind them.

    Returns the loss to accept in its import: a former history is one of other customers.
    """
    from features.import_history.accepted_losses import AcceptedLoss
    from features.sample_company.generate import generate_sample_company

    folder = context.workspace.company(context.company.name)
    with context.steps.step("simulate the sample company") as done:
        rows = generate_sample_company(
            folder / "raw", folder / "truth", customers, seed, done.progress
        )
        done(customers=customers, rows=sum(rows.values()))
    context.report_written(folder / "raw", folder / "truth")
    return AcceptedLoss(tuple(context.company.tables), "the sample company was simulated again")


def ensure_sample(context: CommandContext) -> None:
    """Make the sample company's tables if it is the chosen company and has none."""
    if context.company.name == "sample" and not (context.company.root(context.workspace)).exists():
        make_sample(context, customers=5000, seed=7)
