"""API keys with client, scopes and company. Only hashes of the secrets are stored."""

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from filelock import FileLock
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from features.atomic_write import write_text_atomically
from features.errors import ConfigRefused

SCOPES = ("score", "read", "feedback", "operate")
Scope = Literal["score", "read", "feedback", "operate"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]

#: Prefix of each secret, so that scanners find one that was committed by mistake.
PREFIX = "gw_"


class Key(BaseModel):
    """A key of a client; `rate` is its limit in calls per second, None for the default."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    id: Annotated[str, Field(pattern="^[0-9a-f]{8}$")]
    client: Name
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)]
    company: str
    created: AwareDatetime
    expires: AwareDatetime | None = None
    rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None

    def is_valid(self, now: datetime) -> bool:
        """Return whether the key has not expired."""
        return self.expires is None or now < self.expires


_KEYS = TypeAdapter(tuple[Key, ...])


class KeyRing:
    """The keys of a service; a lookup takes the same time whichever key matches."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self.keys = tuple(keys)
        self._digests = [(bytes.fromhex(key.sha256), key) for key in self.keys]

    def find_key(self, secret: bytes) -> Key | None:
        """Return the valid key with this secret. Compares with all keys, for constant time."""
        sent = hashlib.sha256(secret).digest()
        found: Key | None = None
        for digest, key in self._digests:
            if hmac.compare_digest(digest, sent):
                found = key
        return found if found and found.is_valid(datetime.now(UTC)) else None


def read_keys(path: Path) -> tuple[Key, ...]:
    """Read a key file. Raises ConfigRefused, without values, when it is not valid."""
    try:
        keys = _KEYS.validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigRefused(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ConfigRefused(
            f"{path} is not a valid key file: {where}: {first['msg']}; restore the last good one, or "
            "move it away and create new keys with `goodwill keys add`"
        ) from None
    if len({key.id for key in keys}) < len(keys):
        raise ConfigRefused(f"{path}: two keys have the same id; remove one of them")
    return keys


def write_keys(path: Path, keys: Sequence[Key]) -> None:
    """Replace the key file atomically; only its owner may read it."""
    content = json.dumps([key.model_dump(mode="json") for key in keys], indent=1)
    write_text_atomically(path, content + "\n", mode=0o600)


class KeyFile:
    """The key file as `goodwill keys` changes it: one atomic change at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(path.with_name(f".{path.name}.lock"), mode=0o600)

    def read(self) -> tuple[Key, ...]:
        """Return all keys, expired ones included; empty without a file."""
        return read_keys(self.path) if os.path.lexists(self.path) else ()

    def add(
        self,
        client: str,
        scopes: Sequence[str],
        company: str,
        days: float | None = None,
        rate: float | None = None,
    ) -> str:
        """Add a key; return its secret, which is not stored. Raises ConfigRefused for a used name."""
        with self._lock:
            keys, now = self.read(), datetime.now(UTC)
            if any(key.client == client and key.is_valid(now) for key in keys):
                raise ConfigRefused(
                    f"client {client} has a key; `goodwill keys rotate {client}` creates the next one"
                )
            made, secret = _new_key(client, scopes, company, days, rate)
            write_keys(self.path, [*keys, made])
        return secret

    def rotate(self, client: str, overlap_days: float) -> str:
        """Add a key like the newest of a client; the old ones expire after the overlap.

        Returns the secret. Raises ConfigRefused for a client without a valid key.
        """
        with self._lock:
            keys, now = self.read(), datetime.now(UTC)
            newest = max(
                (key for key in keys if key.client == client and key.is_valid(now)),
                key=lambda key: key.created,
                default=None,
            )
            if newest is None:
                raise ConfigRefused(f"client {client} has no valid key; {_clients(keys)}")
            days = (newest.expires - newest.created) / timedelta(days=1) if newest.expires else None
            made, secret = _new_key(client, newest.scopes, newest.company, days, newest.rate)
            end = now + timedelta(days=overlap_days)
            write_keys(
                self.path, [*(_expire(k, end) if k.client == client else k for k in keys), made]
            )
        return secret

    def revoke(self, name: str) -> list[Key]:
        """Remove all keys of a client, or the key with this id. Raises ConfigRefused for none."""
        with self._lock:
            keys = self.read()
            revoked = [key for key in keys if name in (key.client, key.id)]
            if not revoked:
                raise ConfigRefused(f"no client or key id {name}; {_clients(keys)}")
            write_keys(self.path, [key for key in keys if key not in revoked])
        return revoked


def _new_key(
    client: str, scopes: Sequence[str], company: str, days: float | None, rate: float | None
) -> tuple[Key, str]:
    secret = PREFIX + secrets.token_urlsafe(32)
    now = datetime.now(UTC)
    content = {
        "id": secrets.token_hex(4),
        "client": client,
        "sha256": hashlib.sha256(secret.encode()).hexdigest(),
        "scopes": tuple(dict.fromkeys(scopes)),
        "company": company,
        "created": now,
        "expires": now + timedelta(days=days) if days is not None else None,
        "rate": rate,
    }
    try:
        return Key.model_validate(content), secret
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ConfigRefused(
            f"{first['loc'][0]}: {first['msg']}; valid scopes are {SCOPES}"
        ) from None


def _expire(key: Key, end: datetime) -> Key:
    """Return the key with an expiry of `end` at the latest."""
    return key.model_copy(update={"expires": min(key.expires or end, end)})


def _clients(keys: Iterable[Key]) -> str:
    return "clients: " + (", ".join(sorted({key.client for key in keys})) or "none yet")
