"""What the scores add up to, and the customers to call first."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from insight.formatting.display_names import TITLES
from insight.formatting.numbers import MISSING, count, decimal, money, share, signed
from insight.model_report.history_series import Answered
from insight.report_facts import Facts, Scores

Floats = NDArray[np.float64]

MOST_CALLS = 15
FAR = "; not to be trusted, see below"


@dataclass(frozen=True)
class Sums:
    """The scores of all customers in a few numbers; None where the company lacks the target.

    `leavers` and `at_risk` are over the population of churn, `at_risk` being the sum of probability
    times expected value; `..._current` are means over that population too.
    """

    customers: int
    current: int | None
    satisfaction: float | None
    satisfaction_current: float | None
    nps: float | None
    nps_current: float | None
    leavers: float | None
    expected: float | None
    at_risk: float | None


@dataclass(frozen=True)
class Tile:
    """One number of the overview with its name and what to know about it."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class SurveyLine:
    """A question: what is predicted, and what those said in the last year who answered it."""

    question: str
    everybody: str
    current: str
    said: str
    answers: str
    rate: str


@dataclass(frozen=True)
class CallList:
    """Customers in the order to call them; `rows` are texts in the order of `columns`."""

    who: str
    order: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def add_up(scores: Scores) -> Sums:
    """The sums and means of a scores file."""
    inside = scores.current
    churn = scores.numbers("churn_probability") if "churn_probability" in scores else None
    value = scores.numbers("value_expected") if "value_expected" in scores else None
    score = scores.numbers("satisfaction_score") if "satisfaction_score" in scores else None
    nps = None
    if "nps_promoter" in scores:
        nps = 100 * (scores.numbers("nps_promoter") - scores.numbers("nps_detractor"))
    return Sums(
        customers=len(scores),
        current=None if churn is None else int(inside.sum()),
        satisfaction=_mean(score),
        satisfaction_current=None if churn is None else _mean(score, inside),
        nps=_mean(nps),
        nps_current=None if churn is None else _mean(nps, inside),
        leavers=None if churn is None else float(churn[inside].sum()),
        expected=None if value is None else float(value.sum()),
        at_risk=_at_risk(churn, value, inside),
    )


def _mean(values: Floats | None, inside: NDArray[np.bool_] | None = None) -> float | None:
    if values is None:
        return None
    chosen = values if inside is None else values[inside]
    return float(chosen.mean()) if len(chosen) else None


def _at_risk(churn: Floats | None, value: Floats | None, inside: NDArray[np.bool_]) -> float | None:
    if churn is None or value is None:
        return None
    return float((churn * value)[inside].sum())


def tiles(
    sums: Sums, facts: Facts, answers: dict[str, Answered], far: Collection[str] = ()
) -> list[Tile]:
    """The overview: only the numbers the company's targets give.

    `far` names the targets whose customers are mostly unlike those the model learnt from.
    """
    current = "" if sums.current is None else f"{count(sums.current)} of them current"
    current = "all of them current" if sums.current == sums.customers else current
    found = [Tile("Customers scored", count(sums.customers), current)]
    if sums.satisfaction is not None:
        note = _beside(sums.satisfaction_current, decimal, answers.get("satisfaction"))
        note += FAR if "satisfaction" in far else ""
        shown = f"{decimal(sums.satisfaction, 1)} of 100"
        found.append(Tile("Predicted satisfaction", shown, note))
    if sums.nps is not None:
        note = _beside(sums.nps_current, signed, answers.get("nps"))
        note += FAR if "nps" in far else ""
        found.append(Tile("Predicted NPS", signed(sums.nps), note))
    return found + _money_tiles(sums, facts)


def survey_lines(scores: Scores | None, answers: dict[str, Answered]) -> list[SurveyLine]:
    """A line for each question that is asked or whose answer is predicted."""
    sums = add_up(scores) if scores else None
    lines = []
    for target, write in (("satisfaction", decimal), ("nps", signed)):
        given = answers.get(target)
        means = [getattr(sums, name, None) for name in (target, f"{target}_current")]
        if given is None and means[0] is None:
            continue
        everybody, current = (MISSING if mean is None else write(mean, 1) for mean in means)
        lines.append(
            SurveyLine(
                TITLES[target],
                everybody,
                current,
                write(given.figure, 1) if given else MISSING,
                f"{count(given.answered)} of {count(given.asked)}" if given else "none",
                share(given.rate) if given else MISSING,
            )
        )
    return lines


