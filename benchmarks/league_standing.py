"""Where every contestant stands in one row of the league, and whether we are first."""

from dataclasses import dataclass
from typing import Any

from models.evaluation.active_customers import evaluate_active
from models.evaluation.bootstrap import Interval, bootstrap, paired_difference
from models.evaluation.metrics import METRICS, judged_by
from models.training.train import TrainingRows

OURS = "goodwill"


@dataclass(frozen=True)
class Standing:
    """One contestant in one row: its measures, and the CPU seconds it took; NaN where not measured."""

    name: str
    measures: dict[str, Interval]
    seconds: float


@dataclass(frozen=True)
class Fixture:
    """A row of the league: everybody's standing and how the best of the others compares with us."""

    data: str
    target: str
    rows: int
    standings: list[Standing]
    gain: Interval

    @property
    def verdict(self) -> str:
        """Whether we are first, tied for first (the gain's interval holds 0) or behind."""
        if self.gain.value >= 0:
            return "first"
        return "tied" if self.gain.high >= 0 else "behind"


def standing_of(
    data: str,
    name: str,
    measures: tuple[str, ...],
    test: TrainingRows,
    said: dict[str, Any],
    typical: Any = None,
) -> Fixture:
    """Measure every contestant's predictions on the same rows.

    `typical` is our median of a value: the absolute error judges it, all else our mean.
    """
    y, weight, groups = test.label, test.weight, test.customer
    standings = []
    answers = {who: answer for who, (answer, _) in said.items()}
    active = (
        evaluate_active(test.features, y, answers, weight, groups, ("spearman",))
        if name == "value"
        else None
    )

    def judged(who: str, measure: str) -> Any:
        ours = {"model": answers[OURS], **({} if typical is None else {"typical": typical})}
        return judged_by(measure, ours) if who == OURS else answers[who]

    for who, (_, seconds) in said.items():
        found = {
            m: bootstrap(METRICS[m].function, y, judged(who, m), weight, groups=groups)
            for m in measures
            if not (who.startswith("BG") and name == "churn" and m != "roc_auc")
        }
        if active:
            found["spearman, active customers"] = active.metrics[who]["spearman"]
        standings.append(Standing(who, found, seconds))
    first = METRICS[measures[0]]
    sign = 1 if first.higher_is_better else -1
    others = {s.name: sign * s.measures[measures[0]].value for s in standings if s.name != OURS}
    best = max(others, key=lambda who: others[who])
    pair = (judged(OURS, measures[0]), answers[best])
    gain = paired_difference(first.function, y, *(pair if sign > 0 else pair[::-1]), weight,
                             groups=groups)  # fmt: skip
    return Fixture(data, name, len(y), standings, gain)
