"""Losses of rows that somebody accepted for one import, and the record of them."""

import getpass
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from features.atomic_write import append_line
from features.data_quality.finding import TableFinding
from features.errors import ConfigRefused
from features.import_history.loss_rules import Loss
from features.settings import Workspace

#: The fewest characters of a reason.
SHORTEST_REASON = 5


@dataclass(frozen=True)
class AcceptedLoss:
    """The tables whose loss of rows is accepted in one import, and why.

    Raises ConfigRefused for a reason that says nothing.
    """

    tables: tuple[str, ...]
    reason: str

    def __post_init__(self) -> None:
        if len(self.reason.strip()) < SHORTEST_REASON:
            raise ConfigRefused(
                f"the reason {self.reason!r} says too little; say in a few words why the rows may be "
                'missing, such as --reason "orders before 2024 were archived"'
            )

    @classmethod
    def from_options(
        cls, tables: Iterable[str], reason: str | None, known: Iterable[str]
    ) -> "AcceptedLoss | None":
        """The accepted loss of a command line, None without one.

        Raises ConfigRefused for half of it, and for a table that is not among the `known` ones.
        """
        names = tuple(dict.fromkeys(tables))
        if not names:
            if reason:
                raise ConfigRefused(
                    f"the reason {reason!r} belongs to no table; add --accept-loss TABLE"
                )
            return None
        check_table_names(names, known)
        return cls(names, reason or "")


def check_table_names(tables: Iterable[str], known: Iterable[str]) -> None:
    """Raise ConfigRefused for a table whose loss is accepted but that the company does not have."""
    names = sorted(known)
    for table in tables:
        if table not in names:
            raise ConfigRefused(
                f"--accept-loss {table}: the company has no such table; it has {', '.join(names)}"
            )


def record_accepted_losses(
    workspace: Workspace, company: str, accepted: AcceptedLoss, losses: list[Loss]
) -> None:
    """Append the losses to the company's record, synced to disk: who accepted what, when and why."""
    path = workspace.accepted_losses(company)
    path.parent.mkdir(parents=True, exist_ok=True)
    append_line(path, json.dumps(_entry(accepted, losses), ensure_ascii=False))


def _entry(accepted: AcceptedLoss, losses: list[Loss]) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "who": _user(),
        "reason": accepted.reason.strip(),
        "losses": [
            {"table": loss.table, "kind": loss.kind, "what": loss.what, "before": loss.before,
             "now": loss.now, "says": str(loss)}
            for loss in losses
        ],
    }  # fmt: skip


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()}"


def accepted_findings(accepted: AcceptedLoss, losses: list[Loss]) -> list[TableFinding]:
    """The accepted losses as findings of the data quality report."""
    return [
        TableFinding(
            loss.table, "", "empty source" if loss.what == "empty source" else "accepted loss",
            "warning", loss.rows, loss.before,
            f"{loss}; accepted: {accepted.reason.strip()}",
            "deliver the rows if they turn up; the loss was accepted for this import only",
        )
        for loss in losses
    ]  # fmt: skip
