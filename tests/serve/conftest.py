"""A service in this process around a fake scorer, for every test of serving."""

from typing import Any

import pytest

from support.service_in_process import Service, error_of


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture(scope="module")
def shared_service() -> Service:
    """For property tests, which may not begin anew for every example."""
    return Service()


@pytest.fixture
def refused() -> Any:
    return error_of
