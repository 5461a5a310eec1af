"""The call list of a company in memory: made anew when scores, snapshot or status change."""

import logging
from collections.abc import Mapping, Sequence
from operator import is_
from pathlib import Path
from typing import Any

from models.scoring.score_history import earlier_scores, history_folder
from serve.file_watcher import FileStamp, FileWatcher
from serve.scoring.call_table import CallTable, StoredScores, build_call_table
from serve.scoring.snapshot import Snapshot
from serve.scoring.status_table import StatusTable

log = logging.getLogger("goodwill.calls")


class CallTableCache:
    """Caches the call list; the last good one stays where a new scores file cannot be read."""

    def __init__(self) -> None:
        self.current: CallTable | None = None
        self._stamp: FileStamp | None = (0,)
        self._made_of: tuple[object, ...] = (None, None, None)

    def refresh(
        self,
        scores: Path,
        snapshot: Snapshot | None,
        statuses: StatusTable | None,
        bounds: Sequence[Mapping[str, Any]] | None,
    ) -> CallTable | None:
        """Return the call list of a scores file; None without one."""
        (stamp,) = FileWatcher([scores]).stamps()
        if stamp == self._stamp and all(map(is_, self._made_of, (snapshot, statuses, bounds))):
            return self.current
        self._stamp, self._made_of = stamp, (snapshot, statuses, bounds)
        if stamp is None:
            self.current = None
            return None
        try:
            stored = StoredScores.read(scores)
            earlier = earlier_scores(history_folder(scores), stored.as_of)
            self.current = build_call_table(stored, snapshot, statuses, earlier, bounds)
        except (OSError, ValueError, KeyError, IndexError) as error:  # pyarrow's own are among them
            log.warning("the call list cannot be made from the scores: %s", type(error).__name__)
        return self.current
