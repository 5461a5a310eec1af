"""Causes as a tree: the bones of a fishbone, and under each cause why it comes about.

The data give what they can tell; the rest of five whys is left open for the people at the table.
"""

from dataclasses import dataclass, field
from typing import Any

from features.formatting import ENGLISH
from insight.complaints.attributable_fraction import Attribution
from insight.complaints.causes import CauseOfCause, CauseRanking

#: How often is asked why.
MAX_DEPTH = 5
OPEN_QUESTION = "why? (to be answered by those who do the work)"


@dataclass(frozen=True)
class CauseNode:
    """A cause: the share of what is above it that it accounts for, with 95 % interval, and its causes.

    `certain` is whether the interval leaves out zero. Bones carry no share: their causes overlap.
    """

    name: str
    share: float | None = None
    low: float | None = None
    high: float | None = None
    met: int | None = None
    certain: bool | None = None
    causes: tuple["CauseNode", ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """The tree as JSON holds it."""
        told = {k: getattr(self, k) for k in ("share", "low", "high", "met", "certain")}
        known = {k: v for k, v in told.items() if v is not None}
        return {"name": self.name, **known, "causes": [c.to_dict() for c in self.causes]}


def build_cause_tree(ranking: CauseRanking) -> CauseNode:
    """The fishbone of an outcome: branches by their strongest cause, causes by their share.

    Only causes that raise the outcome, within reasonable doubt or not, stand on it.
    """
    kept = [r for r in ranking.causes if r.found.share.value > 0]
    branches = list(dict.fromkeys(r.cause.branch for r in kept))
    bones = tuple(
        CauseNode(branch, causes=tuple(
            _node(r.cause.name, r.found, ranking.whys, 1) for r in kept if r.cause.branch == branch
        )) for branch in branches
    )  # fmt: skip
    return CauseNode(ranking.moments.title, causes=bones)


def _node(name: str, found: Attribution, whys: list[CauseOfCause], depth: int) -> CauseNode:
    """A cause and, while whys are left, the causes of it."""
    below = [w for w in whys if w.effect == name] if depth < MAX_DEPTH else []
    inner = tuple(_node(w.cause, w.found, whys, depth + 1) for w in below)
    at = found.share
    return CauseNode(name, at.value, at.low, at.high, found.met, found.certain, inner)


def format_cause_tree(root: CauseNode) -> str:
    """The tree as text to print and write on: an open question below every certain cause."""
    return "\n".join([f"{root.name}", *_lines(root, "", 0)])


def _lines(node: CauseNode, indent: str, depth: int) -> list[str]:
    lines = []
    asks = bool(node.certain) and depth <= MAX_DEPTH
    for place, cause in enumerate(node.causes):
        last = place == len(node.causes) - 1 and not asks
        lines.append(f"{indent}{'└' if last else '├'}─ {_told(cause)}")
        lines += _lines(cause, indent + ("   " if last else "│  "), depth + 1)
    if asks:
        lines.append(f"{indent}└─ {OPEN_QUESTION}")
    return lines


def _told(node: CauseNode) -> str:
    if node.share is None or node.low is None or node.high is None:
        return node.name
    doubt = "" if node.certain else ", may be chance"
    return f"{node.name}: {ENGLISH.percent(node.share)} ({ENGLISH.percent(node.low)} to {ENGLISH.percent(node.high)}{doubt})"
