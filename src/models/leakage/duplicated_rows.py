"""Check for duplicates: repeated rows, customers and answers, and windows that overlap the test."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.history.history_table import DAY
from models.leakage.audit_sample import AuditSample, TrainingSetKeys
from models.leakage.findings import LeakCheckResult, LeakFinding
from models.targets.target import Target

KIND = "duplicates"
OVERLAP = "overlapping windows"
#: Shares from which duplicates are a leak: of the test's customers, of a training set's rows.
CUSTOMERS, ANSWERS = 0.001, 0.01
#: Events that must agree before two ids are one customer; ids that may share such an event.
EVENTS, RARE = 3, 5


def check_duplicates(sample: AuditSample) -> LeakCheckResult:
    """Look for duplicates in the training sets and in the history."""
    findings: list[LeakFinding] = []
    notes: list[str] = []
    for target in sample.targets:
        keys = sample.keys(target)
        found, remarks = _duplicated_rows(target, keys)
        findings += found + _overlap(sample, target, keys)
        notes += remarks
    twins = _twins(sample)
    for target in sample.targets:
        findings += _report_twins(sample, target, twins)
    rows = sum(len(sample.keys(t).cutoff) for t in sample.targets)
    looked_at = f"{rows:,} rows, {sample.manifest.customers:,} customers"
    return LeakCheckResult(KIND, looked_at, tuple(findings), tuple(notes))


def _duplicated_rows(target: Target, keys: TrainingSetKeys) -> tuple[list[LeakFinding], list[str]]:
    """Rows with the same customer and cutoff (for answers also the same label); few are a note."""
    columns: dict[str, object] = {"customer": keys.customer, "cutoff": keys.cutoff}
    if not target.on_calendar:  # two questions may be sent at the same time
        columns["label"] = keys.label
    repeated = int(pd.DataFrame(columns).duplicated().sum())
    if not repeated:
        return [], []
    where = f"features/{target.name}.parquet"
    if not target.on_calendar and repeated < ANSWERS * len(keys.cutoff):
        return [], [f"{where}: {repeated:,} of {len(keys.cutoff):,} answers are duplicates"]
    what = "rows" if target.on_calendar else "answers"
    return [LeakFinding(
        KIND, where,
        f"{repeated:,} of {len(keys.cutoff):,} {what} are duplicates: the same customer, cutoff"
        + ("" if target.on_calendar else " and answer"),
        "remove the duplicates: duplicates = \"remove\" under the table in the company's file, or "
        "in its query; then run `goodwill data` and `goodwill features`", target.name,
    )], []  # fmt: skip


def _overlap(sample: AuditSample, target: Target, keys: TrainingSetKeys) -> list[LeakFinding]:
    """Training rows that are test rows, or whose label window reaches into the test."""
    split = sample.split(target)
    if split is None:
        return []
    span = sample.span_days(target) * DAY
    learnt = split.refit | split.fit | split.valid
    start = keys.cutoff[split.test].min()
    overlapping = int((learnt & (split.test | (keys.cutoff + span > start))).sum())
    if not overlapping:
        return []
    return [LeakFinding(
        OVERLAP, f"the split of {target.name}",
        f"{overlapping:,} of {int(learnt.sum()):,} training rows have label windows of "
        f"{sample.span_days(target)} days that reach into the test, or are rows of it",
        "split in time with models.training_set.splits: a window must end before the test begins",
        target.name,
    )]  # fmt: skip


def _twins(sample: AuditSample) -> NDArray[np.str_]:
    """Ids whose whole history of some kind of event also belongs to another id.

    Events that many customers share, such as a fee on the first of the month, do not count.
    """
    if "events" not in sample.manifest.rows:
        return np.array([], str)
    same = "hash(occurred_at, kind, amount)"
    # a contact without an amount may reach several customers at the same instant
    informative = (
        "amount is not null" if "amount" in sample.manifest.schema.tables["events"] else "true"
    )
    sample.connection.execute(
        "create or replace temp table alike as select customer_id, kind from ("
        f"select customer_id, kind, count(*) as n, sum({same}::hugeint) as mark from events "
        f"where {informative} group by all) where n >= {EVENTS} "
        "qualify count(*) over (partition by mark, n, kind) > 1"
    )
    if not sample.connection.execute("select count(*) from alike").fetchall()[0][0]:
        return np.array([], str)
    found = sample.connection.execute(
        f"with marked as (select customer_id, {same} as event from events "
        f"where {informative} and kind in (select kind from alike)), "
        "mine as (select distinct * from marked semi join alike using (customer_id)), "
        "common as (select event, count(distinct customer_id) as owners from marked "
        "where event in (select event from mine) group by 1) "
        "select customer_id from mine join common using (event) where owners between 2 and "
        f"{RARE} group by 1 having count(*) >= {EVENTS} order by 1"
    ).fetchall()
    return np.array([row[0] for row in found], str)


def _report_twins(
    sample: AuditSample, target: Target, twins: NDArray[np.str_]
) -> list[LeakFinding]:
    split = sample.split(target)
    if not len(twins) or split is None:
        return []
    keys, test = sample.keys(target), split.test
    is_twin = np.isin(np.array(keys.customer_id.to_pylist(), str), twins)
    inside = int((is_twin & test).sum())
    if inside < max(2, CUSTOMERS * int(test.sum())):
        return []
    return [LeakFinding(
        KIND, "customers under several ids",
        f"{len(twins):,} ids share their whole history of orders or other events, {EVENTS} or "
        f"more, with another id; {inside:,} of {int(test.sum()):,} test rows belong to them, and "
        "their duplicates are trained on",
        "map both ids onto one customer_id in the company's query", target.name,
    )]  # fmt: skip
