"""Compute tables by partitions of customers on a Spark cluster; the only file that uses Spark.

The history is stored sorted by customer: a task reads the row groups of its own customers, and
nothing is shuffled. Every machine must see the project's folder at the same path.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa

from features.atomic_write import remove_path, replace_atomically
from features.errors import ConfigRefused, DataRefused, GoodwillError
from features.execution.partitions import Piece, Runner, part_files, partition, write_parquet
from features.progress import Steps
from features.settings import Settings

#: Customers in a partition, unless GOODWILL_SPARK_PARTITIONS sets the number of partitions.
CUSTOMERS_PER_PARTITION = 5_000
MIN_JAVA = 17
POLL_SECONDS = 0.5

#: Failures of a task reach the caller as exceptions, so Spark's log is switched off. A root logger
#: without an appender would count as not configured.
LOGGING = """
appender.nowhere.type = Null
appender.nowhere.name = nowhere
rootLogger.level = off
rootLogger.appenderRef.nowhere.ref = nowhere
logger.gateway.name = org.apache.spark.api.python.PythonGatewayServer
logger.gateway.level = off
"""
#: Failures of a task that are not bugs: the pattern of Spark's message, and the remedy.
REMEDIES = (
    (
        re.compile(r"^(?:FileNotFound|Permission|ModuleNotFound)Error: .+", re.MULTILINE),
        "every machine must see the project's folder at the same path and have goodwill's packages",
    ),
    (
        re.compile(r"Python worker exited unexpectedly"),
        "most likely out of memory: set GOODWILL_SPARK_PARTITIONS higher",
    ),
)


@contextmanager
def spark_runner(steps: Steps) -> Iterator[Runner]:
    """A runner on Spark with the master of GOODWILL_SPARK_MASTER; the session ends with the block.

    Under `spark-submit` its own settings apply. Raises ConfigRefused where pyspark or Java is missing
    and where Spark does not start.
    """
    with tempfile.TemporaryDirectory(prefix="goodwill-spark-") as scratch:
        with steps.step("start Spark") as done, _without_pandas_warning():
            session = _session(Settings().spark_master, Path(scratch))
            done(master=session.sparkContext.master)
        try:
            yield SparkRunner(session)
        finally:
            session.stop()


class SparkRunner:
    """Distributes pieces over partitions; a task computes those of one partition into one part file."""

    threads = 1  # of a task; tasks run side by side

    def __init__(self, session: Any) -> None:
        self._session = session

    def size(self, customers: int) -> int:
        settings = Settings()
        partitions = settings.spark_partitions or -(-customers // CUSTOMERS_PER_PARTITION)
        return max(1, min(settings.block_customers, -(-customers // max(1, partitions))))

    def write(
        self,
        make: Callable[[Piece], pa.Table | None],
        pieces: Sequence[Piece],
        path: Path,
        steps: Steps,
    ) -> int:
        folder = path.with_suffix(".new")
        remove_path(folder)
        folder.mkdir()
        groups = partition(pieces, Settings().spark_partitions or len(pieces))

        def write_part(part: int) -> tuple[int, str]:
            return _write_part(folder, part, make, groups[part])

        results = self._run(write_part, len(groups), steps, folder) if groups else []
        for unfinished in folder.glob(".*"):  # left by killed attempts
            unfinished.unlink()
        rows = sum(rows for rows, _ in results)
        if rows:
            replace_atomically(folder, path)
        remove_path(folder)
        return rows

    def _run(
        self, task: Callable[[int], tuple[int, str]], count: int, steps: Steps, folder: Path
    ) -> list[tuple[int, str]]:
        """Run a task for each partition; the rows and refusal of each. Raises the first refusal."""
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        def tasks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                made = [task(part) for part in batch.column(0).to_pylist()]
                columns = [pa.array(column) for column in zip(*made, strict=True)]
                yield pa.RecordBatch.from_arrays(columns, ["rows", "refused"])

        with _without_pandas_warning():
            numbers = self._session.range(0, count, 1, count)
            output = numbers.mapInArrow(tasks, "rows long, refused string")
        with ThreadPoolExecutor(1) as pool:
            job = pool.submit(output.collect)
            for _ in steps.track(_finished_parts(job, folder), count):
                pass
        try:
            results = [(row.rows, row.refused) for row in job.result()]
        except (PySparkException, Py4JError) as err:
            raise _known_failure(err) or err from None
        for _, refused in results:
            if refused:
                raise DataRefused(refused)
        return results


def _write_part(
    folder: Path,
    part: int,
    make: Callable[[Piece], pa.Table | None],
    pieces: Sequence[Piece],
) -> tuple[int, str]:
    """Write the file of a partition; returns its rows and the refusal, if any. Runs on an executor.

    Another attempt of the same task may write at the same time: each writes its own file and moves it
    into place. Both files are equal.
    """
    final = folder / f"part-{part:05d}.parquet"
    own = folder / f".{final.name}.{uuid4().hex}"
    try:
        rows = write_parquet(own, map(make, pieces))
    except GoodwillError as err:
        return 0, str(err)
    if rows:
        replace_atomically(own, final)
    return rows, ""


def _finished_parts(job: Future[Any], folder: Path) -> Iterator[int]:
    """Yield a number for each new part file until the job ends."""
    seen = 0
    while not job.done():
        wait([job], POLL_SECONDS)
        finished = len(part_files(folder))
        yield from range(seen, finished)
        seen = finished


def _known_failure(error: Exception) -> ConfigRefused | None:
    """The error with its remedy for a failed task, None if it is a bug."""
    for pattern, remedy in REMEDIES:
        if found := pattern.findall(str(error)):
            return ConfigRefused(
                f"a Spark task failed: {found[-1]}; {remedy} (docs/how-to/run-on-spark.md)"
            )
    return None


@contextmanager
def _without_pandas_warning() -> Iterator[None]:
    """Suppress Spark's warning about pandas 3: no pandas frame passes through Spark."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
        yield


