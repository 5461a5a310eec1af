"""Stored feedback calls as they are read back, and their withdrawals.

A withdrawal is a file next to the call: nothing that the CRM sent is ever deleted.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from features.atomic_write import create_text_once
from features.errors import DataRefused
from features.ingest.feedback import FORMAT, WITHDRAWN, feedback_files

#: The length of the id that is shown; longer where two calls have it in common.
SHORT_ID = 8
LONGEST_REASON = 500


@dataclass(frozen=True)
class Withdrawal:
    """Who withdrew a call, when and why."""

    withdrawn_at: datetime
    by: str
    reason: str


@dataclass(frozen=True)
class FeedbackCall:
    """A stored call of the CRM: its id (the name of its file), where it came from, and its events.

    `client` and `request_id` are empty where they were not recorded.
    """

    id: str
    received_at: datetime
    client: str
    request_id: str
    events: Sequence[Mapping[str, Any]]
    withdrawal: Withdrawal | None = None

    @property
    def short_id(self) -> str:
        """The first characters of the id."""
        return self.id[:SHORT_ID]


def read_calls(folder: Path) -> list[FeedbackCall]:
    """Read all stored calls, in the order of their ids; raises DataRefused for an unreadable file."""
    return [_read_call(path) for path in feedback_files(folder)]


def _read_call(path: Path) -> FeedbackCall:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if (written := record.get("format", 1)) > FORMAT:
            raise DataRefused(
                f"{path} has format {written}, this version of goodwill reads up to {FORMAT}; "
                "install the version that wrote it"
            )
        return FeedbackCall(
            id=path.stem,
            received_at=datetime.fromisoformat(record["received_at"]),
            client=record.get("client", ""),
            request_id=record.get("request_id", ""),
            events=record["events"],
            withdrawal=_read_withdrawal(path.with_suffix(WITHDRAWN)),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise DataRefused(
            f"the feedback {path} cannot be read ({err}); restore it from a backup, or move it elsewhere"
        ) from None


def _read_withdrawal(path: Path) -> Withdrawal | None:
    if not path.is_file():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    moment = datetime.fromisoformat(record["withdrawn_at"])
    return Withdrawal(moment, record["by"], record["reason"])


def find_call(folder: Path, call_id: str) -> FeedbackCall:
    """The call whose id begins with `call_id`; raises DataRefused for none, and for several."""
    found = [path for path in feedback_files(folder) if call_id and path.stem.startswith(call_id)]
    if not found:
        raise DataRefused(
            f"no feedback call with the id {call_id!r} among {len(feedback_files(folder)):,}; "
            "`goodwill feedback list` shows the ids"
        )
    if len(found) > 1:
        ids = ", ".join(path.stem[: len(call_id) + SHORT_ID] for path in found[:3])
        raise DataRefused(
            f"{len(found)} feedback calls begin with {call_id!r}, such as {ids}; give more of the id"
        )
    return _read_call(found[0])


def withdraw_call(folder: Path, call_id: str, reason: str, by: str) -> FeedbackCall:
    """Withdraw a call: the next import leaves its events out. Returns the call with its withdrawal.

    Raises DataRefused for an unknown or ambiguous id, a call that was withdrawn before, and an empty
    reason.
    """
    why = " ".join(reason.split())
    if not 1 <= len(why) <= LONGEST_REASON:
        raise DataRefused(
            f"a reason of {len(why)} characters; say why in 1 to {LONGEST_REASON} characters"
        )
    call = find_call(folder, call_id)
    made = Withdrawal(datetime.now(UTC), by, why)
    record = {"withdrawn_at": made.withdrawn_at.isoformat(), "by": made.by, "reason": made.reason}
    path = folder / f"{call.id}{WITHDRAWN}"  # readable by the user of the nightly import, too
    if not create_text_once(path, json.dumps(record, ensure_ascii=False), 0o644):
        first = _read_withdrawal(path) or made
        raise DataRefused(
            f"call {call.short_id} was withdrawn before: {first.withdrawn_at:%Y-%m-%d %H:%M} UTC by "
            f"{first.by}, {first.reason!r}; nothing is left to withdraw"
        )
    return replace(call, withdrawal=made)
