"""Copies: rows, customers and answers that are there twice, and windows on both sides of the split."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.history.rows import DAY
from models.leakage.audit_sample import Case, Keys
from models.leakage.findings import Charge, Finding
from models.targets.registry import Target

KIND = "copies"
OVERLAP = "overlapping windows"
#: Shares from which copies are a leak: of the test's customers, of a training set's rows.
CUSTOMERS, ANSWERS = 0.001, 0.01
#: Events that must agree before two customers are one, and customers an event may have in common.
EVENTS, RARE = 3, 5


def judge(case: Case) -> Finding:
    """Look for what stands twice in the training sets and in the history."""
    charges: list[Charge] = []
    notes: list[str] = []
    for target in case.targets:
        keys = case.keys(target)
        found, told = _rows(target, keys)
        charges += found + _overlap(case, target, keys)
        notes += told
    twins = _twins(case)
    for target in case.targets:
        charges += _charge_twins(case, target, twins)
    rows = sum(len(case.keys(t).cutoff) for t in case.targets)
    looked = f"{rows:,} rows, {case.manifest.customers:,} customers"
    return Finding(KIND, looked, tuple(charges), tuple(notes))


def _rows(target: Target, keys: Keys) -> tuple[list[Charge], list[str]]:
    """The same customer at the same cutoff twice; for answers with the same outcome."""
    columns: dict[str, object] = {"customer": keys.customer, "cutoff": keys.cutoff}
    if not target.on_calendar:  # two questions may go out at once
        columns["label"] = keys.label
    twice = int(pd.DataFrame(columns).duplicated().sum())
    if not twice:
        return [], []
    where = f"features/{target.name}.parquet"
    if not target.on_calendar and twice < ANSWERS * len(keys.cutoff):
        return [], [f"{where}: {twice:,} of {len(keys.cutoff):,} answers are there twice"]
    what = "rows" if target.on_calendar else "answers"
    return [Charge(
        KIND, where,
        f"{twice:,} of {len(keys.cutoff):,} {what} are there twice: the same customer, cutoff"
        + ("" if target.on_calendar else " and answer"),
        "remove the duplicates: duplicates = \"remove\" under the table in the company's file, or "
        "in its query; then `goodwill data` and `goodwill features`", target.name,
    )], []  # fmt: skip


def _overlap(case: Case, target: Target, keys: Keys) -> list[Charge]:
    """Rows that learn although their label window reaches into the test, or that are the test."""
    split = case.split(target)
    if split is None:
        return []
    span = case.span(target) * DAY
    learnt = split.refit | split.fit | split.valid
    start = keys.cutoff[split.test].min()
    both = int((learnt & (split.test | (keys.cutoff + span > start))).sum())
    if not both:
        return []
    return [Charge(
        OVERLAP, f"the split of {target.name}",
        f"{both:,} of {int(learnt.sum()):,} rows that learn have label windows of "
        f"{case.span(target)} days that reach into the test or are rows of it",
        "split in time with models.splits: a window must be over before the test begins",
        target.name,
    )]  # fmt: skip


def _twins(case: Case) -> NDArray[np.str_]:
    """Customers whose history of some kind of event another one has too, event for event.

    Not those whose events many have in common, such as a fee on the first of the month.
    """
    if "events" not in case.manifest.rows:
        return np.array([], str)
    same = "hash(occurred_at, kind, amount)"
    # a contact without an amount may go to a few at the same instant
    telling = "amount is not null" if "amount" in case.manifest.schema.tables["events"] else "true"
    case.con.execute(
        "create or replace temp table alike as select customer_id, kind from ("
        f"select customer_id, kind, count(*) as n, sum({same}::hugeint) as mark from events "
        f"where {telling} group by all) where n >= {EVENTS} "
        "qualify count(*) over (partition by mark, n, kind) > 1"
    )
    if not case.con.execute("select count(*) from alike").fetchall()[0][0]:
        return np.array([], str)
    found = case.con.execute(
        f"with marked as (select customer_id, {same} as event from events "
        f"where {telling} and kind in (select kind from alike)), "
        "mine as (select distinct * from marked semi join alike using (customer_id)), "
        "common as (select event, count(distinct customer_id) as owners from marked "
        "where event in (select event from mine) group by 1) "
        "select customer_id from mine join common using (event) where owners between 2 and "
        f"{RARE} group by 1 having count(*) >= {EVENTS} order by 1"
    ).fetchall()
    return np.array([row[0] for row in found], str)


def _charge_twins(case: Case, target: Target, twins: NDArray[np.str_]) -> list[Charge]:
    split = case.split(target)
    if not len(twins) or split is None:
        return []
    keys, test = case.keys(target), split.test
    mine = np.isin(np.array(keys.customer_id.to_pylist(), str), twins)
    inside = int((mine & test).sum())
    if inside < max(2, CUSTOMERS * int(test.sum())):
        return []
    return [Charge(
        KIND, "customers under several ids",
        f"{len(twins):,} customers share their whole history of orders or other events, {EVENTS} or "
        f"more, with another id; {inside:,} of {int(test.sum()):,} test rows are theirs, while their "
        "copies teach",
        "map both ids onto one customer_id in the company's query", target.name,
    )]  # fmt: skip
