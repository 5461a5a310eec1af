"""Forty window aggregates at twelve cutoffs, in every engine's fastest form that we could find.

Each contestant reads the Parquet file and returns an Arrow table of customer_id, cutoff and the
columns of `benchmarks.events.COLUMNS`, in any order of rows. SQL and dataframes give no row to a
customer without an event in the year before a cutoff, which is none of their loss.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from benchmarks.events import COLUMNS, CUTOFFS, KINDS, WINDOWS

if TYPE_CHECKING:
    from features.history.build_history import History

THREADS = 2
YEAR = timedelta(days=max(WINDOWS))


def goodwill(path: Path) -> pa.Table:
    """The product's own path: stored table, arrays, plan, compiled pass."""
    from features.history.build_history import build_history
    from features.history_store import read_stored_table

    return features_of(build_history({"events": read_stored_table(path)}, is_sorted=True))


def features_of(history: "History") -> pa.Table:
    """The forty aggregates for every customer of a history and every cutoff."""
    from features.definitions.expressions import Past
    from features.definitions.feature_registry import FeatureColumn
    from features.engine.compute_features import FeaturePlan
    from features.feature_table import feature_table

    columns = []
    for kind in KINDS:
        for window in WINDOWS:
            view = Past(window).events.where(kind=kind)
            columns.append(FeatureColumn(f"{kind}_count_{window}", "", "", view.count()))
            columns.append(FeatureColumn(f"{kind}_sum_{window}", "", "", view.sum("amount")))
    ids = pa.array(history.customer_ids, pa.string())
    each = np.repeat(np.arange(len(ids), dtype=np.int32), len(CUTOFFS))
    cutoffs = np.array([round(c.timestamp() * 1e6) for c in CUTOFFS])
    who = pa.DictionaryArray.from_arrays(each, ids)
    return feature_table(
        history, who, np.tile(cutoffs, len(ids)), FeaturePlan.from_columns(columns), THREADS
    )


def duckdb_filters(path: Path) -> pa.Table:
    """Filtered aggregates over the longest window, one query a cutoff."""
    return _duckdb(lambda c: _filtered(path, c))


def duckdb_bins(path: Path) -> pa.Table:
    """First grouped by customer, kind and the shortest window around, then summed up."""
    return _duckdb(lambda c: _binned(path, c))


def _duckdb(query: Callable[[str], str]) -> pa.Table:
    import duckdb

    con = duckdb.connect()
    con.execute(f"SET threads = {THREADS}")
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET preserve_insertion_order = false")
    stamps = [f"timestamptz '{cutoff.isoformat()}'" for cutoff in CUTOFFS]
    return pa.concat_tables([con.sql(query(stamp)).to_arrow_table() for stamp in stamps])


def _filtered(path: Path, cutoff: str) -> str:
    made = []
    for kind in KINDS:
        for window in WINDOWS:
            inside = f"kind = '{kind}' and occurred_at >= {cutoff} - interval {window} day"
            made.append(f"count(*) filter ({inside}) as {kind}_count_{window}")
            made.append(f"coalesce(sum(amount) filter ({inside}), 0) as {kind}_sum_{window}")
    return (
        f"select customer_id, {cutoff} as cutoff, {', '.join(made)} from '{path}' where "
        f"occurred_at < {cutoff} and occurred_at >= {cutoff} - interval 365 day group by 1"
    )


def _binned(path: Path, cutoff: str) -> str:
    cases = " ".join(
        f"when occurred_at >= {cutoff} - interval {window} day then {window}" for window in WINDOWS
    )
    made = []
    for kind in KINDS:
        for window in WINDOWS:
            inside = f"kind = '{kind}' and bin <= {window}"
            made.append(f"coalesce(sum(n) filter ({inside}), 0)::double as {kind}_count_{window}")
            made.append(f"coalesce(sum(s) filter ({inside}), 0) as {kind}_sum_{window}")
    return (
        f"with binned as (select customer_id, kind, case {cases} end as bin, count(*) as n, "
        f"sum(amount) as s from '{path}' where occurred_at < {cutoff} and "
        f"occurred_at >= {cutoff} - interval 365 day group by all) "
        f"select customer_id, {cutoff} as cutoff, {', '.join(made)} from binned group by 1"
    )


