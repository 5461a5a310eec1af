"""The same window aggregates by featuretools, in an environment of its own (it needs pandas 2).

`python featuretools_run.py FILE` prints a JSON line like `benchmarks.contest`. Two aggregates in
every window are ones nobody asked for (over all kinds): where-primitives bring them along.
"""

import json
import resource
import sys
import time
import warnings
from datetime import datetime, timedelta

warnings.filterwarnings("ignore")

import featuretools as ft  # noqa: E402
import pandas as pd  # noqa: E402

KINDS = ("order", "return", "payment", "visit")
WINDOWS = (7, 30, 90, 180, 365)
START = datetime(2024, 1, 1)  # noqa: DTZ001
CUTOFFS = [START + timedelta(days=170 + 30 * i) for i in range(12)]


def entities(path: str) -> tuple[ft.EntitySet, list[str]]:
    """Events and customers with the relationship between them."""
    events = pd.read_parquet(path)
    events["occurred_at"] = events["occurred_at"].dt.tz_localize(None)
    events["event_id"] = range(len(events))
    ids = sorted(events["customer_id"].unique())
    made = ft.EntitySet("company")
    made.add_dataframe(
        dataframe_name="events",
        dataframe=events,
        index="event_id",
        time_index="occurred_at",
        logical_types={"kind": "Categorical", "customer_id": "Categorical"},
    )
    customers = pd.DataFrame({"customer_id": ids})
    made.add_dataframe(dataframe_name="customers", dataframe=customers, index="customer_id")
    made.add_relationship("customers", "customer_id", "events", "customer_id")
    made.add_interesting_values(dataframe_name="events", values={"kind": list(KINDS)})
    return made, ids


def main() -> None:
    """Time the aggregates of every window and print what the contest prints."""
    start = time.perf_counter()
    made, ids = entities(sys.argv[1])
    cutoffs = pd.DataFrame([(i, c) for c in CUTOFFS for i in ids], columns=["customer_id", "time"])
    sums, rows = {}, 0
    for window in WINDOWS:
        table, _ = ft.dfs(
            entityset=made,
            target_dataframe_name="customers",
            cutoff_time=cutoffs,
            training_window=f"{window} days",
            agg_primitives=["count", "sum"],
            where_primitives=["count", "sum"],
            trans_primitives=[],
            include_cutoff_time=False,
            cutoff_time_in_index=True,
            max_depth=1,
        )
        rows = len(table)
        for kind in KINDS:
            sums[f"{kind}_count_{window}"] = float(
                table[f"COUNT(events WHERE kind = {kind})"].sum()
            )
            amount = table[f"SUM(events.amount WHERE kind = {kind})"]
            sums[f"{kind}_sum_{window}"] = float(amount.sum())
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    measured = {"seconds": seconds, "peak_mb": peak, "rows": rows, "sums": sums}
    sys.stdout.write(json.dumps(measured) + "\n")


if __name__ == "__main__":
    main()
