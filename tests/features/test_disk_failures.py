"""A full disk ends in a sentence, whichever library met it."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from features.disk_failures import disk_failure

PROJECT = Path(__file__).parents[2]

#: Each writes 400 KB where the process may write 20 KB, and prints what is said about its failure.
WRITES = {
    "python": "(folder / 'a.txt').write_text('a' * 400_000)",
    "pyarrow": "pq.write_table(pa.table({'a': range(100_000)}), folder / 'a.parquet')",
    "duckdb": "duckdb.sql(f\"copy (select range from range(100000)) to '{folder}/a.parquet'\")",
}
SCRIPT = """
import resource, sys
from pathlib import Path
import duckdb, pyarrow as pa, pyarrow.parquet as pq
from features.disk_failures import disk_failure
folder = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    exec(sys.argv[2])
except Exception as err:
    print(disk_failure(err))
"""


@pytest.mark.parametrize("library", WRITES)
def test_a_refused_write_is_recognised(tmp_path: Path, library: str) -> None:
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(tmp_path), WRITES[library]],
        env={"PYTHONPATH": str(PROJECT / "src")}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "could not be read or written (File too large); make sure" in said


def test_the_file_is_named_if_it_is_known() -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "/data/scores.parquet")
    assert disk_failure(full) == (
        "/data/scores.parquet could not be read or written (No space left on device); make sure that "
        "the disk is neither full, read-only nor failing, then run the command again"
    )
    assert str(disk_failure(OSError(errno.EROFS, "Read-only"))).startswith(
        "a file could not be read or"
    )


def test_other_errors_are_not_those_of_a_disk() -> None:
    for other in (FileNotFoundError(errno.ENOENT, "No such file", "a"), ValueError("full")):
        assert disk_failure(other) is None


def test_a_file_of_another_user_is_named_with_the_remedy() -> None:
    forbidden = PermissionError(errno.EACCES, "Permission denied", "/data/feedback/a.json")
    assert disk_failure(forbidden) == (
        "/data/feedback/a.json could not be read or written (Permission denied); let the user of this "
        "command read and write it, then run the command again"
    )
