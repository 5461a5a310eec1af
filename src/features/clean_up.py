"""Remove what the commands generate, and keep what no retrain can make again."""

from collections.abc import Iterator
from pathlib import Path

from features.atomic_write import remove_path
from features.company_lock import company_lock
from features.result_sets import CURRENT, SERVING, SETS, staged_results
from features.settings import Workspace

#: Results that a retrain cannot make again, in the folder of a company's results: the reference scales
#: and groups that tiers and stars rest on, past tiers and scores, tuned hyperparameters.
KEPT_RESULTS = (
    "evaluation/reference_scales.json", "evaluation/groups.json", "evaluation/months", "scores/history",
    "tuned.json",
)  # fmt: skip
#: The folders of the sample company's tables: the only tables that a command makes.
SAMPLE_TABLES = ("raw", "truth")
#: In `mlruns/`: the audit log, the version numbers that are taken (the audit log names versions), locks.
KEPT_RUNS = ("README.md", "audit", "versions", SERVING, "locks")


def clean_up(workspace: Workspace, everything: bool = False) -> list[Path]:
    """Remove the results of all companies and the tracking store; returns what was kept.

    With `everything`, what a retrain cannot make again goes, too. Records (feedback, keys, audit log)
    and folders that no command made always stay. Raises AlreadyRunning while a command works on a
    company.
    """
    kept = [path for name in _companies(workspace) for path in _clean(workspace, name, everything)]
    for entry in workspace.mlruns.glob("*"):
        if entry.name not in KEPT_RUNS:
            remove_path(entry)
    serving = workspace.mlruns / SERVING
    if serving.is_dir() and not any(serving.iterdir()):
        serving.rmdir()
    return kept


def _companies(workspace: Workspace) -> Iterator[str]:
    """The companies that have results, in sets or from a version without them."""
    for folder in sorted(p for p in workspace.data.glob("*") if p.is_dir()):
        if (folder / SETS).is_dir() or (folder / "history").is_dir():
            yield folder.name


def _clean(workspace: Workspace, company: str, everything: bool) -> list[Path]:
    with company_lock(workspace, company), staged_results(workspace, company) as staged:
        folder = staged.company(company)
        patterns = () if everything else KEPT_RESULTS
        kept = {path for pattern in patterns for path in folder.glob(pattern)}
        _remove_others(folder, kept)
        left = any(folder.iterdir())
    home = workspace.data / company
    if company == "sample":  # only its tables are made by a command
        for name in SAMPLE_TABLES:
            remove_path(home / name)
    for path in (workspace.checkpoints(company), workspace.refused_rows(company)):
        remove_path(path)
    for old in (home / SETS).glob("*"):
        if old != (home / CURRENT).resolve():
            remove_path(old)
    if not left:
        for name in (SETS, CURRENT):
            remove_path(home / name)
        remove_path(workspace.serving(company))
        if not any(home.iterdir()):
            home.rmdir()
    return sorted(home / path.relative_to(folder) for path in kept)


def _remove_others(folder: Path, kept: set[Path]) -> None:
    """Remove everything below a folder but the kept files and folders."""
    for entry in folder.iterdir():
        if entry in kept:
            continue
        if entry.is_dir() and any(entry in path.parents for path in kept):
            _remove_others(entry, kept)
        else:
            remove_path(entry)