def _session(master: str, scratch: Path) -> Any:
    """Start a Spark session; nothing leaves this machine when the master is local."""
    try:
        from py4j.protocol import Py4JError
        from pyspark import SparkConf
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError:
        raise ConfigRefused(
            "pyspark is not installed; run `make spark` (and have Java 17 or newer)"
        ) from None
    _check_java()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    conf = SparkConf()
    source = str(Path(__file__).parents[2])
    conf.set("spark.executorEnv.PYTHONPATH", source).set("spark.executorEnv.OMP_NUM_THREADS", "1")
    if "PYSPARK_GATEWAY_PORT" not in os.environ:  # not under spark-submit
        conf.setMaster(master).setAppName("goodwill")
        conf.set("spark.ui.showConsoleProgress", "false")  # our own steps show progress
        if master.startswith("local"):
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
            conf.setAll(list(_local_settings(scratch).items()))
    try:
        return SparkSession.builder.config(conf=conf).getOrCreate()
    except (Py4JError, PySparkException) as err:
        reasons = re.findall(r"(?:Exception|Error): (.+)", str(err)) or [str(err)]
        raise ConfigRefused(
            f"Spark does not start with master {master!r}: {reasons[0]}; GOODWILL_SPARK_MASTER should "
            "be local[2], spark://host:7077, yarn or k8s://https://host:443"
        ) from None


def _local_settings(scratch: Path) -> dict[str, str]:
    """Settings of Spark on one machine: local address, no web pages, no log, files in `scratch`."""
    logging = scratch / "log4j2.properties"
    logging.write_text(LOGGING, encoding="utf-8")
    return {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={logging}",
        "spark.ui.enabled": "false",
        "spark.local.dir": str(scratch),
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
    }


def _check_java() -> None:
    """Raise ConfigRefused unless Java is installed and recent enough."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin" if home else None)
    output = (
        subprocess.run([java, "-version"], capture_output=True, text=True).stderr if java else ""
    )
    version = re.search(r'version "(\d+)', output)
    if not version or int(version[1]) < MIN_JAVA:
        shown = (
            f"{java} is {output.splitlines()[0]}" if output else f"there is none ({home or 'PATH'})"
        )
        raise ConfigRefused(
            f"Spark needs Java {MIN_JAVA} or newer, {shown}; install openjdk-17-jre-headless, "
            "or let JAVA_HOME name one"
        )
