"""The audit log: one line per scoring call, from which any score can be reproduced.

Lines name no customer: ids and request bodies are stored as HMAC-SHA256 under the company's secret.
Each line is appended with a single write, so that the lines of workers do not mix.
"""

import hmac
import json
import logging
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pydantic_core import to_json

from features.settings import Workspace

log = logging.getLogger("goodwill.audit")

#: Half of an HMAC-SHA256 in hexadecimal: 128 bits are enough to be unique.
PSEUDONYM_LENGTH = 32


class Caller(NamedTuple):
    """The request id, client and operation of a call."""

    request_id: str
    client: str
    operation: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One scoring call: caller, customers, model versions, features and time.

    `as_of` is the cutoff of the features, `fingerprint` the one of their history; empty when rows
    were sent along: then `digest` is the pseudonym of the request body.
    """

    request_id: str
    client: str
    operation: str
    customers: list[str]
    as_of: str
    versions: dict[str, str]
    fingerprint: str = ""
    digest: str = ""
    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))


class AuditLog:
    """The audit log of one company: one file per day in `mlruns/audit/<company>/`."""

    def __init__(self, workspace: Workspace, company: str, required: bool = False) -> None:
        self.folder = workspace.mlruns / "audit" / company
        self.required = required
        self._secret_file = workspace.company(company) / "audit.key"
        self._keyed: hmac.HMAC | None = None

    def pseudonym(self, text: str | bytes) -> str:
        """Return the pseudonym of a customer id or a request body. Raises OSError."""
        content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        return self._hashed([content])[0]

    def pseudonyms(self, ids: Iterable[str]) -> list[str]:
        """Return the pseudonym of each id. Raises OSError."""
        return self._hashed([customer.encode("utf-8", "surrogatepass") for customer in ids])

    def _hashed(self, contents: Iterable[bytes]) -> list[str]:
        if self._keyed is None:
            self._keyed = hmac.new(read_or_create_secret(self._secret_file), digestmod="sha256")
        begin, found = self._keyed.copy, []  # a copy takes half the time of a new one
        for content in contents:
            keyed = begin()
            keyed.update(content)
            found.append(keyed.hexdigest()[:PSEUDONYM_LENGTH])
        return found

    def write(self, line: AuditEntry) -> None:
        """Append a line to the file of its day. Raises OSError."""
        content = to_json(line) + b"\n"
        handle = self._open(f"{self.folder}/{line.time[:10]}.jsonl")
        try:
            if os.write(handle, content) < len(content):
                raise OSError("the line was written only in part")
        finally:
            os.close(handle)

    def _open(self, path: str) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        try:
            return os.open(path, flags, 0o600)
        except FileNotFoundError:  # the first line
            self.folder.mkdir(parents=True, exist_ok=True)
            return os.open(path, flags, 0o600)

    def record(
        self,
        caller: Caller,
        ids: Iterable[str],
        as_of: datetime,
        versions: dict[str, str],
        fingerprint: str = "",
        body: bytes = b"",
    ) -> bool:
        """Write one scoring; return whether that worked. A failure is logged."""
        try:
            digest = self.pseudonym(body) if body else ""
            customers, moment = self.pseudonyms(ids), as_of.isoformat()
            self.write(AuditEntry(*caller, customers, moment, versions, fingerprint, digest))
        except OSError as error:
            log.error(
                "audit log: call %s not written: %s", caller.request_id, error.strerror or error
            )
            return False
        return True

    def lines(self) -> Iterator[AuditEntry]:
        """Yield all lines, oldest first; a line that a crash cut off is skipped."""
        for file in sorted(self.folder.glob("*.jsonl")):
            with file.open("rb") as content:
                for raw in content:
                    try:
                        yield AuditEntry(**json.loads(raw))
                    except (ValueError, TypeError):
                        log.warning("%s has an incomplete line", file)


def read_or_create_secret(path: Path) -> bytes:
    """Return the secret for a company's pseudonyms; create it if needed, readable by its owner."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        own = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        handle = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
        try:
            os.link(own, path)  # fails when another worker was first
        except FileExistsError:
            pass
        finally:
            own.unlink()
    return path.read_bytes()
