"""Next invitations: whom to survey next, balanced across segments, with a rest period."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Number of groups of customers with similar response propensity.
GROUPS = 10


@dataclass(frozen=True)
class InvitationCandidates:
    """The customers of a snapshot with the inputs of the selection, one element each.

    `spread` is the standard deviation of the predicted answer, in the metric's unit; `responded` marks
    recent respondents, `last_invited` is the time of the last invitation (NaT for never).
    """

    ids: NDArray[np.object_]
    segment: NDArray[np.object_]
    propensity: Floats
    spread: Floats
    responded: Mask
    last_invited: pd.Series
    current: Mask


@dataclass(frozen=True)
class InvitationList:
    """The selected customers, best first, and the number of excluded customers by reason."""

    rows: pd.DataFrame
    excluded: dict[str, int]


def response_share(propensity: Floats, responded: Mask) -> Floats:
    """For each customer, the share of recent respondents among customers of similar propensity.

    One respondent and two customers are added to every group, so that no share is 0.
    """
    order = np.argsort(propensity, kind="stable")
    group = np.empty(len(propensity), np.int64)
    group[order] = np.arange(len(propensity)) * GROUPS // max(1, len(propensity))
    respondents = np.bincount(group, responded, minlength=GROUPS) + 1.0
    return np.asarray((respondents / (np.bincount(group, minlength=GROUPS) + 2.0))[group])


def select_invitations(
    candidates: InvitationCandidates, as_of: datetime, rest_days: int, size: int
) -> InvitationList:
    """Select the `size` customers whose answers are most informative.

    Priority = variance of the predicted answer x response propensity / share of recent respondents
    among similar customers. Segments alternate in proportion to their customers (Sainte-Lague), so
    that every prefix of the list is balanced. Excludes former customers and those invited within
    `rest_days` before `as_of`.
    """
    since = (pd.Timestamp(as_of) - candidates.last_invited).dt.days.to_numpy()
    rested = ~(since < rest_days)
    free = candidates.current & rested
    share = response_share(candidates.propensity, candidates.responded)
    priority = candidates.spread**2 * candidates.propensity / share
    frame = pd.DataFrame(
        {
            "customer_id": candidates.ids,
            "segment": candidates.segment,
            "chance_of_answer": candidates.propensity,
            "uncertainty": candidates.spread,
            "last_asked": candidates.last_invited.dt.strftime("%Y-%m-%d").to_numpy(),
            "response_share": share,
            "priority": priority,
        }
    )
    sizes = frame[candidates.current].groupby("segment").size()
    chosen = _alternate_segments(frame[free], sizes).head(size).reset_index(drop=True)
    middle = {c: float(frame[c][free].median()) for c in ("uncertainty", "response_share")}
    chosen["why"], chosen["why_zh"] = _reasons(chosen, middle)
    chosen.insert(1, "rank", np.arange(1, len(chosen) + 1))
    excluded = {
        "no customer any more": int((~candidates.current).sum()),
        f"asked within {rest_days} days": int((candidates.current & ~rested).sum()),
        "beyond the length of the list": int(free.sum()) - len(chosen),
    }
    return InvitationList(chosen.drop(columns=["response_share", "priority"]), excluded)


def _alternate_segments(free: pd.DataFrame, sizes: "pd.Series[int]") -> pd.DataFrame:
    """Customers by priority within their segment, segments alternating in proportion to their size."""
    ordered = free.sort_values(["priority", "customer_id"], ascending=[False, True])
    position = ordered.groupby("segment").cumcount()
    turn = (2 * position + 1) / ordered["segment"].map(sizes).astype(np.float64)
    return ordered.assign(turn=turn).sort_values("turn", kind="stable").drop(columns="turn")


def _reasons(chosen: pd.DataFrame, middle: dict[str, float]) -> tuple[list[str], list[str]]:
    """The reasons for inviting each customer, in English and Chinese."""
    uncertain = chosen["uncertainty"] > middle["uncertainty"]
    rare = chosen["response_share"] < middle["response_share"]
    never = chosen["last_asked"].isna()
    english, chinese = [], []
    for is_uncertain, is_rare, is_new in zip(uncertain, rare, never, strict=True):
        reasons = [
            pair
            for applies, pair in (
                (is_new, ("never asked", "从未被询问")),
                (is_uncertain, ("hard to predict", "难以预测")),
                (is_rare, ("few like this one answer", "同类客户很少回答")),
            )
            if applies
        ] or [("likely to answer", "很可能回答")]
        english.append(", ".join(e for e, _ in reasons))
        chinese.append("，".join(c for _, c in reasons))
    return english, chinese
