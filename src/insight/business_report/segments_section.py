"""Tables of tiers, star ratings, lifecycle stages, clusters and segments, and of migrations."""

import re
from dataclasses import dataclass

import numpy as np

from features.formatting import NumberFormat
from insight.business_report.figure_markup import data_attributes
from insight.business_report.report_inputs import ReportInputs
from insight.business_report.translations import Translator
from insight.evaluation.evaluation_schema import MigrationMatrix, Segment

#: Numbers of a segment whose exact values are data attributes.
EXACT = (
    "customers", "share", "expected_value", "expected_low", "expected_high", "share_of_value",
    "satisfaction", "churn_probability", "rule_share", "rule_reach",
)  # fmt: skip
KINDS = ("tier", "stage", "group", "stars", "quadrant", "value")


@dataclass(frozen=True)
class SegmentRow:
    """A formatted segment; `bar` is its share in percent of the largest segment's.

    `exact` holds the data attributes by field.
    """

    name: str
    note: str
    customers: str
    share: str
    bar: float
    value: str
    value_interval: str
    value_share: str
    satisfaction: str
    churn: str
    rule: str
    policy: list[str]
    exact: dict[str, dict[str, str]]


@dataclass(frozen=True)
class SegmentTable:
    """All segments of one kind, and which columns have values."""

    by: str
    title: str
    rows: list[SegmentRow]
    has: dict[str, bool]


@dataclass(frozen=True)
class MigrationCell:
    """Customers who changed from one tier or stage to another; `depth` is their share of the row."""

    text: str
    number: int
    kind: str
    depth: float
    exact: dict[str, str]


@dataclass(frozen=True)
class MigrationTable:
    """Migration between two dates; `directed`: the causes distinguish up and down."""

    title: str
    note: str
    after: list[str]
    rows: list[tuple[str, list[MigrationCell]]]
    causes: list[tuple[str, str, str, str]]
    directed: bool
    exact: dict[str, str]
    exact_causes: list[dict[str, str]]


def segment_tables(inputs: ReportInputs) -> list[SegmentTable]:
    """A table for each kind of segment of the evaluation."""
    if inputs.evaluation is None:
        return []
    tables = []
    for kind in KINDS:
        of = [s for s in inputs.evaluation.segments if s.by == kind]
        if of:
            most = max(s.share for s in of)
            rows = [_row(s, most, inputs) for s in of]
            fields = ("value", "value_share", "satisfaction", "churn", "rule", "policy")
            has = {f: any(getattr(r, f) not in ("", []) for r in rows) for f in fields}
            tables.append(SegmentTable(kind, inputs.translate(f"segments_{kind}"), rows, has))
    return tables


def _row(segment: Segment, most: float, inputs: ReportInputs) -> SegmentRow:
    translate, numbers = inputs.translate, inputs.numbers
    value, share = segment.expected_value, segment.share_of_value
    satisfaction, churn = segment.satisfaction, segment.churn_probability
    name, _, note = segment_name(segment, inputs).partition(inputs.translate("colon"))
    return SegmentRow(
        name=name,
        note=note,
        customers=numbers.count(segment.customers),
        share=numbers.percent(segment.share),
        bar=round(100 * segment.share / most, 1) if most else 0.0,
        value="" if value is None else numbers.amount(value),
        value_interval=_interval(segment.expected_low, segment.expected_high, numbers),
        value_share="" if share is None else numbers.percent(share, 0),
        satisfaction="" if satisfaction is None else numbers.decimal(satisfaction),
        churn="" if churn is None else numbers.percent(churn),
        rule=_rule(segment, translate),
        policy=_policy(segment, inputs),
        exact={
            of: data_attributes(
                segment=segment.by, name=segment.name, of=of, value=getattr(segment, of)
            )
            for of in EXACT
        },
    )


def segment_name(segment: Segment, inputs: ReportInputs) -> str:
    """The display name of a segment."""
    if segment.by == "stars" and segment.name.isdigit():
        return "★" * int(segment.name) + "☆" * (5 - int(segment.name))
    if segment.by == "group" and len(segment.name) == 1:
        return inputs.translate("cluster", name=segment.name)
    return inputs.translate.name(segment.by, segment.name)


def _interval(low: float | None, high: float | None, numbers: NumberFormat) -> str:
    """The 90% interval of a sum of expected values; empty where it is not known."""
    if low is None or high is None:
        return ""
    return numbers.interval(numbers.amount(low), numbers.amount(high))


