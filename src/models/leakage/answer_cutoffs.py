"""Rows of a survey target whose cutoff is the moment of an answer: features saw what led to it."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.leakage.audit_sample import Case, instants
from models.leakage.findings import Charge, Finding
from models.leakage.label_window import ANSWERED
from models.targets.registry import Target

#: From this share of a target's rows on it is no coincidence that an answer came at the cutoff.
SHARE = 0.5


def judge(case: Case) -> Finding:
    """Compare the cutoffs of answer targets with the sending and the answering of questions."""
    asked = [t for t in case.targets if not t.on_calendar and "surveys" in case.manifest.rows]
    if not asked:
        return Finding(ANSWERED, "no target is an answer")
    surveys = case.tables["surveys"]
    surveys = surveys.filter(pc.is_valid(surveys["answered_at"]))
    found = [c for target in asked for c in _charge(case, target, surveys)]
    rows = sum(len(case.keys(t).cutoff) for t in asked)
    at_once = _instant_answers(surveys)
    return Finding(ANSWERED, f"{rows:,} rows of {len(asked)} targets", tuple(found), at_once)


def _charge(case: Case, target: Target, surveys: pa.Table) -> list[Charge]:
    keys = case.keys(target)
    mine = pc.is_in(keys.customer_id, pc.unique(surveys["customer_id"].combine_chunks()))
    here = mine.to_numpy(zero_copy_only=False)
    rows = list(zip(keys.customer_id.filter(mine).to_pylist(), keys.cutoff[here], strict=True))
    owner = surveys["customer_id"].to_pylist()
    sent, answered = instants(surveys, "sent_at"), instants(surveys, "answered_at")
    later = answered > sent
    asked = set(zip(owner, sent, strict=True))
    came = {(c, a) for c, a, w in zip(owner, answered, later, strict=True) if w}
    hits = sum(row in came and row not in asked for row in rows)
    if not rows or hits < SHARE * len(rows):
        return []
    waited = float(np.median((answered - sent)[later])) / 3.6e9
    return [Charge(
        ANSWERED, f"cutoffs of {target.name}",
        f"{hits:,} of {len(rows):,} rows have the instant of an answer as their cutoff, a median of "
        f"{waited:,.1f} hours after the question was sent",
        "take the sending of the question (sent_at) as the cutoff", target.name,
    )]  # fmt: skip


def _instant_answers(surveys: pa.Table) -> tuple[str, ...]:
    """Worth knowing: every answer is dated like its question, so the sending may not be recorded."""
    if not surveys.num_rows:
        return ()
    if (instants(surveys, "sent_at") != instants(surveys, "answered_at")).any():
        return ()
    return (
        f"all {surveys.num_rows:,} answers came at the very instant of their question; if sent_at "
        "is mapped from the time of the answer, features see more than is known when one asks",
    )
