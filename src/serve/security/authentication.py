"""Access control: API keys with scope and company, rate limits and the concurrency limit."""

import asyncio
from ipaddress import ip_address

from starlette.types import Scope

from features.settings import Settings, Workspace
from serve.errors import Forbidden, NoKey
from serve.http.middleware import Call
from serve.scoring.reload_loop import ScorerLoader
from serve.security.api_keys import Key
from serve.security.key_file_watcher import KeyFileWatcher, key_file_path, keys_required
from serve.security.rate_limit import ConcurrencyLimit, RateLimiter

_BEARER = b"bearer "


class Authenticator:
    """Checks calls of the operations that have a scope; the others need no key.

    Without `key_file`, or while there is no key file, no key is needed, but only calls from this
    machine are answered.
    """

    def __init__(
        self,
        key_file: KeyFileWatcher | None = None,
        rate_limiter: RateLimiter | None = None,
        rate: float = 500.0,
        in_flight: int = 64,
    ) -> None:
        self._key_file = key_file
        self._rate_limiter = rate_limiter or RateLimiter()
        self._rate = rate
        self.concurrency = ConcurrencyLimit(in_flight)

    @classmethod
    def from_environment(cls, workspace: Workspace) -> "Authenticator":
        """Build it from the settings; a rate limit is divided between the workers."""
        settings = Settings()
        key_file = KeyFileWatcher(key_file_path(workspace), required=keys_required(workspace))
        rate_limiter = RateLimiter(1.0 / settings.workers)
        return cls(key_file, rate_limiter, settings.rate, settings.in_flight)

    @property
    def keys_required(self) -> bool:
        """Whether calls need a key now."""
        return self._key_file is not None and self._key_file.current_keys() is not None

    async def authorize(
        self, scope_name: str, call: Call, scope: Scope, loader: ScorerLoader
    ) -> None:
        """Check that a call has a key for this scope and company, and record its client for the log.

        Raises NoKey, Forbidden or TooMany, and NotReady until the company is loaded.
        """
        await asyncio.sleep(0)  # count all simultaneous calls before working on the first
        key = self.authenticate(scope)
        if key is None:
            return
        call.client = key.client
        call.facts["client"] = key.client
        if scope_name not in key.scopes:
            raise Forbidden(f"this key does not have scope {scope_name}")
        self._rate_limiter.take(key.client, key.rate or self._rate)
        await loader.wait_for_first_load()
        if loader.loaded_scorer().company != key.company:
            raise Forbidden("this key belongs to another company")

    def authenticate(self, scope: Scope) -> Key | None:
        """Return the key of a call; None while no key is needed. Raises NoKey or Forbidden."""
        keys = self._key_file.current_keys() if self._key_file else None
        if keys is None:
            if not _from_this_machine(scope):
                raise Forbidden(
                    "a service without API keys answers only calls from its own machine"
                )
            return None
        key = keys.find_key(_secret(scope))
        if key is None:
            raise NoKey("send a valid API key: `Authorization: Bearer gw_...`")
        return key


def _secret(scope: Scope) -> bytes:
    """Return the secret of a call; empty when there is none, or more than one."""
    sent = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(sent) != 1 or sent[0][: len(_BEARER)].lower() != _BEARER:
        return b""
    return bytes(sent[0][len(_BEARER) :].strip())


def _from_this_machine(scope: Scope) -> bool:
    client = scope.get("client")
    if not client or client[0] == "127.0.0.1":  # no address: a Unix socket
        return True
    try:
        return ip_address(client[0]).is_loopback
    except ValueError:
        return False