def _money_tiles(sums: Sums, facts: Facts) -> list[Tile]:
    currency = facts.company.about.currency
    days = {t: facts.company.target(t).horizon_days for t in ("churn", "value")}
    found = []
    if sums.leavers is not None:
        part = sums.leavers / sums.current if sums.current else float("nan")
        note = f"{share(part)} of the current customers, in {days['churn']} days"
        found.append(Tile("Expected leavers", count(sums.leavers), note))
    if sums.expected is not None:
        note = f"net revenue of all in {days['value']} days"
        found.append(Tile("Expected value", money(sums.expected, currency), note))
    if sums.at_risk is not None and sums.expected:
        note = f"{share(sums.at_risk / sums.expected)} of it: probability × expected value"
        found.append(Tile("Value at risk", money(sums.at_risk, currency), note))
    return found


def _beside(
    current: float | None, write: Callable[[float, int], str], answer: Answered | None
) -> str:
    """What stands under a predicted mean: the current customers' and last year's answers."""
    parts = [] if current is None else [f"current customers {write(current, 1)}"]
    if answer:
        parts.append(f"answered last year {write(answer.figure, 1)}")
    return "; ".join(parts)


def calls(scores: Scores, currency: str) -> CallList:
    """The customers to call first, by the best order the company's targets allow."""
    order, rank, inside = _order(scores)
    chosen = np.flatnonzero(inside)
    chosen = chosen[np.argsort(-rank[chosen], kind="stable")][:MOST_CALLS]
    columns: list[tuple[str, list[str]]] = [
        ("customer", [str(i) for i in scores.columns["customer_id"][chosen]])
    ]
    if "churn_probability" in scores:
        leaves = scores.numbers("churn_probability")[chosen]
        columns.append(("leaves", [share(p) for p in leaves]))
    if "value_expected" in scores:
        expected = scores.numbers("value_expected")[chosen]
        columns.append((f"expected value, {currency}", [count(v) for v in expected]))
        if "churn_probability" in scores:
            columns.append((f"at risk, {currency}", [count(v) for v in rank[chosen]]))
    columns += _opinions(scores, chosen)
    names = tuple(name for name, _ in columns)
    rows = list(zip(*(texts for _, texts in columns), strict=True))
    who = "current customers" if "churn_in_population" in scores else "customers"
    return CallList(who, order, names, rows)


def _opinions(scores: Scores, chosen: NDArray[np.intp]) -> list[tuple[str, list[str]]]:
    columns = []
    if "satisfaction_score" in scores:
        points = scores.numbers("satisfaction_score")[chosen]
        columns.append(("satisfaction of 100", [decimal(p, 0) for p in points]))
        unhappy = scores.numbers("satisfaction_dissatisfied")[chosen]
        columns.append(("dissatisfied", [share(p) for p in unhappy]))
    if "nps_class" in scores:
        classes = [str(c) for c in scores.columns["nps_class"][chosen]]
        chance = [scores.numbers(f"nps_{c}")[row] for c, row in zip(classes, chosen, strict=True)]
        named = [f"{c}, {share(p)}" for c, p in zip(classes, chance, strict=True)]
        columns.append(("NPS", named))
    return columns


def _order(scores: Scores) -> tuple[str, Floats, NDArray[np.bool_]]:
    """By what to rank, in words and numbers, and who is ranked."""
    inside = scores.current
    if "churn_probability" in scores and "value_expected" in scores:
        risk = scores.numbers("churn_probability") * scores.numbers("value_expected")
        return "by probability of leaving × expected value", risk, inside
    for column, order in (
        ("churn_probability", "by probability of leaving"),
        ("satisfaction_dissatisfied", "by probability of being dissatisfied"),
        ("nps_detractor", "by probability of being a detractor"),
        ("value_expected", "by expected value"),
    ):
        if column in scores:
            return order, scores.numbers(column), inside
    return MISSING, np.zeros(len(scores)), np.zeros(len(scores), np.bool_)
