"""A night's import of daily files: reading what is new, compared with reading everything.

`GOODWILL_BENCH_DAYS` sets the days (default 100) of 20,000 events each, CSV files as a shop would
leave them. The grown history must be the one that reading every file makes.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from features.config.company import Company, load_company
from features.import_history.run_import import import_history
from features.progress import silent_steps
from features.settings import Workspace

EVENTS_A_DAY = 20_000
FIRST = date(2025, 1, 1)
MAPPING = """
[company]
name = "nightly"
root = "{here}/raw"

[tables.events]
files = "events_*.csv"
daily = true

[tables.events.columns]
customer_id = "customer"
occurred_at = "happened"
kind = "kind"
amount = "amount"
channel = "channel"
"""


def measure() -> str:
    """Import all days but the last, then the last night both ways; the table of seconds."""
    days = int(os.environ.get("GOODWILL_BENCH_DAYS", "100"))
    with tempfile.TemporaryDirectory() as folder:
        company = write_company(Path(folder), days)
        grown, whole = Workspace(Path(folder) / "grown"), Workspace(Path(folder) / "whole")
        last = company.root(grown) / f"events_{FIRST + timedelta(days=days - 1)}.csv"
        aside = last.with_suffix(".tomorrow")
        last.rename(aside)
        import_history(company, grown, silent_steps())
        aside.rename(last)
        times = {}
        for name, workspace in (("only what is new", grown), ("every file", whole)):
            start = time.perf_counter()
            manifest = import_history(company, workspace, silent_steps())
            times[name] = time.perf_counter() - start
            sys.stderr.write(f"  {name}: {times[name]:.1f} s, fingerprint {manifest.fingerprint}\n")
        same = {
            (w.history("nightly") / "events.parquet").read_bytes().__hash__()
            for w in (grown, whole)
        }
    if len(same) > 1:
        raise AssertionError("the grown history differs from the one of all files")
    new, full = times.values()
    return "\n".join(
        [
            "# A night's import",
            "",
            f"{days} daily CSV files of {EVENTS_A_DAY:,} events, one of them new. Both ways end in the "
            "same history, byte for byte; checks, data quality report and sorting are part of both.",
            "",
            "| reading | seconds |",
            "|---|--:|",
            *(f"| {name} | {seconds:.1f} |" for name, seconds in times.items()),
            "",
            f"Reading only what is new takes {new / full:.2f} of the time.",
            "",
        ]
    )


def write_company(home: Path, days: int) -> Company:
    """The daily files and the mapping."""
    raw = home / "raw"
    raw.mkdir()
    for number, frame in enumerate(_frames(days)):
        frame.to_csv(raw / f"events_{FIRST + timedelta(days=number)}.csv", index=False)
    path = home / "nightly.toml"
    path.write_text(MAPPING, encoding="utf-8")
    return load_company(path)


def _frames(days: int) -> Iterator[pd.DataFrame]:
    rng = np.random.default_rng(2)
    for number in range(days):
        midnight = pd.Timestamp(FIRST) + pd.Timedelta(days=number)
        seconds = np.sort(rng.integers(0, 86_400, EVENTS_A_DAY))
        yield pd.DataFrame(
            {
                "customer": [f"C{c:06d}" for c in rng.integers(0, 50_000, EVENTS_A_DAY)],
                "happened": midnight + pd.to_timedelta(seconds, unit="s"),
                "kind": rng.choice(["order", "return", "payment", "visit"], EVENTS_A_DAY),
                "amount": rng.lognormal(4, 1, EVENTS_A_DAY).round(2),
                "channel": rng.choice(["web", "shop"], EVENTS_A_DAY),
            }
        )
