"""What a verb of the command works with: the project, the company, and its steps."""

import os
from pathlib import Path

from features.company import Company, load_company
from features.progress import Steps
from features.settings import Workspace, find_workspace
from models.targets import check_names


class Run:
    """What a verb works with: workspace, company and its steps."""

    def __init__(self, toml: Path | None) -> None:
        self.workspace: Workspace = find_workspace()
        path = toml or self.workspace.data / "sample.toml"
        self.company: Company = load_company(path)
        check_names(self.company)
        self.steps = Steps(self.workspace.log(self.company.name))

    def wrote(self, *paths: Path) -> None:
        """Say what was written, relative to the project."""
        for path in paths:
            shown = os.path.relpath(path, self.workspace.home)
            self.steps.note(f"  wrote [bold]{shown}[/]")


def make_sample(run: Run, customers: int, seed: int) -> None:
    """Simulate the sample company into its raw and truth folders."""
    from features.simulate.company import simulate

    folder = run.workspace.company(run.company.name)
    with run.steps.step("simulate the sample company") as done:
        rows = simulate(folder / "raw", folder / "truth", customers, seed, done.progress)
        done(customers=customers, rows=sum(rows.values()))
    run.wrote(folder / "raw", folder / "truth")


def ensure_sample(run: Run) -> None:
    """Make the sample company's tables unless they are there, or another company is asked for."""
    if run.company.name == "sample" and not (run.company.root(run.workspace)).exists():
        make_sample(run, customers=5000, seed=7)
