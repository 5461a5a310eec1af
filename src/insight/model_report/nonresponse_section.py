"""What everybody would have answered, as the report tells it, from what `population.json` holds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from features.config.company import Company
from features.settings import Workspace
from insight.formatting.display_names import TITLES
from insight.formatting.numbers import MISSING, count, day, decimal, share, signed
from models.nonresponse.nonresponse_results import read_population

#: Out of reach of any reasonable doubt.
BEYOND = "more than 20"


@dataclass(frozen=True)
class FigureLine:
    """A figure of those who answered beside that of everybody asked and of the customers now."""

    title: str
    answered: str
    answered_range: str
    everybody: str
    everybody_range: str
    difference: str
    customers: str
    customers_range: str
    gamma: str


@dataclass(frozen=True)
class BoundLine:
    """A figure's ranges, one for each gamma of the table's head."""

    title: str
    ranges: tuple[str, ...]


@dataclass(frozen=True)
class Everyone:
    """The section: figures, bounds, what is behind them, and what could not be corrected."""

    figures: list[FigureLine]
    gammas: tuple[str, ...]
    bounds: list[BoundLine]
    notes: list[str]
    differences: list[tuple[str, str, str, str]]
    skipped: list[tuple[str, str]]


def everyone(company: Company, workspace: Workspace, fingerprint: str) -> Everyone | None:
    """The section of the report; None where `goodwill population` has never run."""
    told = read_population(company, workspace)
    if told is None:
        return None
    studied = {t: q for t, q in told["questions"].items() if "figures" in q}
    figures = [figure for question in studied.values() for figure in question["figures"]]
    notes = [_stale(told)] if told["fingerprint"] != fingerprint else []
    for target, question in studied.items():
        notes += _notes(TITLES[target], question)
    if studied:
        notes.append(_list_note(told["ask_next"]))
    gammas = tuple(f"odds × {b['gamma']:g}" for b in figures[0]["bounds"]) if figures else ()
    return Everyone(
        figures=[_line(figure) for figure in figures],
        gammas=gammas,
        bounds=[BoundLine(f["title"], tuple(map(_span, f["bounds"]))) for f in figures],
        notes=notes,
        differences=[
            (TITLES[t], d["feature"], signed(d["before"], 2), signed(d["after"], 2))
            for t, q in studied.items()
            for d in q["propensity"]["differences"]
        ],
        skipped=[(TITLES[t], q["skipped"]) for t, q in told["questions"].items() if "skipped" in q],
    )


def _line(figure: dict[str, Any]) -> FigureLine:
    said, asked, now = (figure[k] for k in ("answered", "everybody_asked", "all_customers"))
    gamma = figure["gamma_to_answered"]
    return FigureLine(
        title=figure["title"],
        answered=decimal(said["value"], 1),
        answered_range=_span(said),
        everybody=decimal(asked["value"], 1),
        everybody_range=_span(asked),
        difference=signed(asked["value"] - said["value"]),
        customers=decimal(now["value"], 1) if now else MISSING,
        customers_range=_span(now) if now else "",
        gamma=decimal(gamma, 2) if gamma is not None else BEYOND,
    )


def _span(ends: dict[str, float]) -> str:
    return f"{decimal(ends['low'], 1)} to {decimal(ends['high'], 1)}"


def _notes(title: str, question: dict[str, Any]) -> list[str]:
    """How the figures of a question came about, in plain words."""
    who, covered = question["propensity"], question["coverage"]
    first, last = (datetime.fromisoformat(question[k]) for k in ("from", "until"))
    before, after = who["largest_difference"]
    rate = question["answers"] / question["invitations"]
    notes = [
        f"{title}: {count(question['invitations'])} invitations to "
        f"{count(question['customers_asked'])} customers, {day(first)} to {day(last)}; "
        f"{count(question['answers'])} answered ({share(rate)}), worth "
        f"{count(who['effective_answers'])} answers of equal weight once weighted. The most that "
        f"those who answered differ from all in any feature falls from {decimal(before, 2)} to "
        f"{decimal(after, 2)} standard deviations.",
    ]
    if covered["customers"]:
        notes.append(
            f"{title}: {share(covered['share'])} of the {count(covered['customers'])} customers of "
            "today are like somebody who answered; for the others the figure of the customers of "
            f"today is a guess. {count(covered['asked'])} were asked within the window, "
            f"{count(covered['answered'])} answered."
        )
    if who["clipped"]:
        notes.append(
            f"{title}: {count(who['clipped'])} invitations had a chance of an answer below "
            f"{share(who['clip'])}; it was taken as that, so they count for less than they should."
        )
    return notes


def _list_note(listed: dict[str, Any]) -> str:
    if "skipped" in listed:
        return f"No list of whom to ask next: {listed['skipped']}."
    left = "; ".join(f"{why}: {count(rows)}" for why, rows in listed["excluded"].items() if rows)
    return (
        f"Whom to ask next: {count(listed['rows'])} customers in ask_next.csv, fair across "
        f"{listed['segments'].replace('_', ' ')}. Not on the list: {left or 'nobody'}."
    )


def _stale(told: dict[str, Any]) -> str:
    return (
        f"These figures are of older data, as of {told['as_of'][:10]}. Run `goodwill population`."
    )
