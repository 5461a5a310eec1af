"""PDCA table: for each target the plan, the actions taken, their result, and the next step."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from insight.closed_loop.holdout_effect import NOT_DUE, NOT_IDENTIFIABLE, TreatmentEffect
from insight.closed_loop.target_status import CheckedTarget, UnmeasuredTarget, interval_ends
from insight.evaluation.evaluation_schema import PdcaCycle
from insight.evaluation.indicator_schema import TargetVerdict


def build_pdca_cycles(
    targets: list[CheckedTarget | UnmeasuredTarget],
    log: pd.DataFrame | None = None,
    effects: Mapping[str, TreatmentEffect] | None = None,
) -> list[PdcaCycle]:
    """Build a row for every target.

    `log` is `ActionLog.summary()`, None where nothing was logged. `effects` are the effects by action
    on the indicator of the target.
    """
    logged = {} if log is None else {str(r["action"]): r for r in log.to_dict("records")}
    return [_cycle(item, logged, dict(effects or {})) for item in targets]


def _cycle(
    item: CheckedTarget | UnmeasuredTarget,
    logged: dict[str, dict[Hashable, Any]],
    effects: dict[str, TreatmentEffect],
) -> PdcaCycle:
    target = item.target
    sign = "at least" if target.better == "higher" else "at most"
    plan = f"{sign} {target.target:g}" + (f" by {target.until}" if target.until else "")
    plan += f" ({target.owner})" if target.owner else ""
    done = [logged[a] for a in target.actions if a in logged]
    do = "; ".join(
        f"{row['action']}: {row['treated']:,} customers, {row['held_out']:,} left alone"
        for row in done
    )
    measured = [(a, effects[a]) for a in target.actions if a in effects]
    results = [f"{action}: {_effect_text(effect)}" for action, effect in measured]
    check, verdict = _check_text(item)
    act = _next_step(verdict, target.better, bool(done), [effect for _, effect in measured])
    return PdcaCycle(
        indicator=item.name, plan=plan, do=do or "nothing logged",
        check="; ".join([check, *results]), act=act, verdict=verdict,
    )  # fmt: skip


def _effect_text(effect: TreatmentEffect) -> str:
    """The verdict on an action with its date of analysis, or when the verdict is due."""
    if effect.due is None:
        return effect.verdict
    day = f"{effect.due:%Y-%m-%d}"
    return (
        f"verdict due {day}" if effect.design == NOT_DUE else f"{effect.verdict} (analysed {day})"
    )


def _check_text(item: CheckedTarget | UnmeasuredTarget) -> tuple[str, TargetVerdict]:
    if isinstance(item, UnmeasuredTarget):
        return item.why, "unmeasured"
    (low, high), cases = interval_ends(item.measured), item.measured.answered
    how = "corrected for non-response" if item.corrected else f"n = {cases:,}"
    figure = f"{item.measured.value:.4g} ({low:.4g} to {high:.4g}, {how})"
    return f"{figure}: {item.verdict}", item.verdict


def _next_step(
    verdict: TargetVerdict, better: str, done: bool, effects: list[TreatmentEffect]
) -> str:  # fmt: skip
    """The next step: roll out an action that works, stop one that does not."""
    good = "raises the outcome" if better == "higher" else "lowers the outcome"
    verdicts = {e.verdict for e in effects} - {NOT_DUE}
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
    if effects:
        return "wait for the verdict"
    if verdict == "reached":
        return "hold it; raise the target"
    if done:
        return "measure its effect"
    return "plan an action" if verdict == "missed" else "collect more cases"
