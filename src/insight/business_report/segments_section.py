"""Where customers stand: tiers and what they are served with, stars, stages, segments, and who moved."""

import re
from dataclasses import dataclass

from insight.business_report.figure_markup import attributes
from insight.business_report.numerals import Numerals
from insight.business_report.report_inputs import Material
from insight.business_report.translations import Words
from insight.evaluation.evaluation_schema import MigrationMatrix, Segment

#: Numbers of a segment that are held exactly.
MEASURED = (
    "customers", "share", "expected_value", "share_of_value", "satisfaction", "churn_probability",
    "rule_share", "rule_reach",
)  # fmt: skip
KINDS = ("tier", "stage", "group", "stars", "quadrant", "value")


@dataclass(frozen=True)
class SegmentRow:
    """A segment in words; `bar` is its share of customers in per cent of the largest.

    `exact` are the attributes that hold its numbers, by what they are of.
    """

    name: str
    note: str
    customers: str
    share: str
    bar: float
    value: str
    value_share: str
    satisfaction: str
    leaving: str
    rule: str
    policy: list[str]
    exact: dict[str, dict[str, str]]


@dataclass(frozen=True)
class SegmentTable:
    """All segments of one kind, with the columns it has anything for."""

    by: str
    title: str
    rows: list[SegmentRow]
    has: dict[str, bool]


@dataclass(frozen=True)
class MoveCell:
    """Customers who went from one state to another; `kind` is stayed or moved, `depth` its share."""

    text: str
    number: int
    kind: str
    depth: float
    exact: dict[str, str]


@dataclass(frozen=True)
class MoveTable:
    """Who moved between two dates, and why."""

    title: str
    note: str
    after: list[str]
    rows: list[tuple[str, list[MoveCell]]]
    causes: list[tuple[str, str, str, str]]
    way: bool
    exact: dict[str, str]
    exact_causes: list[dict[str, str]]


def segment_tables(material: Material) -> list[SegmentTable]:
    """A table for each kind of segment the evaluation tells of."""
    if material.evaluation is None:
        return []
    found = []
    for kind in KINDS:
        of = [s for s in material.evaluation.segments if s.by == kind]
        if of:
            most = max(s.share for s in of)
            rows = [_row(s, most, material) for s in of]
            fields = ("value", "value_share", "satisfaction", "leaving", "rule", "policy")
            has = {f: any(getattr(r, f) not in ("", []) for r in rows) for f in fields}
            found.append(SegmentTable(kind, material.words(f"segments_{kind}"), rows, has))
    return found


def _row(segment: Segment, most: float, material: Material) -> SegmentRow:
    numerals = material.numerals
    value, share = segment.expected_value, segment.share_of_value
    content, leaving = segment.satisfaction, segment.churn_probability
    name, _, note = segment_name(segment, material).partition(material.words("colon"))
    return SegmentRow(
        name=name,
        note=note,
        customers=numerals.count(segment.customers),
        share=numerals.share(segment.share),
        bar=round(100 * segment.share / most, 1) if most else 0.0,
        value="" if value is None else numerals.large(value),
        value_share="" if share is None else numerals.share(share, 0),
        satisfaction="" if content is None else numerals.decimal(content),
        leaving="" if leaving is None else numerals.share(leaving),
        rule=_rule(segment, numerals),
        policy=_policy(segment, material),
        exact={
            of: attributes(segment=segment.by, name=segment.name, of=of, value=getattr(segment, of))
            for of in MEASURED
        },
    )


def segment_name(segment: Segment, material: Material) -> str:
    """What a segment is called."""
    if segment.by == "stars" and segment.name.isdigit():
        return "★" * int(segment.name) + "☆" * (5 - int(segment.name))
    if segment.by == "group" and len(segment.name) == 1:
        return material.words("alike", name=segment.name)
    return material.words.named(segment.by, segment.name)


def _rule(segment: Segment, numerals: Numerals) -> str:
    if not segment.rule:
        return ""
    rule = rule_said(segment.rule, numerals.words)
    if segment.rule_share is None or segment.rule_reach is None:
        return rule
    return numerals.words(
        "rule",
        rule=rule,
        share=numerals.share(segment.rule_share, 0),
        reach=numerals.share(segment.rule_reach, 0),
    )


def rule_said(rule: str, words: Words) -> str:
    """A rule with its measures by the names of the report: price ≤ 62.5 and service > 70."""
    if rule == "everybody":
        return words("everybody")
    parts = re.sub(r" and (?=\S+ [≤>])", words("and"), rule)
    return re.sub(r"[a-z_]{2,}(?= [≤>])", lambda m: measure_name(m.group(), words), parts)


def measure_name(name: str, words: Words) -> str:
    """What a dimension of the score, of an answer or a measure is called."""
    kinds = (kind for kind in ("cause", "dimension", "trait") if words.knows(kind, name))
    return words.named(next(kinds, "cause"), name)


def _policy(segment: Segment, material: Material) -> list[str]:
    policy, words = segment.policy, material.words
    if policy is None:
        return []
    lines = [
        words.named("service", policy.service_level),
        words.named("manager", policy.manager),
        words("first_reply", hours=f"{policy.first_reply_hours:g}"),
    ]
    if policy.visits_per_year:
        lines.append(words("visits", n=policy.visits_per_year))
    return lines + [words.named("offer", offer) for offer in policy.offers]


def move_table(material: Material, which: str) -> MoveTable | None:
    """Who moved between tiers or stages; None where no two dates are known."""
    moves: MigrationMatrix | None = getattr(material.evaluation, which, None)
    if moves is None:
        return None
    kind = {"tiers": "tier", "stages": "stage"}[which]
    words, numerals = material.words, material.numerals
    rows = []
    for before, counts in zip(moves.before, moves.customers, strict=True):
        total = sum(counts) or 1
        cells = [
            MoveCell(numerals.count(n) if n else "·", n, "stayed" if a == before else "moved",
                     round(n / total, 3), attributes(moves=which, name=before, to=a, value=n))
            for a, n in zip(moves.after, counts, strict=True)
        ]  # fmt: skip
        rows.append((words.named(kind, before), cells))
    count = numerals.count
    causes = [
        (words.named("cause", c.cause), count(c.up), count(c.down), count(c.other))
        for c in moves.causes
    ]
    way = any(c.up or c.down for c in moves.causes)
    after = [words.named(kind, a) for a in moves.after]
    exact = attributes(moves=which, moved=moves.moved, plain=moves.plain)
    exact_causes = [attributes(moves=which, **c.model_dump()) for c in moves.causes]
    return MoveTable(
        words(f"moves_{which}"),
        _note(moves, material),
        after,
        rows,
        causes,
        way,
        exact,
        exact_causes,
    )


def _note(moves: MigrationMatrix, material: Material) -> str:
    words, numerals = material.words, material.numerals
    note = words("moves_note", since=numerals.day(moves.since), until=numerals.day(moves.until))
    if moves.moved is not None:
        note += words("moves_share", moved=numerals.share(moves.moved))
    if moves.plain is not None:
        note += words("moves_plain", plain=numerals.share(moves.plain))
    return note + (words("moves_rebuilt") if moves.rebuilt else "")
