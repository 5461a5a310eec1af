"""The company whose nights meet faults: one first night for all tests of a run."""

import pytest

from support.nights import DONE, Nights


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """A company after its first night; every test leaves it as it was, or after another whole night."""
    made = Nights(tmp_path_factory.mktemp("nights") / "home")
    first = made.run()
    assert not first.problem(*DONE)
    assert made.problems() == []
    return made