def polars_masks(path: Path) -> pa.Table:
    """Masked columns summed by customer, all cutoffs in one lazy plan."""
    import polars as pl

    frame = pl.read_parquet(path)
    parts = []
    for cutoff in CUTOFFS:
        inside = _within_a_year(pl.col("occurred_at"), cutoff)
        masked = [
            expression.alias(f"{kind}_{what}_{window}")
            for kind in KINDS
            for window in WINDOWS
            for what, expression in _polars_pair(pl, kind, cutoff - timedelta(days=window))
        ]
        summed = [pl.col(name).sum() for name in COLUMNS]
        grouped = frame.lazy().filter(inside).with_columns(masked).group_by("customer_id")
        parts.append(grouped.agg(summed).with_columns(pl.lit(cutoff).alias("cutoff")))
    return pl.concat(pl.collect_all(parts)).to_arrow()


def _polars_pair(pl, kind: str, since: datetime):  # type: ignore[no-untyped-def]
    mask = (pl.col("kind") == kind) & (pl.col("occurred_at") >= since)
    yield "count", mask.cast(pl.Float64)
    yield "sum", pl.when(mask).then(pl.col("amount")).otherwise(0.0)


def polars_bins(path: Path) -> pa.Table:
    """First grouped by customer, kind and the shortest window around, then summed up."""
    import polars as pl

    codes = {kind: i * len(WINDOWS) for i, kind in enumerate(KINDS)}
    kind_code = pl.col("kind").replace_strict(codes, return_dtype=pl.UInt8)
    frame = pl.read_parquet(path).with_columns(kind_code.alias("kind_code"))
    parts = []
    for cutoff in CUTOFFS:
        older = [
            (pl.col("occurred_at") < cutoff - timedelta(days=w)).cast(pl.UInt8) for w in WINDOWS
        ]
        inside = frame.lazy().filter(_within_a_year(pl.col("occurred_at"), cutoff))
        binned = inside.with_columns((pl.sum_horizontal(older) + pl.col("kind_code")).alias("bin"))
        small = binned.group_by("customer_id", "bin").agg(
            pl.len().cast(pl.Float64).alias("count"), pl.col("amount").sum().alias("sum")
        )
        made = [
            pl.when(pl.col("bin").is_between(codes[kind], codes[kind] + place))
            .then(pl.col(what))
            .otherwise(0.0)
            .sum()
            .alias(f"{kind}_{what}_{window}")
            for kind in KINDS
            for place, window in enumerate(WINDOWS)
            for what in ("count", "sum")
        ]
        parts.append(
            small.group_by("customer_id").agg(made).with_columns(pl.lit(cutoff).alias("cutoff"))
        )
    return pl.concat(pl.collect_all(parts)).to_arrow()


def pandas_masks(path: Path) -> pa.Table:
    """Masked columns summed by customer, one cutoff after the other."""
    import pandas as pd

    frame = pd.read_parquet(path)
    code, ids = pd.factorize(frame["customer_id"])
    kind = frame["kind"].to_numpy(object)
    kinds = {name: kind == name for name in KINDS}
    moment, amount = frame["occurred_at"], frame["amount"].to_numpy()
    parts = []
    for cutoff in CUTOFFS:
        inside = _within_a_year(moment, cutoff).to_numpy()
        columns = {}
        for name in KINDS:
            for window in WINDOWS:
                recent = (moment >= cutoff - timedelta(days=window)).to_numpy()
                mask = (kinds[name] & recent)[inside]
                columns[f"{name}_count_{window}"] = mask.astype(np.float64)
                columns[f"{name}_sum_{window}"] = np.where(mask, amount[inside], 0.0)
        summed = pd.DataFrame(columns).groupby(code[inside], sort=False).sum()
        summed.insert(0, "cutoff", cutoff)
        summed.insert(0, "customer_id", ids[summed.index])
        parts.append(summed)
    return pa.Table.from_pandas(pd.concat(parts, ignore_index=True), preserve_index=False)


def _within_a_year(moment, cutoff: datetime):  # type: ignore[no-untyped-def]
    return (moment < cutoff) & (moment >= cutoff - YEAR)


CONTESTANTS: dict[str, Callable[[Path], pa.Table]] = {
    "goodwill": goodwill,
    "duckdb, filters once a cutoff": duckdb_filters,
    "duckdb, bins once a cutoff": duckdb_bins,
    "polars, masks": polars_masks,
    "polars, bins": polars_bins,
    "pandas, masks": pandas_masks,
}
