"""Fixtures for tests of the service: a service in this process with a fake scorer."""

from collections.abc import Iterator
from typing import Any

import pytest

from serve.app import build_app
from serve.scoring.reload_loop import ScorerLoader
from support.fake_scorer import FakeScorer
from support.http_server import running_app
from support.locked_server import LockedServer, running_locked_server
from support.service_in_process import Service, error_of


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture(scope="module")
def shared_service() -> Service:
    """For property tests, which share one service between examples."""
    return Service()


@pytest.fixture(scope="session")
def http_url() -> Iterator[str]:
    """The address of one server with a fake scorer, for all tests that need only HTTP."""
    scorer = FakeScorer()
    with running_app(build_app(ScorerLoader(lambda: scorer))) as url:
        yield url


@pytest.fixture(scope="session")
def locked_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LockedServer]:
    """One server of two worker processes, for all tests that need processes, log or keys."""
    with running_locked_server(tmp_path_factory.mktemp("locked")) as server:
        yield server


@pytest.fixture
def refused() -> Any:
    return error_of
