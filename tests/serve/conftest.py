"""Fixtures for tests of the service: a service in this process with a fake scorer."""

from typing import Any

import pytest

from support.service_in_process import Service, error_of


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture(scope="module")
def shared_service() -> Service:
    """For property tests, which share one service between examples."""
    return Service()


@pytest.fixture
def refused() -> Any:
    return error_of
