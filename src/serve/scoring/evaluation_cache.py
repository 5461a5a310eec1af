"""The last evaluation of a company, as it is served: read when a file changed, kept while broken."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from features.errors import DataRefused
from insight.evaluation.evaluation_schema import CompanyEvaluation
from insight.evaluation.evaluation_files import EVALUATION_FILE, STATUS_FILE, read_evaluation
from serve.errors import NotReady, Problem
from serve.file_watcher import FileWatcher
from serve.scoring.status_table import StatusTable
from insight.evaluation.evaluation_schema import CustomerStatus

log = logging.getLogger("goodwill.evaluated")

Part = TypeVar("Part")


@dataclass(frozen=True)
class ServedEvaluation:
    """What was told of all customers, and where each stands; `missing` says why a part is not there.

    Standings may be of a later day: new scores move customers before all is evaluated again.
    """

    told: CompanyEvaluation | None = None
    standings: StatusTable | None = None
    missing: Mapping[str, str] = field(default_factory=dict)

    def need(self) -> CompanyEvaluation:
        """What was told of all. Raises NotReady with the reasons when there is no evaluation."""
        if self.told is None:
            problems = [Problem(part, why) for part, why in self.missing.items()]
            raise NotReady("the customers have not been evaluated yet", problems)
        return self.told

    def standing(self, customer_id: str) -> CustomerStatus:
        """Where a customer stands; nothing of one who came after the evaluation."""
        return self.standings.of(customer_id) if self.standings else CustomerStatus()


def date_mismatch_warnings(what: str, as_of: datetime, features: datetime) -> list[str]:
    """A warning where something evaluated is of another day than the features."""
    one, other = (moment.astimezone(UTC).date().isoformat() for moment in (as_of, features))
    if one == other:
        return []
    return [f"{what} as of {one}, the features are as of {other}; run `goodwill evaluate`"]


class EvaluationCache:
    """Follows the files of a company's evaluation; `now` is swapped whole."""

    def __init__(self, folder: Path, company: str) -> None:
        self._told = _Followed("evaluation", folder / EVALUATION_FILE, lambda: _read_told(folder, company))
        self._standings = _Followed(
            "standing", folder / STATUS_FILE, lambda: StatusTable.read(folder / STATUS_FILE)
        )
        self.now = ServedEvaluation()
        self.look()

    def look(self) -> dict[str, str]:
        """Read what changed; what became of each part: `loaded`, `kept` (the old one) or `failed`."""
        became = {**self._told.look(), **self._standings.look()}
        missing = {f.name: f.missing for f in (self._told, self._standings) if f.missing}
        self.now = ServedEvaluation(self._told.held, self._standings.held, missing)
        return became


class _Followed(Generic[Part]):
    """A file and what was read of it last."""

    def __init__(self, name: str, path: Path, read: Callable[[], Part | None]) -> None:
        self.name = name
        self.held: Part | None = None
        self.missing = f"no {path.name}; make it with `goodwill evaluate`"
        self._path, self._read = path, read
        self._watcher = FileWatcher([path])

    def look(self) -> dict[str, str]:
        """Read the file if it changed; one that is gone or broken leaves what was held."""
        if not self._watcher.changed():
            return {}
        found = None
        try:
            found = self._read() if self._path.exists() else None
        except DataRefused as refused:
            log.warning("%s", refused)
            self.missing = "" if self.held else str(refused)
        if found is not None:
            self.held, self.missing = found, ""
            return {self.name: "loaded"}
        return {self.name: "kept" if self.held else "failed"}


def _read_told(folder: Path, company: str) -> CompanyEvaluation | None:
    """Raises DataRefused for a file that is broken, or another company's."""
    told = read_evaluation(folder)
    if told is not None and told.company != company:
        raise DataRefused(f"{EVALUATION_FILE} is of {told.company}, and {company} is served")
    return told
