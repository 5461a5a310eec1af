"""Features that tell the outcome too well to have been known in time.

What a customer did before the cutoff goes stale slowly: taken one label window earlier it tells
nearly as much. A record that was dated back collapses. But so do honest signs of life where the
outcome is silence, for who fell silent since is silent already; hence records are suspected only
when their presence tells what otherwise absence does. Attributes are no signs of life: they are
suspected when they tell what all the past together does not. One that holds today's state does not
collapse, for it never changes; it shows by what it tells beyond the past.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from models.leakage import univariate_auc
from models.leakage.audit_sample import AuditSample, Floats
from models.leakage.feature_roles import FeatureRoles, own_past
from models.leakage.findings import LeakFinding, LeakCheckResult, list_names
from models.leakage.sampled_windows import LEAST, Mask, LabelWindow
from models.targets.target import Target
from models.training_set.splits import instant

KIND = "suspiciously good"
#: A collapse: power of classes and of values now, and what is lost, in log odds.
NOW, NOW_VALUE, LOST = np.log(0.90 / 0.10), np.log(0.96 / 0.04), 1.5
#: The same of an attribute, which must besides tell what the past does not.
NOW_STATE, LOST_STATE = np.log(0.80 / 0.20), 1.0
#: The power now where the label is an answer: what it is about has often just happened.
NOW_ANSWER = 0.985
#: An attribute nearly decides: its power, and its lead over the best of the past, in log odds.
DECIDES, LEAD = np.log(0.88 / 0.12), 1.0
#: Correlation with what the past leaves unexplained: over all windows, and in the latest.
BEYOND, LATEST = 0.33, 0.50
#: Standard errors that chance is given.
ERRORS = 3.0

REMEDY_LATE = (
    "find out when this is really known: its records seem dated back; map known_at (or valid_from) "
    "to that time"
)
REMEDY_STATE = (
    "it looks like today's state shown in the past: map valid_from to when each value was known, or "
    "leave the column out"
)

#: Windows with the ranks (features, rows) of their features now.
Ranked = list[tuple[LabelWindow, Floats]]


@dataclass(frozen=True)
class Power:
    """The power of every feature, means over the windows: now, and one window earlier.

    `now` and `before` are log odds, `error` the standard error of `now`; `signed` is the power
    now, below .5 where larger values go with the smaller label.
    """

    now: Floats
    before: Floats
    error: Floats
    signed: Floats


def judge(sample: AuditSample, windows: dict[str, list[LabelWindow]]) -> LeakCheckResult:
    """Measure every feature of every target, now and one label window earlier."""
    charges: list[LeakFinding] = []
    roles = FeatureRoles.of(sample)
    for target in sample.targets:
        ranked = [(w, _ranked(sample, w.now, w)) for w in windows[target.name]]
        if not ranked:
            continue
        beyond, latest = _beyond(sample, ranked, roles)
        charges += _collapsing(sample, target, ranked, roles, beyond)
        charges += _deciding(sample, target, ranked, roles, np.maximum(beyond, latest))
    measured = sum(len(w) for w in windows.values())
    looked = f"{len(sample.feature_names)} features in {measured} label windows"
    return LeakCheckResult(KIND, looked, tuple(charges))


def _ranked(sample: AuditSample, rows: pa.Table, window: LabelWindow) -> Floats:
    """Every planned feature as ranks (features, rows)."""
    return univariate_auc.ranks(np.stack([
        univariate_auc.rates(rows[c.name], window.label, window.customer) if c.is_text
        else rows[c.name].to_numpy()
        for c in sample.plan.columns
    ]))  # fmt: skip


def _measure(parts: list[tuple[Floats, Floats, Floats]], classes: int) -> Power | None:
    """Means over (ranks now, ranks before, labels); None where there is too little of a class."""
    told, former, errors = [], [], []
    for ranked, earlier, label in parts:
        found = univariate_auc.powers(ranked, label, classes)
        if np.isfinite(found).all():
            told.append(found)
            former.append(univariate_auc.log_odds(univariate_auc.powers(earlier, label, classes)))
            errors.append(univariate_auc.error(found, label, classes))
    if not told:
        return None
    error = np.sqrt(np.square(errors).sum(axis=0)) / len(told)
    now = univariate_auc.log_odds(np.array(told)).mean(axis=0)
    return Power(now, np.mean(former, axis=0), error, np.mean(told, axis=0))


def _beyond(sample: AuditSample, ranked: Ranked, roles: FeatureRoles) -> tuple[Floats, Floats]:
    """How far each attribute follows what the past leaves unexplained, 0 where it may be chance.

    As a share of what is too much: over all windows, and in the latest.
    """
    over, latest = np.zeros((2, len(roles.attribute)))
    if not roles.attribute.any():
        return over, latest
    rest, errors = [], []
    texts = np.array([c.is_text for c in sample.plan.columns])[roles.attribute]
    for window, now in ranked:
        label = univariate_auc.ranks(window.label[None, :])[0]
        told, error = univariate_auc.beyond(now[roles.attribute], now[~roles.attribute], label)
        rest.append(np.where(texts, np.maximum(told, 0.0), told))  # rates tell in one way only
        errors.append(error)
    everywhere, last = np.abs(np.mean(rest, axis=0)), np.abs(rest[0])
    error = float(np.sqrt(np.sum(np.square(errors))) / len(errors))
    over[roles.attribute] = np.where(everywhere - ERRORS * error >= BEYOND / 2, everywhere, 0)
    latest[roles.attribute] = np.where(last - ERRORS * errors[0] >= LATEST / 2, last, 0)
    return over / BEYOND, latest / LATEST


def _collapsing(
    sample: AuditSample, target: Target, ranked: Ranked, roles: FeatureRoles, beyond: Floats
) -> list[LeakFinding]:
    """Features that tell the outcome now and much less one label window earlier.

    Among customers who were known by then: to have come since tells, too.
    """
    parts = []
    for window, now in ranked:
        there = window.there
        if there.sum() >= LEAST:
            former = _ranked(sample, window.before, window)
            both = (
                (now, former)
                if there.all()
                else map(univariate_auc.ranks, (now[:, there], former[:, there]))
            )
            parts.append((*both, window.label[there]))
    told = _measure(parts, len(target.classes))
    if told is None:
        return []
    lost = told.now - told.before
    much = np.where(roles.attribute & target.on_calendar, LOST_STATE, LOST)
    enough = (lost >= much) & (lost - ERRORS * told.error >= much / 3) & ~roles.fixed
    found = np.flatnonzero(enough & _suspected(sample, target, told, roles, beyond))
    if not len(found):
        return []
    worst, *_ = found = found[np.argsort(-lost[found])]
    return [LeakFinding(
        KIND, f"feature {list_names([sample.feature_names[i] for i in found])}",
        f"alone it tells the outcome with a power of {_share(told.now[worst])} (1 is certainty), but "
        f"{_share(told.before[worst])} with its values of {sample.span_days(target)} days earlier, over "
        f"{_rows(ranked)}", REMEDY_LATE, target.name,
    )]  # fmt: skip


def _suspected(sample: AuditSample, target: Target, told: Power, roles: FeatureRoles, beyond: Floats) -> Mask:
    """Whether so much power is more than honest signs of life would have."""
    if not target.on_calendar:
        return np.asarray(np.abs(told.signed - 0.5) + 0.5 >= NOW_ANSWER)
    attribute = roles.attribute & (told.now >= NOW_STATE) & (beyond >= 1)
    records = ~roles.attribute & ~own_past(sample, target)
    if not target.classes:
        return np.asarray(attribute | (records & (told.now >= NOW_VALUE)))
    told_way = roles.way * np.sign(told.signed - 0.5)
    usual = np.sign((told_way * told.now)[~roles.attribute].sum())
    return np.asarray(attribute | (records & (told.now >= NOW) & (told_way == -usual)))


def _deciding(
    sample: AuditSample, target: Target, ranked: Ranked, roles: FeatureRoles, beyond: Floats
) -> list[LeakFinding]:
    """Attributes that never change and tell what nothing of the past tells."""
    told = _measure([(now, now, w.label) for w, now in ranked], len(target.classes))
    decides, best = np.zeros(len(roles.fixed), bool), 0.0
    if told is not None:
        best = float(told.now[~roles.attribute].max(initial=0.0))
        decides = roles.fixed & (told.now >= DECIDES) & (told.now - best >= LEAD)
        decides &= told.now - ERRORS * told.error >= DECIDES - 0.6
    charges = []
    for i in np.flatnonzero(decides | (roles.fixed & (beyond >= 1))):
        evidence = (
            f"alone tells the outcome with a power of {_share(told.now[i])} (1 is certainty); the "
            f"best feature of the past has {_share(best)}"
            if decides[i] and told is not None
            else f"follows what the {int((~roles.attribute).sum())} features of the past leave "
            f"unexplained, {beyond[i]:.1f} times as audited_customers as an honest attribute can"
        )
        charges.append(LeakFinding(
            KIND, f"feature {sample.feature_names[i]}",
            f"it never changes and {evidence}, over {_rows(ranked)}", REMEDY_STATE, target.name,
        ))  # fmt: skip
    return charges


def _share(log_odds: float) -> str:
    return f"{1 / (1 + np.exp(-log_odds)):.2f}"


def _rows(ranked: Ranked) -> str:
    windows = [window for window, _ in ranked]
    rows = sum(len(w.label) for w in windows)
    first, last = windows[-1].cutoff.min(), windows[0].cutoff.max()
    return f"{rows:,} rows from {instant(int(first)):%Y-%m-%d} to {instant(int(last)):%Y-%m-%d}"
