"""Plan, do, check, act: each target with what was done for it, what came of it, and what is next."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from insight.closed_loop.target_status import Checked, Unmeasured
from insight.closed_loop.treatment_effect import NOT_IDENTIFIABLE, Effect


@dataclass(frozen=True)
class CycleRow:
    """One target's turn of the cycle, in words, with its verdict for colours."""

    indicator: str
    plan: str
    do: str
    check: str
    act: str
    verdict: str


def cycle(
    checked: list[Checked | Unmeasured],
    log: pd.DataFrame | None = None,
    effects: Mapping[str, Effect] | None = None,
) -> list[CycleRow]:
    """The table of the cycle, a row a target.

    `log` is `ActionLog.summary()`, None where nothing was logged; `effects` are those of each action on
    the indicator it is to move.
    """
    logged = {} if log is None else {str(r["action"]): r for r in log.to_dict("records")}
    return [_row(item, logged, dict(effects or {})) for item in checked]


def _row(
    item: Checked | Unmeasured, logged: dict[str, dict[Hashable, Any]], effects: dict[str, Effect]
) -> CycleRow:
    target = item.target
    sign = "at least" if target.better == "higher" else "at most"
    plan = f"{sign} {target.target:g}" + (f" by {target.until}" if target.until else "")
    plan += f" ({target.owner})" if target.owner else ""
    done = [logged[a] for a in target.actions if a in logged]
    do = "; ".join(
        f"{row['action']}: {row['treated']:,} customers, {row['held_out']:,} left alone"
        for row in done
    )
    effect = [(a, effects[a]) for a in target.actions if a in effects]
    told = [f"{action}: {found.verdict}" for action, found in effect]
    if isinstance(item, Unmeasured):
        check, verdict = "; ".join([item.why, *told]), "unmeasured"
    else:
        m = item.measured
        figure = f"{m.value:.4g} ({m.low:.4g} to {m.high:.4g}, n = {m.n:,})"
        check, verdict = "; ".join([f"{figure}: {item.verdict}", *told]), item.verdict
    act = _act(verdict, target.better, bool(done), [found for _, found in effect])
    return CycleRow(item.name, plan, do or "nothing logged", check, act, verdict)


def _act(verdict: str, better: str, done: bool, effects: list[Effect]) -> str:
    """What follows: an action that works is made the rule, one that does not is dropped."""
    good = "raises the outcome" if better == "higher" else "lowers the outcome"
    verdicts = {e.verdict for e in effects}
    if verdict == "unmeasured":
        return "measure it first"
    if good in verdicts:
        return "make it the rule" if verdict == "reached" else "extend it"
    if verdicts and verdicts <= {NOT_IDENTIFIABLE}:
        return "repeat it with a part left alone by lot"
    if "no effect seen" in verdicts:
        return "repeat it larger, or try another"
    if verdicts:
        return "stop it and try another"
    if verdict == "reached":
        return "hold it; raise the target"
    if done:
        return "measure its effect"
    return "plan an action" if verdict == "missed" else "collect more cases"
