"""Who is let in: keys, what they are for, whose they are, how often, and how many at once."""

import asyncio
from ipaddress import ip_address

from starlette.types import Scope

from features.settings import Settings, Workspace
from serve.errors import Forbidden, NoKey
from serve.http.middleware import Call
from serve.scoring.reload_loop import Upkeep
from serve.security.api_keys import Key
from serve.security.key_file_watcher import KeyWatch, key_path, keys_wanted
from serve.security.rate_limit import Places, Throttle

_BEARER = b"bearer "


class Gatekeeper:
    """Stands before every operation that has a scope; the others are open to everybody.

    Without `watch` or a file of keys nobody needs a key, but only this machine is answered.
    """

    def __init__(
        self,
        watch: KeyWatch | None = None,
        throttle: Throttle | None = None,
        rate: float = 500.0,
        in_flight: int = 64,
    ) -> None:
        self._watch = watch
        self._throttle = throttle or Throttle()
        self._rate = rate
        self.places = Places(in_flight)

    @classmethod
    def of(cls, workspace: Workspace) -> "Gatekeeper":
        """As the environment has it; a rate is shared between the workers."""
        settings = Settings()
        watch = KeyWatch(key_path(workspace), wanted=keys_wanted(workspace))
        throttle = Throttle(1.0 / settings.workers)
        return cls(watch, throttle, settings.rate, settings.in_flight)

    @property
    def locked(self) -> bool:
        """Whether a key is needed now."""
        return self._watch is not None and self._watch.ring() is not None

    async def let_in(self, need: str, call: Call, scope: Scope, upkeep: Upkeep) -> None:
        """Return for a call that may be answered, with its client in the log.

        Raises NoKey, Forbidden or TooMany. Whose key it is can be told once the company is loaded:
        until then NotReady is raised.
        """
        await asyncio.sleep(0)  # calls that came together are all counted before one is worked on
        key = self.key_of(scope)
        if key is None:
            return
        call.client = key.client
        call.facts["client"] = key.client
        if need not in key.scopes:
            raise Forbidden(f"this key is not for scope {need}")
        self._throttle.take(key.client, key.rate or self._rate)
        await upkeep.first_load()
        if upkeep.present().company != key.company:
            raise Forbidden("this key is for another company's service")

    def key_of(self, scope: Scope) -> Key | None:
        """The key a call came with; None while nobody needs one. Raises NoKey or Forbidden."""
        ring = self._watch.ring() if self._watch else None
        if ring is None:
            if not _from_here(scope):
                raise Forbidden("a service without API keys answers its own machine only")
            return None
        key = ring.holder(_secret(scope))
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
