"""Work in the background: in another process, and never longer than its block."""

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from features.errors import DataRefused, EnvironmentFailed
from features.execution.worker_processes import in_background


def write_late(path: Path) -> Path:
    """Write a file after a while; module-level, so that it can be pickled."""
    time.sleep(0.5)
    path.write_text(str(os.getpid()), encoding="utf-8")
    return path


def refuse() -> None:
    """Fail as a command does."""
    raise DataRefused("no complaints")


def be_killed() -> None:
    """End as a process does for which the system has no memory left."""
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("cores", [1, 2])
def test_work_is_in_another_process_if_there_is_a_core_for_it(tmp_path: Path, cores: int) -> None:
    with in_background(partial(write_late, tmp_path / "pid"), cores) as result:
        written = result()
    assert (int(written.read_text(encoding="utf-8")) == os.getpid()) == (cores == 1)


@pytest.mark.parametrize("cores", [1, 2])
def test_an_error_is_raised_where_the_result_is_asked_for(cores: int) -> None:
    with (
        in_background(refuse, cores) as result,
        pytest.raises(DataRefused, match=r"^no complaints$"),
    ):
        result()


def test_after_an_error_next_to_it_the_work_has_ended(tmp_path: Path) -> None:
    late = tmp_path / "late"
    with (
        pytest.raises(ZeroDivisionError),
        in_background(partial(write_late, late), cores=2),
    ):
        raise ZeroDivisionError
    assert late.exists()


def test_a_killed_worker_is_named_with_the_remedy() -> None:
    with (
        pytest.raises(
            EnvironmentFailed, match=r"was killed.*free memory, or set GOODWILL_THREADS=1"
        ),
        in_background(be_killed, cores=2) as result,
    ):
        result()
