"""Feedback from the CRM: outcomes and campaign contacts, each stored once, until an import reads them.

Each call is stored in a file named by its idempotency key, so that a repeated call (a retry of the
client, two workers at once) finds the first. Keys belong to the company, not to a client: the file
of a retry is found also after the client was given another name or its first key.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from features.atomic_write import create_text_once
from features.errors import GoodwillError

#: The columns of a feedback row, from the contract's events; `known_at` is when it was received.
COLUMNS = ("customer_id", "occurred_at", "kind", "amount", "quantity", "channel", "category")
#: The format of a stored call; format 1, without this number, has no client and no request id.
FORMAT = 2
#: A call is read by the nightly import, whose user may be another one of the same group, and by nobody
#: else: it says what a customer bought.
MODE = 0o640
#: The ends of the names of stored calls and of their withdrawals.
CALL, WITHDRAWN = ".json", ".withdrawn"


class IdempotencyConflict(GoodwillError):
    """An idempotency key was used again with different content."""


@dataclass(frozen=True)
class Feedback:
    """One call of the CRM: its key, and events by the columns of the contract, times in ISO 8601.

    `client` is the name of the API key's client, empty for a call without a key. A retry may come
    with another client and request id: they are no part of its content.
    """

    key: str
    events: Sequence[Mapping[str, Any]]
    client: str = field(default="", compare=False)
    request_id: str = field(default="", compare=False)


@dataclass(frozen=True)
class StoredFeedback:
    """A stored call: how many events, when it was received, and whether it is a repetition."""

    events: int
    received_at: datetime
    repeated: bool


def store_feedback(folder: Path, feedback: Feedback) -> StoredFeedback:
    """Store one call exactly once, or return the first if it is repeated; safe with several processes.

    Raises IdempotencyConflict when the key was used with different content, OSError when the call
    cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / f"{hashlib.sha256(feedback.key.encode()).hexdigest()[:40]}{CALL}"
    content = [{c: event.get(c) for c in COLUMNS} for event in feedback.events]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    now = datetime.now(UTC)
    record = {
        "format": FORMAT,
        "received_at": now.isoformat(),
        "client": feedback.client,
        "request_id": feedback.request_id,
        "sha256": digest,
        "events": content,
    }
    if final.exists() or not create_text_once(final, json.dumps(record, ensure_ascii=False), MODE):
        return _read_stored(final, digest)
    return StoredFeedback(len(content), now, repeated=False)


def _read_stored(path: Path, digest: str) -> StoredFeedback:
    record = json.loads(path.read_text(encoding="utf-8"))
    if record["sha256"] != digest:
        raise IdempotencyConflict(
            "this idempotency key was used before with different content; choose a new key"
        )
    received = datetime.fromisoformat(record["received_at"])
    return StoredFeedback(len(record["events"]), received, repeated=True)


def feedback_files(folder: Path) -> list[Path]:
    """The files of all stored calls, in the order of their names."""
    return sorted(folder.glob(f"*{CALL}"))


def feedback_digest(folder: Path) -> str:
    """A hash that changes with every new call and withdrawal; empty without calls.

    Stored files never change, so that their names are enough.
    """
    names = [path.name for path in feedback_files(folder)]
    names += sorted(path.name for path in folder.glob(f"*{WITHDRAWN}"))
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16] if names else ""
