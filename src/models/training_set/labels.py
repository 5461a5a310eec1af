"""Create the labels of a target: its SQL over the stored history."""

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from features.config.company import Company, TargetConfig
from features.config.snapshot_settings import LABEL
from features.errors import DataRefused
from features.history_store import (
    Manifest,
    create_departures_table,
    create_known_table,
    open_history,
)
from features.settings import Workspace
from models.targets.target import Target
from models.training_set.customer_holdout import place_sql
from models.training_set.splits import calendar_cutoffs, instant, microseconds

#: A horizon in which every answer arrives, to count the answers after the real horizon.
EVER_DAYS = 36_500


@dataclass(frozen=True)
class LabelRows:
    """The labels of a target: (customer_id, cutoff, label, weight), sorted, and the rows left out.

    `immature`: windows that end after the data; `late`: answers after the horizon; `left_before`:
    customers who left before their window began, after the cutoff or unnoticed; `unlabelled`:
    customers of a snapshot without a label; `sampled_out`: rows beyond `calendar.max_rows`.
    """

    table: pa.Table
    immature: int
    late: int
    left_before: int
    sampled_out: int
    unlabelled: int = 0


def label_rows(
    target: Target, company: Company, workspace: Workspace, manifest: Manifest
) -> LabelRows:
    """Create the labels of a target; a row whose SQL gives no label is left out and counted.

    Raises DataRefused when no cutoff can be placed or no label is mature.
    """
    config = company.target(target.name)
    span = target.span_days(config)
    con = open_history(workspace.history(company.name))
    try:
        data_end = instant(microseconds(manifest.end)).isoformat()
        query = f"({_prepare(con, target, company, manifest, data_end)})"
        mature = f"cutoff + interval {span} day <= timestamptz '{data_end}'"
        total, immature, left_before = con.execute(
            f"select count(*), count(*) filter (not ({mature})), "
            f"count(*) filter (({mature}) and label is null) from {query}"
        ).fetchall()[0]
        late = 0 if target.on_calendar else _count_all_answers(con, target, company) - total
        labelled = total - immature - left_before
        keep = min(1.0, company.calendar.max_rows / max(1, labelled))
        sample = f"hash(customer_id) % 1000000 < {int(keep * 1_000_000)}" if keep < 1 else "true"
        labels = con.sql(
            f"select customer_id, cutoff, label::double as label, weight::double as weight "
            f"from {query} where {mature} and label is not null and {sample} order by all"
        ).to_arrow_table()
    finally:
        con.close()
    if not labels.num_rows:
        raise DataRefused(f"target {target.name}: {_no_label(config, span, total, manifest)}")
    sampled_out = int(labelled - labels.num_rows)
    if config.is_snapshot:
        return LabelRows(labels, 0, 0, 0, sampled_out, unlabelled=int(left_before))
    return LabelRows(labels, int(immature), late, int(left_before), sampled_out)


def _prepare(
    con: duckdb.DuckDBPyConnection,
    target: Target,
    company: Company,
    manifest: Manifest,
    data_end: str,
) -> str:
    """Create the tables that label SQL may read; returns the SQL of all labels, ripe or not."""
    config = company.target(target.name)
    if config.is_snapshot:
        return _snapshot_label_sql(f"timestamptz '{data_end}'")
    create_known_table(con, manifest.rows)
    create_departures_table(con, manifest.rows)
    if target.on_calendar:
        grid = calendar_cutoffs(
            company.calendar, target.span_days(config), manifest.start, manifest.end, target.name
        )
        con.execute("create temp table cutoffs (cutoff timestamptz)")
        con.executemany("insert into cutoffs values (?)", [[c.isoformat()] for c in grid])
    return target.label_sql(config)


def _no_label(config: TargetConfig, span: int, total: int, manifest: Manifest) -> str:
    """Why a target has no label at all."""
    if not total:
        return "the history has no label"
    if config.is_snapshot:
        return f"snapshot.label is empty for all {total:,} customers"
    return (
        f"no mature label in {total:,} rows; "
        f"answers must be {span} days older than the end of the data, {manifest.data_end[:10]}"
    )


def _snapshot_label_sql(data_end: str) -> str:
    """The label of each customer of a snapshot, at the customer's place in the order of the hash."""
    return (
        f"select customer_id, {place_sql('customer_id', data_end)} as cutoff, "
        f"{LABEL} as label, 1.0 as weight from customers"
    )


def _count_all_answers(con: duckdb.DuckDBPyConnection, target: Target, company: Company) -> int:
    """Count the labels that a horizon without an end would give."""
    unlimited = company.target(target.name).model_copy(update={"horizon_days": EVER_DAYS})
    return int(
        con.execute(f"select count(*) from ({target.label_sql(unlimited)})").fetchall()[0][0]
    )