def _rule(segment: Segment, translate: Translator) -> str:
    numbers = translate.numbers
    if not segment.rule:
        return ""
    rule = translate_rule(segment.rule, translate)
    if segment.rule_share is None or segment.rule_reach is None:
        return rule
    return translate(
        "rule",
        rule=rule,
        share=numbers.percent(segment.rule_share, 0),
        reach=numbers.percent(segment.rule_reach, 0),
    )


def translate_rule(rule: str, translate: Translator) -> str:
    """Replace the metrics of a cluster rule by their display names: price ≤ 62.5 and service > 70."""
    if rule == "everybody":
        return translate("everybody")
    parts = re.sub(r" and (?=\S+ [≤>])", translate("and"), rule)
    return re.sub(r"[a-z_]{2,}(?= [≤>])", lambda m: metric_name(m.group(), translate), parts)


def metric_name(name: str, translate: Translator) -> str:
    """The display name of a metric, a survey dimension or a dimension of the value score."""
    kinds = (kind for kind in ("cause", "dimension", "trait") if translate.has_name(kind, name))
    return translate.name(next(kinds, "cause"), name)


def _policy(segment: Segment, inputs: ReportInputs) -> list[str]:
    policy, translate = segment.policy, inputs.translate
    if policy is None:
        return []
    lines = [
        translate.name("service", policy.service_level),
        translate.name("manager", policy.manager),
        translate("first_reply", hours=f"{policy.first_reply_hours:g}"),
    ]
    if policy.visits_per_year:
        lines.append(translate("visits", n=policy.visits_per_year))
    return lines + [translate.name("offer", offer) for offer in policy.offers]


def migration_table(inputs: ReportInputs, which: str) -> MigrationTable | None:
    """Migration between tiers or stages; None where only one date is known."""
    moves: MigrationMatrix | None = getattr(inputs.evaluation, which, None)
    if moves is None:
        return None
    kind = {"tiers": "tier", "stages": "stage"}[which]
    translate, numbers = inputs.translate, inputs.numbers
    if which == "stages":
        moves = _without_empty_states(moves)
    rows = []
    for before, counts in zip(moves.before, moves.customers, strict=True):
        total = sum(counts) or 1
        cells = [
            MigrationCell(numbers.count(n) if n else "·", n, "stayed" if a == before else "moved",
                     round(n / total, 3), data_attributes(moves=which, name=before, to=a, value=n))
            for a, n in zip(moves.after, counts, strict=True)
        ]  # fmt: skip
        rows.append((translate.name(kind, before), cells))
    count = numbers.count
    causes = [
        (translate.name("cause", c.cause), count(c.up), count(c.down), count(c.other))
        for c in moves.causes
    ]
    directed = any(c.up or c.down for c in moves.causes)
    after = [translate.name(kind, a) for a in moves.after]
    exact = data_attributes(moves=which, moved=moves.moved, plain=moves.plain)
    exact_causes = [data_attributes(moves=which, **c.model_dump()) for c in moves.causes]
    return MigrationTable(
        translate(f"moves_{which}"),
        _note(moves, inputs),
        after,
        rows,
        causes,
        directed,
        exact,
        exact_causes,
    )


def _without_empty_states(moves: MigrationMatrix) -> MigrationMatrix:
    """The matrix without stages that nobody was in at either date."""
    counts = np.array(moves.customers)
    rows = {name: int(n) for name, n in zip(moves.before, counts.sum(axis=1), strict=True)}
    columns = {name: int(n) for name, n in zip(moves.after, counts.sum(axis=0), strict=True)}
    there = {n for n in {**rows, **columns} if rows.get(n) or columns.get(n)}
    kept = [[place for place, name in enumerate(names) if name in there]
            for names in (moves.before, moves.after)]  # fmt: skip
    return moves.model_copy(
        update={
            "before": [moves.before[i] for i in kept[0]],
            "after": [moves.after[j] for j in kept[1]],
            "customers": counts[np.ix_(*kept)].tolist(),
        }
    )


def _note(moves: MigrationMatrix, inputs: ReportInputs) -> str:
    translate, numbers = inputs.translate, inputs.numbers
    note = translate("moves_note", since=numbers.day(moves.since), until=numbers.day(moves.until))
    if moves.moved is not None:
        note += translate("moves_share", moved=numbers.percent(moves.moved))
    if moves.plain is not None:
        note += translate("moves_plain", plain=numbers.percent(moves.plain))
    return note + (translate("moves_rebuilt") if moves.rebuilt else "")
