"""Cause tree (fishbone) of an outcome, with the causes of each cause.

The data fill in what they can show; the rest of the five whys stays open for the people involved.
"""

from dataclasses import dataclass, field
from typing import Any

from features.formatting import ENGLISH
from insight.complaints.attributable_fraction import Attribution
from insight.complaints.causes import CauseOfCause, CauseRanking

#: Levels of causes.
MAX_DEPTH = 5
OPEN_QUESTION = "why? (to be answered by those who do the work)"


@dataclass(frozen=True)
class CauseNode:
    """A cause: its attributable share of the node above, with 95% interval, and its own causes.

    `certain` says whether the interval excludes zero. Branches have no share: their causes overlap.
    """

    name: str
    share: float | None = None
    low: float | None = None
    high: float | None = None
    met: int | None = None
    certain: bool | None = None
    causes: tuple["CauseNode", ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Return the tree as JSON-serialisable data."""
        values = {k: getattr(self, k) for k in ("share", "low", "high", "met", "certain")}
        known = {k: v for k, v in values.items() if v is not None}
        return {"name": self.name, **known, "causes": [c.to_dict() for c in self.causes]}


def build_cause_tree(ranking: CauseRanking) -> CauseNode:
    """Build the tree of an outcome: branches by their strongest cause, causes by their share.

    Only causes that raise the outcome are included, whether certain or not.
    """
    kept = [r for r in ranking.causes if r.attribution.share.value > 0]
    branches = list(dict.fromkeys(r.cause.branch for r in kept))
    branch_nodes = tuple(
        CauseNode(branch, causes=tuple(
            _node(r.cause.name, r.attribution, ranking.secondary_causes, 1)
            for r in kept if r.cause.branch == branch
        )) for branch in branches
    )  # fmt: skip
    return CauseNode(ranking.index_dates.title, causes=branch_nodes)


def _node(
    name: str, attribution: Attribution, secondary: list[CauseOfCause], depth: int
) -> CauseNode:
    """Build the node of a cause and, up to the maximum depth, of its causes."""
    causes = [w for w in secondary if w.effect == name] if depth < MAX_DEPTH else []
    children = tuple(_node(w.cause, w.attribution, secondary, depth + 1) for w in causes)
    fraction = attribution.share
    return CauseNode(
        name,
        fraction.value,
        fraction.low,
        fraction.high,
        attribution.met,
        attribution.certain,
        children,
    )


def format_cause_tree(root: CauseNode) -> str:
    """Format the tree as text to print, with an open question below every certain cause."""
    return "\n".join([f"{root.name}", *_lines(root, "", 0)])


def _lines(node: CauseNode, indent: str, depth: int) -> list[str]:
    lines = []
    has_question = bool(node.certain) and depth <= MAX_DEPTH
    for place, cause in enumerate(node.causes):
        last = place == len(node.causes) - 1 and not has_question
        lines.append(f"{indent}{'└' if last else '├'}─ {_describe(cause)}")
        lines += _lines(cause, indent + ("   " if last else "│  "), depth + 1)
    if has_question:
        lines.append(f"{indent}└─ {OPEN_QUESTION}")
    return lines


def _describe(node: CauseNode) -> str:
    if node.share is None or node.low is None or node.high is None:
        return node.name
    uncertainty = "" if node.certain else ", may be chance"
    value, low, high = map(ENGLISH.percent, (node.share, node.low, node.high))
    return f"{node.name}: {value} ({low} to {high}{uncertainty})"
