"""Spark gives the same table as the local runner, in part files; and its refusals."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import ConfigRefused, DataRefused
from features.execution.partitions import LOCAL, Runner, part_files
from features.execution.spark import SparkRunner, spark_runner
from features.progress import silent_steps
from support.same_bits import bits

#: Bits a table must not lose: two NaNs, both zeros, the smallest and the largest number.
FLOATS = np.array([0x7FF8000000000000, 0x7FF8000000000001, 1 << 63, 0, 1, 0x7FEFFFFFFFFFFFFF],
                  np.uint64).view(np.float64)  # fmt: skip


def counted() -> Callable[[int], pa.Table]:
    """Computes a number of rows; a nested function is pickled by value for the workers."""
    return lambda rows: pa.table({"number": np.arange(rows)})


@pytest.mark.parametrize(
    ("partitions", "block", "customers", "size"),
    [
        (None, 50_000, 0, 1),
        (None, 50_000, 1, 1),
        (None, 50_000, 5_000, 5_000),
        (None, 50_000, 12_000, 4_000),  # three partitions
        (None, 100, 5_000, 100),
        ("7", 50_000, 400, 58),
        ("2", 50_000, 10_000_000, 50_000),  # memory stays bounded: many pieces a partition
        ("9", 50_000, 4, 1),
    ],
)
def test_the_size_of_a_piece(
    monkeypatch: pytest.MonkeyPatch, partitions: str | None, block: int, customers: int, size: int
) -> None:
    if partitions:
        monkeypatch.setenv("GOODWILL_SPARK_PARTITIONS", partitions)
    monkeypatch.setenv("GOODWILL_BLOCK_CUSTOMERS", str(block))
    assert SparkRunner(None).size(customers) == size


def test_missing_pyspark_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(ConfigRefused, match=r"make spark.*Java 17"), spark_runner(silent_steps()):
        pass


JAVAS = {
    "none": ("", r"Spark needs Java 17 or newer, there is none \(PATH\)"),
    "11": ('openjdk version "11.0.2" 2019', r'java is openjdk version "11\.0\.2" 2019; install'),
    "8": ('java version "1.8.0_432"', r"install openjdk-17-jre-headless, or let JAVA_HOME"),
}


@pytest.mark.parametrize("which", JAVAS)
def test_missing_java_17_is_refused_with_the_remedy(
    which: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("pyspark")
    version, message = JAVAS[which]
    if version:
        java = tmp_path / "java"
        java.write_text(f"#!{sys.executable}\nimport sys\nsys.stderr.write('''{version}\\n''')\n")
        java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(ConfigRefused, match=message), spark_runner(silent_steps()):
        pass
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    with (
        pytest.raises(ConfigRefused, match=r"there is none \(.*nowhere\)"),
        spark_runner(silent_steps()),
    ):
        pass


@pytest.mark.parametrize("partitions", [1, 2, 7, 40])
def test_spark_and_local_tables_are_equal_bit_for_bit(
    spark: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, partitions: int
) -> None:
    def make(piece: int) -> pa.Table | None:
        if piece == 5:
            return None
        moments = pa.array([piece, None] * 3, pa.timestamp("us", "UTC"))
        texts = pa.array([f"Ö{piece}", "", None, "a", "NaN", "\0"])
        made = pa.table({"text": texts, "moment": moments, "float": FLOATS * 1, "null": texts})
        made = made.append_column("maybe", pa.array([None, *FLOATS[1:]], from_pandas=False))
        return made.replace_schema_metadata({"goodwill": "é"})

    monkeypatch.setenv("GOODWILL_SPARK_PARTITIONS", str(partitions))
    here, there = tmp_path / "here.parquet", tmp_path / "there.parquet"
    assert LOCAL.write(make, range(11), here, silent_steps()) == 60
    assert spark.write(make, range(11), there, silent_steps()) == 60
    assert bits(here) == bits(there)
    names = [f"part-{part:05d}.parquet" for part in range(min(partitions, 11))]
    if partitions == 40:
        names.remove("part-00005.parquet")  # its only piece has no rows
    assert [f.name for f in part_files(there)] == names
    assert sorted(f.name for f in tmp_path.iterdir()) == ["here.parquet", "there.parquet"]


def test_a_refusal_in_a_task_is_raised_and_the_former_table_stays(
    spark: Runner, tmp_path: Path
) -> None:
    path, numbers = tmp_path / "made.parquet", counted()
    assert spark.write(numbers, [3, 4], path, silent_steps()) == 7
    before = bits(path)

    def refuses(piece: int) -> pa.Table:
        if piece == 2:
            raise DataRefused("column revenue is missing")
        return numbers(piece)

    with pytest.raises(DataRefused, match=r"^column revenue is missing$"):
        spark.write(refuses, [1, 2, 3], path, silent_steps())
    assert bits(path) == before
    assert spark.write(lambda _: None, [1, 2], path, silent_steps()) == 0
    assert spark.write(refuses, [], path, silent_steps()) == 0
    assert bits(path) == before
    assert spark.write(numbers, [1], path, silent_steps()) == 1
    assert [f.name for f in path.iterdir()] == ["part-00000.parquet"]


def test_fixable_failures_are_distinguished_from_bugs(spark: Runner, tmp_path: Path) -> None:
    def reads(piece: str) -> pa.Table:
        return pq.read_table(piece)

    def dies(_: str) -> pa.Table:
        os._exit(9)

    def divides(piece: int) -> pa.Table:
        return pa.table({"number": [1 // piece]})

    path = tmp_path / "made.parquet"
    with pytest.raises(ConfigRefused, match=r"FileNotFoundError: .*gone.* at the same path"):
        spark.write(reads, [str(tmp_path / "gone")], path, silent_steps())
    with pytest.raises(ConfigRefused, match=r"worker exited .* set GOODWILL_SPARK_PARTITIONS"):
        spark.write(dies, ["A"], path, silent_steps())
    with pytest.raises(Exception, match="ZeroDivisionError") as bug:
        spark.write(divides, [0], path, silent_steps())
    assert bug.type.__name__ == "PythonException"
    assert not path.exists()


def test_files_of_killed_attempts_are_not_part_of_the_table(spark: Runner, tmp_path: Path) -> None:
    path, numbers = tmp_path / "made.parquet", counted()

    def leaves(piece: int) -> pa.Table:
        (path.with_suffix(".new") / ".part-00000.parquet.dead").write_text("half a file")
        return numbers(piece)

    assert spark.write(leaves, [2, 3], path, silent_steps()) == 5
    assert bits(path)["rows"] == 5
    assert [f.name for f in sorted(path.iterdir())] == ["part-00000.parquet", "part-00001.parquet"]


def test_a_task_uses_one_thread_of_another_process(spark: Runner, tmp_path: Path) -> None:
    def describes(_: int) -> pa.Table:
        return pa.table({"process": [os.getpid()], "threads": [os.environ["OMP_NUM_THREADS"]]})

    path = tmp_path / "made.parquet"
    assert spark.write(describes, range(4), path, silent_steps()) == 4
    described = pq.read_table(path)
    assert set(described["threads"].to_pylist()) == {"1"}
    assert os.getpid() not in described["process"].to_pylist()
    assert spark.threads == 1
