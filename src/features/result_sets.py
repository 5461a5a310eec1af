"""A company's results as one set: made in a folder of its own and published as a whole.

    data/NAME/.results/000012/   history, features, serving (models), scores, evaluation, reports
    data/NAME/current            link to the published set: the one pointer that readers follow
    data/NAME/scores ...         links into `current`, so that each result keeps its path

A run works on a copy of the published set (hard links: results are only ever replaced, never written
in place) and publishes it by replacing one link. A reader that resolves the link once, see
`pin_results`, never sees the scores of one night with the tiers of another; a run that fails or is
killed leaves the published set as it was.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from features.atomic_write import remove_path, write_text_atomically
from features.company_lock import publication_lock
from features.settings import Workspace

SETS, CURRENT, SERVING = ".results", "current", "serving"
#: Published sets that stay on disk: the current one, and the former one for readers that still use it.
KEPT = 2
#: The results of versions that had no sets yet, and of copies that followed the links of a set; the
#: first run takes them over.
BEFORE_SETS = (
    "history", "features", "scores", "evaluation", "cards", "quarantine", "tuned.json", "outcomes.json",
    "data-quality.json", "data-quality.html", "leakage.json", "complaints.json", "nonresponse.json",
    "population.json", "ask_next.csv", "report.html", "report-details.html", "report.zh.html",
    "report-details.zh.html", "models.html",
)  # fmt: skip
#: Names of results in former versions; the first run gives them their names of today.
FORMER_NAMES = {
    "evaluation/yardsticks.json": "evaluation/reference_scales.json",
    "evaluation/standing.parquet": "evaluation/customer_status.parquet",
    "features/ledger.json": "features/row_audit.json",
    "features/tone.json": "features/comment_score_model.json",
    "history/ledger.json": "history/row_audit.json",
    "population.json": "nonresponse.json",
}
POINTER = "*/champion.json"


#: Makes a staged set's scores and what depends on them anew, for the targets that were rolled back.
AfterRollback = Callable[[Workspace, list[str]], None]


@contextmanager
def staged_results(
    workspace: Workspace, company: str, after_rollback: AfterRollback | None = None
) -> Iterator[Workspace]:
    """Yield a workspace whose results are a copy; it is published at the end of the block.

    When the block raises, nothing is published. Models that somebody rolled back meanwhile stay rolled
    back: the staged set takes them over and `after_rollback` is called, until nothing has changed. The
    caller holds the company's lock.
    """
    sets = _ResultSets(workspace, company)
    sets.recover()
    staged = sets.stage()
    before = sets.pointers()
    made = replace(workspace, results=staged)
    try:
        yield made
        while rolled_back := sets.publish_unless_rolled_back(staged, before):
            sets.take_over(rolled_back, staged)
            before |= rolled_back
            if after_rollback:
                after_rollback(made, sorted(path.parent.name for path in rolled_back))
    finally:
        remove_path(staged)


def pin_results(workspace: Workspace, company: str) -> Workspace:
    """Hold on to the set that is published now: what is read through it belongs together."""
    link = workspace.data / company / CURRENT
    return replace(workspace, results=link.resolve()) if link.is_symlink() else workspace


def published_path(path: Path) -> Path:
    """The path at which a staged file is found once it is published."""
    parts = path.parts
    if SETS not in parts:
        return path
    place = parts.index(SETS)
    return Path(*parts[:place], *parts[place + 2 :])


@dataclass(frozen=True)
class _ResultSets:
    """The sets of one company."""

    workspace: Workspace
    company: str

    @property
    def home(self) -> Path:
        return self.workspace.data / self.company

    @property
    def folder(self) -> Path:
        return self.home / SETS

    @property
    def link(self) -> Path:
        return self.home / CURRENT

    @property
    def live_serving(self) -> Path:
        return self.workspace.mlruns / SERVING / self.company

    def recover(self) -> None:
        """Finish a publication that was killed half way, and remove what killed runs left."""
        published = ""
        if self.link.exists() and not self.link.is_symlink():
            remove_path(self.link)  # a copy that followed the links: its results are at their paths
        if self.link.is_symlink():
            self._link_entries()
            published = self.link.resolve().name
        for found in self._sets():
            if found.name > published:  # renamed, and killed before the link was replaced
                remove_path(found)
        for left in self.folder.glob(".*"):
            remove_path(left)

    def stage(self) -> Path:
        """Make a copy of the published set to work on."""
        staged = self.folder / f".{self._next()}.new"
        staged.mkdir(parents=True)
        if self.link.is_symlink():
            _copy(self.link.resolve(), staged)
        else:
            for name in BEFORE_SETS:
                if (self.home / name).exists():
                    _copy(self.home / name, staged / name)
            if self.live_serving.is_dir():
                _copy(self.live_serving, staged / SERVING)
        _rename_former(staged)
        return staged

    def pointers(self) -> dict[Path, str]:
        """The champion pointers that are live now, by their path inside a set."""
        folder = self.live_serving
        return {p.relative_to(folder): p.read_text("utf-8") for p in folder.glob(POINTER)}

    def publish_unless_rolled_back(self, staged: Path, before: dict[Path, str]) -> dict[Path, str]:
        """Publish a staged set; or return the pointers that were changed since `before`, if any."""
        with publication_lock(self.workspace, self.company):
            changed = {p: text for p, text in self.pointers().items() if text != before.get(p)}
            if not changed:
                self.publish(staged)
        return changed

    def take_over(self, pointers: dict[Path, str], staged: Path) -> None:
        """Let the pointers of a staged set be these, and keep the versions that they may name."""
        for path, text in pointers.items():
            serves, place = self.live_serving / path.parent, staged / SERVING / path.parent
            place.mkdir(parents=True, exist_ok=True)
            for version in serves.iterdir():  # one that is too old may be gone from the staged set
                if not (place / version.name).exists():
                    _copy(version, place / version.name)
            write_text_atomically(place / path.name, text)

    def publish(self, staged: Path) -> None:
        """Make a staged set the current one; the replacement of the link is the moment it is public."""
        final = self.folder / self._next()
        staged.rename(final)
        new = self.home / f".{CURRENT}.new"
        remove_path(new)
        new.symlink_to(Path(SETS) / final.name)
        new.replace(self.link)
        _sync(self.home)
        self._link_entries()
        for old in self._sets()[:-KEPT]:
            remove_path(old)

    def _next(self) -> str:
        found = self._sets()
        return f"{int(found[-1].name) + 1 if found else 1:06d}"

    def _sets(self) -> list[Path]:
        """All complete sets, the oldest first."""
        return sorted(p for p in self.folder.glob("[0-9]*") if p.is_dir())

    def _link_entries(self) -> None:
        """Give each result of the current set its usual path, as a link through `current`."""
        current = self.link.resolve()
        for entry in current.iterdir():
            if entry.name != SERVING:
                _replace_by_link(self.home / entry.name, Path(CURRENT) / entry.name)
        for place in self.home.iterdir():  # a result that the current set does not have
            gone = place.is_symlink() and not place.exists() and place.name != CURRENT
            if gone or (place.name in BEFORE_SETS and not place.is_symlink()):
                remove_path(place)
        if (current / SERVING).is_dir():
            self.live_serving.parent.mkdir(parents=True, exist_ok=True)
            target = os.path.relpath(self.link / SERVING, self.live_serving.parent)
            _replace_by_link(self.live_serving, Path(target))
        else:
            remove_path(self.live_serving)


def _replace_by_link(place: Path, target: Path) -> None:
    """Put a link at a path, instead of the file or folder of a version without sets."""
    if place.is_symlink() and Path(os.readlink(place)) == target:
        return
    if not place.is_symlink():
        remove_path(place)
    new = place.with_name(f".{place.name}.link")
    remove_path(new)
    new.symlink_to(target)
    new.replace(place)


def _copy(source: Path, copy: Path) -> None:
    """Copy a file or a folder by hard links, without what a killed write has left."""
    if source.is_dir():
        shutil.copytree(
            source, copy, copy_function=_link, dirs_exist_ok=True,
            ignore=shutil.ignore_patterns(".*.new", ".*.former", "*.new", "*.before"),
        )  # fmt: skip
    else:
        _link(str(source), str(copy))


def _rename_former(folder: Path) -> None:
    """Give results of a former version their names of today."""
    for former, name in FORMER_NAMES.items():
        if (folder / former).exists() and not (folder / name).exists():
            (folder / former).rename(folder / name)


def _link(source: str, copy: str) -> None:
    try:
        os.link(source, copy)
    except OSError:  # a file system without hard links
        shutil.copy2(source, copy)


def _sync(folder: Path) -> None:
    """Write a folder's entries to disk, so that a power failure does not undo the publication."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
