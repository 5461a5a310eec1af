"""Labels that look elsewhere than at their declared window: further, back, or at who will come.

A label looks at `[cutoff + gap, cutoff + gap + horizon)`. The target's SQL is run again over a
history that ends at the end of the window, and over one that begins with it: nothing may change.
For answers, it is run over a history that ends at the cutoff: no label may be there yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.contract import TABLES
from features.rows import DAY
from features.truncation import pair_names, truncate_each
from models.court.case import Case, ids, instants
from models.court.charge import Charge, Finding
from models.labels import know
from models.splits import instant
from models.targets import Target

KIND = "label window"
#: Labels that are known at the cutoff are those of an answer that had already come.
ANSWERED = "after the answer"

Labels = pd.Series
Tables = Mapping[str, pa.Table]


def judge(case: Case) -> Finding:
    """Run every target's SQL over histories cut off at both ends of its window."""
    charges: list[Charge] = []
    looked = 0
    con = duckdb.connect()
    try:
        con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false; SET threads = 1")
        for target in case.targets:
            found, rows = _examine(Clerk(con, case, target))
            charges += found
            looked += rows
    finally:
        con.close()
    return Finding(
        KIND, f"{looked:,} labels of {len(case.targets)} targets, made again", tuple(charges)
    )


@dataclass(frozen=True)
class Clerk:
    """Makes a target's labels again out of whatever tables are handed to it."""

    con: duckdb.DuckDBPyConnection
    case: Case
    target: Target

    def labels(self, tables: Tables, cutoff: int, known: Tables | None = None) -> Labels:
        """The target's SQL over these tables; customers are known since the records of `known`."""
        for name, table in (known or tables).items():
            self.con.register(name, table)
        know(self.con, list(tables))
        for name, table in tables.items() if known else ():
            self.con.register(name, table)
        moment = instant(cutoff).isoformat()
        self.con.execute(
            f"create or replace temp table cutoffs as select timestamptz '{moment}' as cutoff"
        )
        sql = self.target.labels(self.case.company.target(self.target.name))
        made = self.con.sql(
            f"select customer_id, cutoff, label::double as label from ({sql})"
        ).to_arrow_table()
        index = pd.MultiIndex.from_arrays([made["customer_id"].to_pylist(), instants(made)])
        labels = pd.Series(made["label"].to_numpy(), index).sort_index()
        return labels[~labels.index.duplicated()]


def _examine(clerk: Clerk) -> tuple[list[Charge], int]:
    """The charges against one target, and how many labels were compared."""
    case, target = clerk.case, clerk.target
    probes = case.probes[target.name]
    tables = case.tables_of(pc.unique(ids(probes)))
    span = case.span(target)
    charges, rows = [], 0
    for cutoff in _moments(case, target):
        start, end = cutoff + case.gap(target) * DAY, cutoff + span * DAY
        whole = clerk.labels(tables, cutoff)
        mine = _of(whole, target, cutoff, end, span)
        rows += len(mine)
        ending = clerk.labels(_between(tables, None, end), cutoff)
        charges += _further(target, mine, _of(ending, target, cutoff, end, span))
        later = whole[whole.index.get_level_values(1) >= cutoff]
        charges += _back(target, later, clerk.labels(_between(tables, start, None), cutoff, tables))
        if target.on_calendar:
            empty = clerk.labels(_between(tables, None, cutoff), cutoff)
            charges += _chosen_by_the_future(target, mine, empty)
    if not target.on_calendar:
        charges += _answered_before(clerk, tables, probes)
        rows += probes.num_rows
    return list({(c.kind, c.remedy): c for c in charges}.values()), rows


