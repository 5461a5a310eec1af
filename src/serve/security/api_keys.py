"""API keys: which client may do what for which company. Only hashes of the secrets are kept."""

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

#: What every secret begins with, so that a scanner finds one that was committed by mistake.
PREFIX = "gw_"


class Key(BaseModel):
    """One key of a client; `rate` is calls a second, None for the service's own limit."""

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
        """Not expired."""
        return self.expires is None or now < self.expires


_KEYS = TypeAdapter(tuple[Key, ...])


class KeyRing:
    """The keys of a service, looked up in a time that does not depend on which one matches."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self.keys = tuple(keys)
        self._digests = [(bytes.fromhex(key.sha256), key) for key in self.keys]

    def find_key(self, secret: bytes) -> Key | None:
        """The key with that secret unless it expired. Compares with every key there is."""
        asked = hashlib.sha256(secret).digest()
        found: Key | None = None
        for digest, key in self._digests:
            if hmac.compare_digest(digest, asked):
                found = key
        return found if found and found.is_valid(datetime.now(UTC)) else None


def read_keys(path: Path) -> tuple[Key, ...]:
    """The keys in a file. Raises ConfigRefused, without a value, when it is not a file of keys."""
    try:
        keys = _KEYS.validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigRefused(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ConfigRefused(
            f"{path} is not a file of keys: {where}: {first['msg']}; put the last good one back, or "
            "move it away and make new keys with `goodwill keys add`"
        ) from None
    if len({key.id for key in keys}) < len(keys):
        raise ConfigRefused(f"{path}: two keys have the same id; remove one of them")
    return keys


def write_keys(path: Path, keys: Sequence[Key]) -> None:
    """Replace the file of keys atomically; only its owner may read it."""
    content = json.dumps([key.model_dump(mode="json") for key in keys], indent=1)
    write_text_atomically(path, content + "\n", mode=0o600)


class KeyFile:
    """The file of keys as the command changes it: one change at a time, whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(path.with_name(f".{path.name}.lock"), mode=0o600)

    def read(self) -> tuple[Key, ...]:
        """Every key, also those that expired; none where there is no file."""
        return read_keys(self.path) if os.path.lexists(self.path) else ()

    def add(
        self,
        client: str,
        scopes: Sequence[str],
        company: str,
        days: float | None = None,
        rate: float | None = None,
    ) -> str:
        """A new key; its secret, which is nowhere else. Raises ConfigRefused for a taken name."""
        with self._lock:
            keys, now = self.read(), datetime.now(UTC)
            if any(key.client == client and key.is_valid(now) for key in keys):
                raise ConfigRefused(
                    f"client {client} has a key; `goodwill keys rotate {client}` makes the next one"
                )
            made, secret = _new_key(client, scopes, company, days, rate)
            write_keys(self.path, [*keys, made])
        return secret

    def rotate(self, client: str, overlap_days: float) -> str:
        """The next key of a client, like his newest; the former ones end after the overlap.

        Returns the secret. Raises ConfigRefused for a client without a working key.
        """
        with self._lock:
            keys, now = self.read(), datetime.now(UTC)
            newest = max(
                (key for key in keys if key.client == client and key.is_valid(now)),
                key=lambda key: key.created,
                default=None,
            )
            if newest is None:
                raise ConfigRefused(f"no working key of {client}; {_clients(keys)}")
            days = (newest.expires - newest.created) / timedelta(days=1) if newest.expires else None
            made, secret = _new_key(client, newest.scopes, newest.company, days, newest.rate)
            end = now + timedelta(days=overlap_days)
            write_keys(
                self.path, [*(_ended(k, end) if k.client == client else k for k in keys), made]
            )
        return secret

    def revoke(self, name: str) -> list[Key]:
        """Take away every key of a client, or the one with that id. Raises ConfigRefused for none."""
        with self._lock:
            keys = self.read()
            gone = [key for key in keys if name in (key.client, key.id)]
            if not gone:
                raise ConfigRefused(f"no client and no key is called {name}; {_clients(keys)}")
            write_keys(self.path, [key for key in keys if key not in gone])
        return gone


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
        raise ConfigRefused(f"{first['loc'][0]}: {first['msg']}; scopes are {SCOPES}") from None


def _ended(key: Key, end: datetime) -> Key:
    """A key that ends at `end` at the latest."""
    return key.model_copy(update={"expires": min(key.expires or end, end)})


def _clients(keys: Iterable[Key]) -> str:
    return "clients: " + (", ".join(sorted({key.client for key in keys})) or "none yet")
