"""Who is let in: keys, what they are for, whose they are, how often, and how many at once."""

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
    """Stands before every operation that has a scope; the others are open to everybody.

    Without `watch` or a file of keys nobody needs a key, but only this machine is answered.
    """

    def __init__(
        self,
        watch: KeyFileWatcher | None = None,
        throttle: RateLimiter | None = None,
        rate: float = 500.0,
        in_flight: int = 64,
    ) -> None:
        self._watch = watch
        self._throttle = throttle or RateLimiter()
        self._rate = rate
        self.concurrency = ConcurrencyLimit(in_flight)

    @classmethod
    def from_environment(cls, workspace: Workspace) -> "Authenticator":
        """As the environment has it; a rate is shared between the workers."""
        settings = Settings()
        watch = KeyFileWatcher(key_file_path(workspace), wanted=keys_required(workspace))
        throttle = RateLimiter(1.0 / settings.workers)
        return cls(watch, throttle, settings.rate, settings.in_flight)

    @property
    def keys_required(self) -> bool:
        """Whether a key is needed now."""
        return self._watch is not None and self._watch.current_keys() is not None

    async def authorize(self, need: str, call: Call, scope: Scope, loader: ScorerLoader) -> None:
        """Return for a call that may be answered, with its client in the log.

        Raises NoKey, Forbidden or TooMany. Whose key it is can be told once the company is loaded:
        until then NotReady is raised.
        """
        await asyncio.sleep(0)  # calls that came together are all counted before one is worked on
        key = self.authenticate(scope)
        if key is None:
            return
        call.client = key.client
        call.facts["client"] = key.client
        if need not in key.scopes:
            raise Forbidden(f"this key is not for scope {need}")
        self._throttle.take(key.client, key.rate or self._rate)
        await loader.wait_for_first_load()
        if loader.loaded_scorer().company != key.company:
            raise Forbidden("this key is for another company's service")

    def authenticate(self, scope: Scope) -> Key | None:
        """The key a call came with; None while nobody needs one. Raises NoKey or Forbidden."""
        ring = self._watch.current_keys() if self._watch else None
        if ring is None:
            if not _from_here(scope):
                raise Forbidden("a service without API keys answers its own machine only")
            return None
        key = ring.find_key(_secret(scope))
        if key is None:
            raise NoKey("send a key that works: `Authorization: Bearer gw_...`")
        return key


def _secret(scope: Scope) -> bytes:
    """What a call sent as its key; nothing when it sent none, or two."""
    sent = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(sent) != 1 or sent[0][: len(_BEARER)].lower() != _BEARER:
        return b""
    return bytes(sent[0][len(_BEARER) :].strip())


def _from_here(scope: Scope) -> bool:
    client = scope.get("client")
    if not client or client[0] == "127.0.0.1":  # no address: a socket in the file system
        return True
    try:
        return ip_address(client[0]).is_loopback
    except ValueError:
        return False
