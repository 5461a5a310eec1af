"""Last evaluation of a company in memory: reread when a file changes, kept if the new one is broken."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from features.errors import DataRefused
from insight.evaluation.evaluation_files import EVALUATION_FILE, STATUS_FILE, read_evaluation
from insight.evaluation.evaluation_schema import CompanyEvaluation, CustomerStatus
from serve.errors import NotReady, Problem
from serve.file_watcher import FileStamp, FileWatcher
from serve.scoring.status_table import StatusTable

log = logging.getLogger("goodwill.evaluated")

Part = TypeVar("Part")


@dataclass(frozen=True)
class ServedEvaluation:
    """The evaluation and the status of every customer; `missing` gives the reason for a missing part.

    The status may be of a later day, because new scores update it before the next evaluation.
    """

    evaluation: CompanyEvaluation | None = None
    statuses: StatusTable | None = None
    missing: Mapping[str, str] = field(default_factory=dict)

    def require(self) -> CompanyEvaluation:
        """Return the evaluation. Raises NotReady with the reasons if there is none."""
        if self.evaluation is None:
            problems = [Problem(part, why) for part, why in self.missing.items()]
            raise NotReady("the customers have not been evaluated yet", problems)
        return self.evaluation

    def status(self, customer_id: str) -> CustomerStatus:
        """Return the status of a customer; an empty one for a customer the evaluation does not know."""
        return self.statuses.of(customer_id) if self.statuses else CustomerStatus()


def date_mismatch_warnings(
    what: str, as_of: datetime, features: datetime, remedy: str = "goodwill evaluate"
) -> list[str]:
    """Return a warning if a result and the features are of different days (in UTC)."""
    one, other = (moment.astimezone(UTC).date().isoformat() for moment in (as_of, features))
    if one == other:
        return []
    return [f"{what} as of {one}, the features are as of {other}; run `{remedy}`"]


class EvaluationCache:
    """Caches the files of a company's evaluation."""

    def __init__(self, company: str) -> None:
        self._evaluation = _CachedFile[CompanyEvaluation](
            "evaluation", EVALUATION_FILE, lambda path: _read_evaluation(path.parent, company)
        )
        self._statuses = _CachedFile[StatusTable]("standing", STATUS_FILE, StatusTable.read)

    @property
    def current(self) -> ServedEvaluation:
        """The evaluation as it was read last."""
        files = (self._evaluation, self._statuses)
        missing = {file.name: file.missing for file in files if file.missing}
        return ServedEvaluation(self._evaluation.content, self._statuses.content, missing)

    def refresh(self, folder: Path) -> dict[str, str]:
        """Read changed files of a folder; return by part `loaded`, `kept` (the old one) or `failed`."""
        return {**self._evaluation.refresh(folder), **self._statuses.refresh(folder)}


class _CachedFile(Generic[Part]):
    """A file with its last readable content."""

    def __init__(self, name: str, file: str, read: Callable[[Path], Part | None]) -> None:
        self.name = name
        self.content: Part | None = None
        self.missing = ""
        self._file, self._read = file, read
        self._stamp: FileStamp | None = (0,)

    def refresh(self, folder: Path) -> dict[str, str]:
        """Read the file if it changed; keep the content of a broken file, drop that of a missing one.

        A night without an evaluation publishes no file: its scores must not be seen with old tiers.
        """
        path = folder / self._file
        (stamp,) = FileWatcher([path]).stamps()
        if stamp == self._stamp:
            return {}
        had, self._stamp = self.content is not None, stamp
        if stamp is None:
            self.content = None
            self.missing = f"no {self._file}; make it with `goodwill evaluate`"
            return {self.name: "failed"} if had else {}
        try:
            found = self._read(path)
        except DataRefused as refused:
            log.warning("%s", refused)
            self.missing = "" if self.content else str(refused)
            return {self.name: "kept" if self.content else "failed"}
        self.content, self.missing = found, ""
        return {self.name: "loaded"}


def _read_evaluation(folder: Path, company: str) -> CompanyEvaluation | None:
    """Raises DataRefused for a broken file, and for the file of another company."""
    evaluation = read_evaluation(folder)
    if evaluation is not None and evaluation.company != company:
        raise DataRefused(
            f"{EVALUATION_FILE} belongs to {evaluation.company}, but {company} is served; check the "
            "company file"
        )
    return evaluation
