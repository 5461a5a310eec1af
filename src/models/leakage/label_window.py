"""Labels that look elsewhere than at their declared window: further, back, or at who will come.

A label looks at `[cutoff + gap, cutoff + gap + horizon)`. The target's SQL is run again over a
history that ends at the end of the window, and over one that begins with it: nothing may change.
For answers, it is run over a history that ends at the cutoff: no label may be there yet.
"""

import duckdb
import numpy as np
import pandas as pd
import pyarrow.compute as pc

from features.history.rows import DAY
from features.lookahead import pair_names, truncate_each
from models.leakage.audit_sample import Case, Ints, ids, instants
from models.leakage.findings import Charge, Finding
from models.leakage.relabelling import Labels, between, labels_over
from models.targets.registry import Target

KIND = "label window"
#: Labels that are known at the cutoff are those of an answer that had already come.
ANSWERED = "after the answer"


def judge(case: Case) -> Finding:
    """Run every target's SQL over histories cut off at both ends of its window."""
    charges: list[Charge] = []
    looked = 0
    con = duckdb.connect()
    try:
        con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false; SET threads = 1")
        for target in case.targets:
            found, rows = _examine(con, case, target)
            charges += found
            looked += rows
    finally:
        con.close()
    return Finding(
        KIND, f"{looked:,} labels of {len(case.targets)} targets, made again", tuple(charges)
    )


def _examine(
    con: duckdb.DuckDBPyConnection, case: Case, target: Target
) -> tuple[list[Charge], int]:
    """The charges against one target, and how many labels were compared."""
    probes = case.probes[target.name]
    tables = case.tables_of(pc.unique(ids(probes)))
    cutoff, span = _moment(case, target), case.span(target) * DAY
    start, end = cutoff + case.gap(target) * DAY, cutoff + span
    own: Ints = instants(probes)
    histories = {
        "whole": tables,
        "ending": between(tables, None, end),
        "from start": between(tables, start, None),
        "empty": between(tables, None, cutoff),
        "before": {} if target.on_calendar else truncate_each(tables, ids(probes), own),
    }
    made = labels_over(con, case, target, cutoff, histories, known={"from start": tables})
    whole, ending = (_of(made[n], target, cutoff, end - span) for n in ("whole", "ending"))
    charges = _further(target, whole, ending)
    later = made["whole"].index.get_level_values(1) >= cutoff
    charges += _back(target, made["whole"][later], made["from start"])
    if target.on_calendar:
        return charges + _chosen_by_the_future(target, whole, made["empty"]), len(whole)
    return charges + _answered_before(target, made["before"], own), len(whole) + len(own)


def _moment(case: Case, target: Target) -> int:
    """The cutoff to look at: one in the middle, with records before and after its window."""
    cutoffs = np.unique(case.keys(target).cutoff)
    return int(cutoffs[len(cutoffs) // 2])


def _of(labels: Labels, target: Target, cutoff: int, latest: int) -> Labels:
    """The labels whose windows are over by then; at this cutoff if it is one of the calendar."""
    moment = labels.index.get_level_values(1)
    return labels[moment == cutoff] if target.on_calendar else labels[moment <= latest]


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


def _answered_before(target: Target, labels: Labels, cutoff: Ints) -> list[Charge]:
    """Rows whose label the SQL makes out of what was known at their cutoff already."""
    own = pd.MultiIndex.from_arrays([pair_names(len(cutoff)).to_pylist(), cutoff])
    early = len(labels.index.intersection(own))
    if not early:
        return []
    return [Charge(
        ANSWERED, f"labels of {target.name}",
        f"{early:,} of {len(cutoff):,} looked-at answers had come before the cutoff of their row, so "
        "features see them", "take the sending of the question (sent_at) as the cutoff", target.name,
    )]  # fmt: skip
