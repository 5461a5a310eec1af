"""Checkpoints: parts are computed once, survive a kill, and are published only when complete."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import DataRefused
from features.execution.checkpoints import CheckpointedTables
from features.progress import silent_steps

PIECES = [[1, 2], [3], [4, 5]]


def squares(piece: list[int]) -> Mapping[str, pa.Table]:
    """Two tables of a piece; module-level, so that it can be pickled."""
    return {
        "plain": pa.table({"n": piece}),
        "squares": pa.table({"n": [n * n for n in piece], "by": [os.getpid()] * len(piece)}),
    }


def slow_squares(piece: list[int]) -> Mapping[str, pa.Table]:
    """The same; the last piece takes longer than the test."""
    if piece == PIECES[-1]:
        time.sleep(60)
    return squares(piece)


def blocks(folder: Path, version: str = "1") -> CheckpointedTables[list[int]]:
    return CheckpointedTables(folder / "unfinished", ("plain", "squares"), {"version": version})


@pytest.mark.parametrize("processes", [1, 2])
def test_pieces_keep_their_order_in_one_or_several_processes(
    tmp_path: Path, processes: int
) -> None:
    made = blocks(tmp_path)
    assert made.make(squares, PIECES, silent_steps(), processes) == 0
    for name in ("plain", "squares"):
        made.publish(name, tmp_path / f"{name}.parquet")
    made.clean_up()
    assert pq.read_table(tmp_path / "plain.parquet")["n"].to_pylist() == [1, 2, 3, 4, 5]
    table = pq.read_table(tmp_path / "squares.parquet")
    assert table["n"].to_pylist() == [1, 4, 9, 16, 25]
    assert (os.getpid() in table["by"].to_pylist()) == (processes == 1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plain.parquet", "squares.parquet"]


def test_one_piece_is_one_file_even_in_place_of_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "plain.parquet"
    for pieces in (PIECES, PIECES[:1], PIECES[:1]):
        made = blocks(tmp_path)
        made.make(squares, pieces, silent_steps(), 1)
        made.publish("plain", path)
        made.clean_up()
    assert path.is_file()
    assert pq.read_table(path)["n"].to_pylist() == [1, 2]


def test_finished_parts_stay_when_a_piece_fails(tmp_path: Path) -> None:
    asked = []

    def fails_at_3(piece: list[int]) -> Mapping[str, pa.Table]:
        asked.append(piece)
        if piece == [3] and len(asked) < 3:
            raise DataRefused("the disk is full")
        return squares(piece)

    with pytest.raises(DataRefused, match="disk is full"):
        blocks(tmp_path).make(fails_at_3, PIECES, silent_steps(), 1)
    assert asked == [[1, 2], [3]]
    assert blocks(tmp_path).make(fails_at_3, PIECES, silent_steps(), 1) == 1
    assert asked == [[1, 2], [3], [3], [4, 5]]


@pytest.mark.parametrize("version", ["1", "2"])
def test_only_parts_with_the_same_inputs_are_kept(tmp_path: Path, version: str) -> None:
    blocks(tmp_path).make(squares, PIECES, silent_steps(), 1)
    assert blocks(tmp_path, version).make(squares, PIECES, silent_steps(), 1) == (
        3 if version == "1" else 0
    )
    assert (
        blocks(tmp_path, version).make(squares, PIECES[:2], silent_steps(), 1) == 0
    )  # other pieces


def test_a_part_without_one_of_its_tables_is_computed_again(tmp_path: Path) -> None:
    made = blocks(tmp_path)
    made.make(squares, PIECES, silent_steps(), 1)
    (made.folder / "squares" / "part-00001.parquet").unlink()
    assert made.make(squares, PIECES, silent_steps(), 1) == 2
    assert (made.folder / "squares" / "part-00001.parquet").is_file()


SCRIPT = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from features.progress import silent_steps
from test_checkpoints import PIECES, blocks, slow_squares
if __name__ == "__main__":
    blocks(Path({home!r})).make(slow_squares, PIECES, silent_steps(), 2)
"""


def test_after_a_kill_no_worker_remains_and_the_run_resumes(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    path = [str(Path(__file__).parent), *sys.path]
    script.write_text(SCRIPT.format(path=path, home=str(tmp_path)), encoding="utf-8")
    process = subprocess.Popen([sys.executable, str(script)], start_new_session=True)
    parts = tmp_path / "unfinished" / "squares"
    _until(lambda: len([*parts.glob("part-*.parquet")]) == 2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _until(lambda: not _alive(process.pid))
    assert blocks(tmp_path).make(squares, PIECES, silent_steps(), 1) == 2


def _until(what, seconds: float = 60.0) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "too slow"
        time.sleep(0.05)


def _alive(group: int) -> bool:
    """Whether any process of the group is still running."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
