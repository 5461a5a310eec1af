"""Whom to ask next: where an answer tells most, fair across segments, nobody too often."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Customers are compared with others as likely to answer, in so many groups.
GROUPS = 10


@dataclass(frozen=True)
class Candidates:
    """The customers of a snapshot and what decides whom to ask, one element each.

    `spread` is the standard deviation of the predicted answer, in points of the figure; `heard`
    who answered in the window; `asked` the last day each was asked anything, NaT for never.
    """

    ids: NDArray[np.object_]
    segment: NDArray[np.object_]
    chance: Floats
    spread: Floats
    heard: Mask
    asked: pd.Series
    current: Mask


@dataclass(frozen=True)
class AskNext:
    """The list, best first, and how many customers are not on it for which reason."""

    rows: pd.DataFrame
    excluded: dict[str, int]


def represented(chance: Floats, heard: Mask) -> Floats:
    """The share of each customer's likes, by chance of answering, who have answered of late.

    One answer and two customers are added to every group, so that none is at 0.
    """
    order = np.argsort(chance, kind="stable")
    group = np.empty(len(chance), np.int64)
    group[order] = np.arange(len(chance)) * GROUPS // max(1, len(chance))
    told = np.bincount(group, heard, minlength=GROUPS) + 1.0
    return np.asarray((told / (np.bincount(group, minlength=GROUPS) + 2.0))[group])


def ask_next(candidates: Candidates, as_of: datetime, rest_days: int, size: int) -> AskNext:
    """The `size` customers whose answers tell most.

    Worth of asking = variance of the predicted answer x chance that it comes / share of his likes
    who have answered of late. Segments take turns in proportion to their customers (Sainte-Lague),
    so that every beginning of the list is fair, too. Nobody is on it who was asked anything in the
    `rest_days` before `as_of`, or who is no customer any more.
    """
    since = (pd.Timestamp(as_of) - candidates.asked).dt.days.to_numpy()
    rested = ~(since < rest_days)
    free = candidates.current & rested
    share = represented(candidates.chance, candidates.heard)
    worth = candidates.spread**2 * candidates.chance / share
    frame = pd.DataFrame(
        {
            "customer_id": candidates.ids,
            "segment": candidates.segment,
            "chance_of_answer": candidates.chance,
            "uncertainty": candidates.spread,
            "last_asked": candidates.asked.dt.strftime("%Y-%m-%d").to_numpy(),
            "represented": share,
            "worth": worth,
        }
    )
    sizes = frame[candidates.current].groupby("segment").size()
    chosen = _in_turns(frame[free], sizes).head(size).reset_index(drop=True)
    middle = {c: float(frame[c][free].median()) for c in ("uncertainty", "represented")}
    chosen["why"], chosen["why_zh"] = _reasons(chosen, middle)
    chosen.insert(1, "rank", np.arange(1, len(chosen) + 1))
    excluded = {
        "no customer any more": int((~candidates.current).sum()),
        f"asked within {rest_days} days": int((candidates.current & ~rested).sum()),
        "beyond the length of the list": int(free.sum()) - len(chosen),
    }
    return AskNext(chosen.drop(columns=["represented", "worth"]), excluded)


def _in_turns(free: pd.DataFrame, sizes: "pd.Series[int]") -> pd.DataFrame:
    """Customers by worth within their segment, segments in turns by their size."""
    by_worth = free.sort_values(["worth", "customer_id"], ascending=[False, True])
    place = by_worth.groupby("segment").cumcount()
    turn = (2 * place + 1) / by_worth["segment"].map(sizes).astype(np.float64)
    return by_worth.assign(turn=turn).sort_values("turn", kind="stable").drop(columns="turn")


def _reasons(chosen: pd.DataFrame, middle: dict[str, float]) -> tuple[list[str], list[str]]:
    """What speaks for asking each, in English and Chinese."""
    unsure = chosen["uncertainty"] > middle["uncertainty"]
    unheard = chosen["represented"] < middle["represented"]
    never = chosen["last_asked"].isna()
    english, chinese = [], []
    for hidden, rare, new in zip(unsure, unheard, never, strict=True):
        told = [
            pair
            for speaks, pair in (
                (new, ("never asked", "从未被询问")),
                (hidden, ("hard to predict", "难以预测")),
                (rare, ("few like this one answer", "同类客户很少回答")),
            )
            if speaks
        ] or [("likely to answer", "很可能回答")]
        english.append(", ".join(e for e, _ in told))
        chinese.append("，".join(c for _, c in told))
    return english, chinese
