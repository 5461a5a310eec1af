"""One BentoML server with two workers, keys and the fake scorer, for the tests that need processes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from features.settings import Workspace
from serve.process.server import LaunchOptions, ServiceProcess, running_service
from serve.security.api_keys import KeyFile

PROJECT = Path(__file__).parents[2]
#: Calls in flight in one worker, above which more are refused.
IN_FLIGHT = 24


def fake_scorer_environment(loader: str = "load") -> dict[str, str]:
    """The settings with which a service loads a fake scorer."""
    return {
        "GOODWILL_SCORER": f"support.fake_scorer:{loader}",
        "PYTHONPATH": os.pathsep.join([str(PROJECT / "src"), str(PROJECT / "tests")]),
    }


@dataclass(frozen=True)
class LockedServer:
    """A running service that accepts calls with `secret`, its key file and its project folder."""

    process: ServiceProcess
    keys: KeyFile
    secret: str
    home: Path

    @property
    def url(self) -> str:
        return self.process.url

    @property
    def output(self) -> Path:
        assert self.process.output is not None
        return self.process.output

    def client(self) -> httpx.Client:
        headers = {"authorization": f"Bearer {self.secret}"}
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=30)


@contextmanager
def running_locked_server(home: Path) -> Iterator[LockedServer]:
    """Run the service of a new project during the block."""
    keys = KeyFile(home / "data" / "keys.json")
    secret = keys.add("crm", ["score", "read"], "testing")
    launch = LaunchOptions(
        home / "x.toml",
        Workspace(home),
        output=home / "service.log",
        environment={**fake_scorer_environment(), "GOODWILL_IN_FLIGHT": str(IN_FLIGHT)},
    )
    with running_service(launch) as process:
        yield LockedServer(process, keys, secret, home)
