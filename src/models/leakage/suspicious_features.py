"""Check for features that predict the outcome too well to have been known in time.

What a customer did before the cutoff ages slowly: one label window earlier it predicts nearly as
well. A backdated record loses its power. So does honest activity where the outcome is inactivity,
because customers who became inactive are inactive already; records are therefore suspicious only if
their presence predicts what their absence usually predicts. CRM attributes are suspicious if they
predict what all features of the past together do not. An attribute with today's state never changes
and so loses nothing; it shows by what it predicts beyond the past.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from models.leakage import univariate_auc
from models.leakage.audit_sample import AuditSample, Floats
from models.leakage.feature_roles import FeatureRoles, reads_label_events
from models.leakage.findings import LeakCheckResult, LeakFinding, list_names
from models.leakage.sampled_windows import LEAST, LabelWindow, Mask
from models.targets.target import Target
from models.training_set.splits import instant

KIND = "suspiciously good"
#: Records: log odds of the AUC at the cutoff (classes, values), and the fall one window earlier.
NOW, NOW_VALUE, FALL = np.log(0.90 / 0.10), np.log(0.96 / 0.04), 1.5
#: The same for a CRM attribute, which must also predict what the past does not.
NOW_ATTRIBUTE, FALL_ATTRIBUTE = np.log(0.80 / 0.20), 1.0
#: AUC where the label is an answer: the answer is often about something that has just happened.
NOW_ANSWER = 0.985
#: A constant attribute nearly decides: log odds of its AUC, and its lead over the best other feature.
DECIDES, LEAD = np.log(0.88 / 0.12), 1.0
#: Correlation with the outcome's residual: over all windows, and in the latest.
RESIDUAL, RESIDUAL_LATEST = 0.33, 0.50
#: Standard errors allowed for chance.
ERRORS = 3.0

REMEDY_LATE = (
    "find out when this is really known: its records seem to be dated back; map known_at (or "
    "valid_from) to that time"
)
REMEDY_TODAY = (
    "it looks like today's state shown in the past: map valid_from to the time each value became "
    "known, or leave the column out"
)

#: Windows with the ranks (features, rows) of their features at the cutoff.
RankedWindows = list[tuple[LabelWindow, Floats]]


@dataclass(frozen=True)
class FeaturePower:
    """The univariate AUC of every feature, averaged over the windows.

    `now` (at the cutoff) and `before` (one window earlier) are log odds, `error` is the standard
    error of `now`. `signed` is the AUC at the cutoff: below 0.5, larger values go with the smaller
    label.
    """

    now: Floats
    before: Floats
    error: Floats
    signed: Floats


def check_suspicious_features(
    sample: AuditSample, windows: dict[str, list[LabelWindow]]
) -> LeakCheckResult:
    """Measure how well each feature alone predicts each target, now and one window earlier."""
    findings: list[LeakFinding] = []
    roles = FeatureRoles.for_sample(sample)
    for target in sample.targets:
        ranked = [(w, _rank_features(sample, w.features, w)) for w in windows[target.name]]
        if not ranked:
            continue
        residual, latest = _residual_excess(sample, ranked, roles)
        findings += _find_backdated(sample, target, ranked, roles, residual)
        findings += _find_deciding(sample, target, ranked, roles, np.maximum(residual, latest))
    measured = sum(len(w) for w in windows.values())
    looked_at = f"{len(sample.feature_names)} features in {measured} label windows"
    return LeakCheckResult(KIND, looked_at, tuple(findings))


def _rank_features(sample: AuditSample, rows: pa.Table, window: LabelWindow) -> Floats:
    """Every planned feature as ranks (features, rows); texts through target encoding."""
    return univariate_auc.rank_rows(np.stack([
        univariate_auc.target_encode(rows[c.name], window.label, window.customer) if c.is_text
        else rows[c.name].to_numpy()
        for c in sample.plan.columns
    ]))  # fmt: skip


def _measure(parts: list[tuple[Floats, Floats, Floats]], classes: int) -> FeaturePower | None:
    """Means over (ranks now, ranks before, labels); None where a class has too few rows."""
    signed, before, errors = [], [], []
    for ranks, earlier, label in parts:
        found = univariate_auc.signed_auc(ranks, label, classes)
        if np.isfinite(found).all():
            signed.append(found)
            former = univariate_auc.signed_auc(earlier, label, classes)
            before.append(univariate_auc.log_odds(former))
            errors.append(univariate_auc.log_odds_error(found, label, classes))
    if not signed:
        return None
    error = np.sqrt(np.square(errors).sum(axis=0)) / len(signed)
    now = univariate_auc.log_odds(np.array(signed)).mean(axis=0)
    return FeaturePower(now, np.mean(before, axis=0), error, np.mean(signed, axis=0))


def _residual_excess(
    sample: AuditSample, ranked: RankedWindows, roles: FeatureRoles
) -> tuple[Floats, Floats]:
    """Each attribute's correlation with the outcome's residual, as a multiple of the limit.

    The residual is what the other features leave unexplained. Over all windows, and in the latest;
    0 where it may be chance.
    """
    over, latest = np.zeros((2, len(roles.attribute)))
    if not roles.attribute.any():
        return over, latest
    rest, errors = [], []
    texts = np.array([c.is_text for c in sample.plan.columns])[roles.attribute]
    for window, ranks in ranked:
        label = univariate_auc.rank_rows(window.label[None, :])[0]
        found, error = univariate_auc.residual_correlation(
            ranks[roles.attribute], ranks[~roles.attribute], label
        )
        rest.append(np.where(texts, np.maximum(found, 0.0), found))  # encoded texts predict upwards
        errors.append(error)
    everywhere, last = np.abs(np.mean(rest, axis=0)), np.abs(rest[0])
    error = float(np.sqrt(np.sum(np.square(errors))) / len(errors))
    over[roles.attribute] = np.where(everywhere - ERRORS * error >= RESIDUAL / 2, everywhere, 0)
    latest[roles.attribute] = np.where(last - ERRORS * errors[0] >= RESIDUAL_LATEST / 2, last, 0)
    return over / RESIDUAL, latest / RESIDUAL_LATEST


def _find_backdated(
    sample: AuditSample,
    target: Target,
    ranked: RankedWindows,
    roles: FeatureRoles,
    residual: Floats,
) -> list[LeakFinding]:
    """Features that predict the outcome now and much less one label window earlier.

    Only customers known one window earlier count: having joined since predicts the outcome, too.
    """
    parts = []
    for window, now in ranked:
        known = window.known_before
        if known.sum() >= LEAST:
            former = _rank_features(sample, window.earlier_features, window)
            both = (
                (now, former)
                if known.all()
                else map(univariate_auc.rank_rows, (now[:, known], former[:, known]))
            )
            parts.append((*both, window.label[known]))
    power = _measure(parts, len(target.classes))
    if power is None:
        return []
    fall = power.now - power.before
    limit = np.where(roles.attribute & target.on_calendar, FALL_ATTRIBUTE, FALL)
    enough = (fall >= limit) & (fall - ERRORS * power.error >= limit / 3) & ~roles.constant
    found = np.flatnonzero(enough & _is_suspicious(sample, target, power, roles, residual))
    if not len(found):
        return []
    worst, *_ = found = found[np.argsort(-fall[found])]
    return [LeakFinding(
        KIND, f"feature {list_names([sample.feature_names[i] for i in found])}",
        f"on its own it predicts the outcome with an AUC of {_auc_text(power.now[worst])} (1 is "
        f"perfect), but {_auc_text(power.before[worst])} with its values of "
        f"{sample.span_days(target)} days earlier, over {_describe_rows(ranked)}",
        REMEDY_LATE, target.name,
    )]  # fmt: skip


def _is_suspicious(
    sample: AuditSample,
    target: Target,
    power: FeaturePower,
    roles: FeatureRoles,
    residual: Floats,
) -> Mask:
    """Whether each feature predicts better than honest recent activity can."""
    if not target.on_calendar:
        return np.asarray(np.abs(power.signed - 0.5) + 0.5 >= NOW_ANSWER)
    attribute = roles.attribute & (power.now >= NOW_ATTRIBUTE) & (residual >= 1)
    records = ~roles.attribute & ~reads_label_events(sample, target)
    if not target.classes:
        return np.asarray(attribute | (records & (power.now >= NOW_VALUE)))
    direction = roles.direction * np.sign(power.signed - 0.5)
    usual = np.sign((direction * power.now)[~roles.attribute].sum())
    return np.asarray(attribute | (records & (power.now >= NOW) & (direction == -usual)))


def _find_deciding(
    sample: AuditSample,
    target: Target,
    ranked: RankedWindows,
    roles: FeatureRoles,
    residual: Floats,
) -> list[LeakFinding]:
    """Attributes that never change and predict what no other feature predicts."""
    power = _measure([(now, now, w.label) for w, now in ranked], len(target.classes))
    decides, best = np.zeros(len(roles.constant), bool), 0.0
    if power is not None:
        best = float(power.now[~roles.attribute].max(initial=0.0))
        decides = roles.constant & (power.now >= DECIDES) & (power.now - best >= LEAD)
        decides &= power.now - ERRORS * power.error >= DECIDES - 0.6
    findings = []
    for i in np.flatnonzero(decides | (roles.constant & (residual >= 1))):
        evidence = (
            f"on its own predicts the outcome with an AUC of {_auc_text(power.now[i])} (1 is "
            f"perfect); the best feature of the past has {_auc_text(best)}"
            if decides[i] and power is not None
            else f"follows what the {int((~roles.attribute).sum())} features of the past leave "
            f"unexplained, {residual[i]:.1f} times as closely as an honest attribute can"
        )
        findings.append(LeakFinding(
            KIND, f"feature {sample.feature_names[i]}",
            f"it never changes and {evidence}, over {_describe_rows(ranked)}", REMEDY_TODAY,
            target.name,
        ))  # fmt: skip
    return findings


def _auc_text(log_odds: float) -> str:
    return f"{1 / (1 + np.exp(-log_odds)):.2f}"


def _describe_rows(ranked: RankedWindows) -> str:
    windows = [window for window, _ in ranked]
    rows = sum(len(w.label) for w in windows)
    first, last = windows[-1].cutoff.min(), windows[0].cutoff.max()
    return f"{rows:,} rows from {instant(int(first)):%Y-%m-%d} to {instant(int(last)):%Y-%m-%d}"
