"""A service in this process around a fake scorer, for every test of serving."""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # modules that tests, and servers, import

from service_in_process import Service, error_of


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
