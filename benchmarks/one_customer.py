"""One customer with 200 events, all features: as a request sees it, and the first call of all.

The first call is made in a process whose compiled code is not cached, as after a fresh installation.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

EVENTS = 200
CALLS = 200
END = datetime(2026, 1, 1, tzinfo=UTC)


def measure() -> str:
    """A warm process and a fresh one; the table of both."""
    warm = _run(None)
    with tempfile.TemporaryDirectory() as cache:
        fresh = _run(cache)
    return "\n".join(
        [
            "# One customer",
            "",
            f"{EVENTS} events, {warm['columns']} feature columns, one thread, records as in a "
            f"request: build the history, compute the row. {CALLS} calls.",
            "",
            "| | |",
            "|---|--:|",
            f"| warm, median | {warm['median_ms']:.1f} ms |",
            f"| warm, 99th percentile | {warm['p99_ms']:.1f} ms |",
            f"| first call of a fresh installation, imports and compiling included | "
            f"{fresh['first_s']:.1f} s |",
            f"| first call of a later process | {warm['first_s']:.1f} s |",
            "",
        ]
    )


def _run(cache: str | None) -> dict[str, float]:
    """Measure in a process of its own; with `cache`, compiled code is kept there and nowhere else."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["src", "."])}
    if cache:
        environment["NUMBA_CACHE_DIR"] = cache
    command = [sys.executable, "-m", "benchmarks.one_customer"]
    root = Path(__file__).parents[1]
    done = subprocess.run(
        command, env=environment, cwd=root, stdout=subprocess.PIPE, text=True, check=True
    )
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def customer() -> dict[str, pa.Table]:
    """Two years of one customer: orders, payments, visits, a few tickets and answers."""
    rng = np.random.default_rng(3)
    days = np.sort(rng.uniform(1, 700, EVENTS))
    moments = [END - timedelta(days=float(d)) for d in days]
    instants = pa.timestamp("us", "UTC")
    who = pa.array(["A"] * EVENTS)
    return {
        "customers": pa.table({"customer_id": ["A"], "industry": ["retail"], "credit_limit": [5e3],
                               "valid_from": pa.array([moments[-1]], instants)}),
        "events": pa.table({
            "customer_id": who, "occurred_at": pa.array(moments, instants),
            "known_at": pa.array(moments, instants),
            "kind": rng.choice(["order", "payment", "visit", "login", "shipment", "return"], EVENTS),
            "amount": rng.lognormal(4, 1, EVENTS), "quantity": rng.integers(1, 9, EVENTS) * 1.0,
            "channel": rng.choice(["web", "shop"], EVENTS),
            "category": rng.choice(list("abcdefghij"), EVENTS),
            "due_at": pa.array([m + timedelta(days=5) for m in moments], instants),
        }),
        "surveys": pa.table({
            "customer_id": ["A"] * 8, "sent_at": pa.array(moments[::25], instants),
            "answered_at": pa.array([m + timedelta(hours=9) for m in moments[::25]], instants),
            "instrument": ["csat", "nps"] * 4, "dimension": ["overall"] * 8,
            "score": rng.integers(1, 6, 8) * 1.0, "scale_low": [1.0] * 8, "scale_high": [5.0] * 8,
            "expectation": rng.integers(1, 6, 8) * 1.0, "comment": ["fast and friendly", None] * 4,
        }),
        "tickets": pa.table({
            "customer_id": ["A"] * 5, "opened_at": pa.array(moments[::40], instants),
            "first_reply_at": pa.array([m + timedelta(hours=3) for m in moments[::40]], instants),
            "closed_at": pa.array([m + timedelta(hours=30) for m in moments[::40]], instants),
            "kind": ["complaint"] * 5, "category": ["delivery"] * 5, "severity": [2.0] * 5,
            "reopened": [0.0] * 5, "comment": ["still nothing here"] * 5,
        }),
    }  # fmt: skip


def main() -> None:
    """Time the first call and many warm ones."""
    start = time.perf_counter()
    from features.contract import TABLES
    from features.definitions.company_schema import CompanySchema
    from features.feature_table import feature_table, plan_for
    from features.history.build_history import build_history

    tables = customer()
    attributes = {"industry": "text", "credit_limit": "number"}
    names = {n: (*t.names, *(attributes if n == "customers" else ())) for n, t in TABLES.items()}
    tops = {"events.order.category": tuple("abcdefgh"), "tickets.category": ("delivery", "price")}
    plan = plan_for(CompanySchema(names, attributes, ("price", "staff"), (90,), {}, tops))
    who, cutoff = pa.array(["A"]), np.array([round(END.timestamp() * 1e6)])

    def call() -> float:
        begun = time.perf_counter()
        feature_table(build_history(tables), who, cutoff, plan)
        return time.perf_counter() - begun

    call()
    first = time.perf_counter() - start
    times = [call() for _ in range(CALLS)]
    measured = {
        "first_s": first,
        "median_ms": 1000 * statistics.median(times),
        "p99_ms": 1000 * statistics.quantiles(times, n=100)[-1],
        "columns": len(plan.columns),
    }
    sys.stdout.write(json.dumps(measured) + "\n")


if __name__ == "__main__":
    main()