def _moments(case: Case, target: Target) -> list[int]:
    """Cutoffs to look at: the latest and a middle one; for answers a moment between the halves."""
    cutoffs = np.unique(case.keys(target).cutoff)
    places = (-1, len(cutoffs) // 2) if target.on_calendar else (len(cutoffs) // 2,)
    return sorted({int(cutoffs[p]) for p in places})


def _of(labels: Labels, target: Target, cutoff: int, end: int, span: int) -> Labels:
    """The labels whose windows end by `end`; at this cutoff if it is one of the calendar."""
    moment = labels.index.get_level_values(1)
    return labels[moment == cutoff] if target.on_calendar else labels[moment + span * DAY <= end]


def _between(tables: Tables, start: int | None, end: int | None) -> dict[str, pa.Table]:
    """Records that occurred from `start` on and before `end`; answers that came by then.

    When a record was entered does not matter here: a label is what really happened.
    """
    cut = {}
    for name, table in tables.items():
        clock = table[TABLES[name].clock]
        if end is not None:
            table = table.filter(pc.fill_null(pc.less(clock, _scalar(end)), name == "customers"))
            table = _unanswered(table, end) if name == "surveys" else table
        if start is not None and name != "customers":
            clock = table[TABLES[name].clock]
            table = table.filter(pc.greater_equal(clock, _scalar(start)))
        cut[name] = table
    return cut


def _unanswered(surveys: pa.Table, end: int) -> pa.Table:
    """Without the answers that came at `end` or later."""
    known = pc.fill_null(pc.less(surveys["answered_at"], _scalar(end)), False)
    for column in ("score", "expectation", "comment", "answered_at"):
        if column in surveys.column_names:
            place = surveys.column_names.index(column)
            blank = pa.scalar(None, surveys.schema.field(column).type)
            values = pc.if_else(known, surveys[column], blank)
            surveys = surveys.set_column(place, column, values)
    return surveys


def _scalar(moment: int) -> pa.Scalar:
    return pa.scalar(moment, pa.timestamp("us", "UTC"))


def _further(target: Target, whole: Labels, ending: Labels) -> list[Charge]:
    one, other = whole.align(ending)
    wrong = int((~np.isclose(one, other, rtol=1e-9, equal_nan=True)).sum())
    if not wrong:
        return []
    return [Charge(
        KIND, f"labels of {target.name}",
        f"{wrong:,} of {len(one):,} labels change when the records after their window are removed",
        "declare the whole window (targets.<name>.gap_days and horizon_days, span_days), or let the "
        "SQL look at [cutoff + gap, cutoff + gap + horizon) only", target.name,
    )]  # fmt: skip


def _back(target: Target, whole: Labels, from_start: Labels) -> list[Charge]:
    one, other = whole.align(from_start, join="inner")
    wrong = int((~np.isclose(one, other, rtol=1e-9, equal_nan=True)).sum())
    if not wrong:
        return []
    return [Charge(
        KIND, f"labels of {target.name}",
        f"{wrong:,} of {len(one):,} labels change when the records before their window are removed: "
        "part of the outcome is known at the cutoff",
        "let the window of the SQL start at cutoff + gap_days, as the target declares", target.name,
    )]  # fmt: skip


def _chosen_by_the_future(target: Target, whole: Labels, empty: Labels) -> list[Charge]:
    lost = len(whole.index.difference(empty.index))
    if not lost:
        return []
    return [Charge(
        KIND, f"labels of {target.name}",
        f"{lost:,} of {len(whole):,} rows are there only because of what happened after the cutoff",
        "choose customers by what was known before the cutoff: join `known`, and give the target a "
        "`population`", target.name,
    )]  # fmt: skip


def _answered_before(clerk: Clerk, tables: Tables, pairs: pa.Table) -> list[Charge]:
    """Rows whose label the SQL makes out of what was known at their cutoff already."""
    cutoff = instants(pairs)
    labels = clerk.labels(truncate_each(tables, ids(pairs), cutoff), int(cutoff[0]))
    own = pd.MultiIndex.from_arrays([pair_names(len(cutoff)).to_pylist(), cutoff])
    early = len(labels.index.intersection(own))
    if not early:
        return []
    return [Charge(
        ANSWERED, f"labels of {clerk.target.name}",
        f"{early:,} of {len(cutoff):,} looked-at answers had come before the cutoff of their row, so "
        "features see them", "take the sending of the question (sent_at) as the cutoff",
        clerk.target.name,
    )]  # fmt: skip
