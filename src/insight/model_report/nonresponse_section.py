"""Section on non-response-corrected satisfaction and NPS, from `nonresponse.json`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from features.config.company import Company
from features.formatting import ENGLISH, MISSING
from features.settings import Workspace
from insight.formatting.display_names import TITLES
from models.nonresponse.nonresponse_results import read_nonresponse_results

#: Odds ratio beyond what any hidden factor is likely to have.
BEYOND = "more than 20"


@dataclass(frozen=True)
class CorrectedEstimate:
    """An indicator among respondents, everybody asked and current customers."""

    title: str
    answered: str
    answered_interval: str
    everybody: str
    everybody_interval: str
    difference: str
    customers: str
    customers_interval: str
    gamma: str


@dataclass(frozen=True)
class SensitivityBounds:
    """Bounds of an indicator, one for each gamma in the table head."""

    title: str
    bounds: tuple[str, ...]


@dataclass(frozen=True)
class NonresponseSection:
    """Corrected estimates, sensitivity bounds, notes, and questions that could not be corrected."""

    estimates: list[CorrectedEstimate]
    gammas: tuple[str, ...]
    bounds: list[SensitivityBounds]
    notes: list[str]
    differences: list[tuple[str, str, str, str]]
    skipped: list[tuple[str, str]]


def nonresponse_section(
    company: Company, workspace: Workspace, fingerprint: str
) -> NonresponseSection | None:
    """The section; None where non-response was never estimated."""
    results = read_nonresponse_results(company, workspace)
    if results is None:
        return None
    studied = {t: q for t, q in results["questions"].items() if "figures" in q}
    figures = [figure for question in studied.values() for figure in question["figures"]]
    notes = [_outdated(results)] if results["fingerprint"] != fingerprint else []
    for target, question in studied.items():
        notes += _notes(TITLES[target], question)
    if studied:
        notes.append(_invitation_note(results["ask_next"]))
    gammas = tuple(f"odds × {b['gamma']:g}" for b in figures[0]["bounds"]) if figures else ()
    return NonresponseSection(
        estimates=[_estimate(figure) for figure in figures],
        gammas=gammas,
        bounds=[SensitivityBounds(f["title"], tuple(map(_interval, f["bounds"]))) for f in figures],
        notes=notes,
        differences=[
            (TITLES[t], d["feature"], ENGLISH.signed(d["before"], 2), ENGLISH.signed(d["after"], 2))
            for t, q in studied.items()
            for d in q["propensity"]["differences"]
        ],
        skipped=[
            (TITLES[t], q["skipped"]) for t, q in results["questions"].items() if "skipped" in q
        ],
    )


def _estimate(figure: dict[str, Any]) -> CorrectedEstimate:
    answered, asked, now = (figure[k] for k in ("answered", "everybody_asked", "all_customers"))
    gamma = figure["gamma_to_answered"]
    return CorrectedEstimate(
        title=figure["title"],
        answered=ENGLISH.decimal(answered["value"]),
        answered_interval=_interval(answered),
        everybody=ENGLISH.decimal(asked["value"]),
        everybody_interval=_interval(asked),
        difference=ENGLISH.signed(asked["value"] - answered["value"]),
        customers=ENGLISH.decimal(now["value"]) if now else MISSING,
        customers_interval=_interval(now) if now else "",
        gamma=ENGLISH.decimal(gamma, 2) if gamma is not None else BEYOND,
    )


def _interval(ends: dict[str, float]) -> str:
    return ENGLISH.interval(ENGLISH.decimal(ends["low"]), ENGLISH.decimal(ends["high"]))


def _notes(title: str, question: dict[str, Any]) -> list[str]:
    """The data behind the estimates of a question."""
    propensity, coverage, n = question["propensity"], question["coverage"], ENGLISH
    first, last = (datetime.fromisoformat(question[k]) for k in ("from", "until"))
    before, after = propensity["largest_difference"]
    rate = question["answers"] / question["invitations"]
    notes = [
        f"{title}: {n.count(question['invitations'])} invitations to "
        f"{n.count(question['customers_asked'])} customers, {n.day(first)} to {n.day(last)}; "
        f"{n.count(question['answers'])} answers ({n.percent(rate)}), an effective sample of "
        f"{n.count(propensity['effective_answers'])} after weighting. Weighting reduces the largest "
        f"difference between respondents and everybody asked from {n.decimal(before, 2)} to "
        f"{n.decimal(after, 2)} standard deviations.",
    ]
    if coverage["customers"]:
        notes.append(
            f"{title}: {n.percent(coverage['share'])} of the {n.count(coverage['customers'])} current "
            "customers resemble a respondent; for the others the estimate is an extrapolation. "
            f"{n.count(coverage['asked'])} were asked in this time, {n.count(coverage['answered'])} "
            "answered."
        )
    if propensity["clipped"]:
        notes.append(
            f"{title}: {n.count(propensity['clipped'])} invitations had a response propensity below "
            f"{n.percent(propensity['clip'])} and were set to it, so they count for less than they "
            "should."
        )
    return notes


def _invitation_note(listed: dict[str, Any]) -> str:
    if "skipped" in listed:
        return f"No next invitations: {listed['skipped']}."
    excluded = "; ".join(
        f"{why}: {ENGLISH.count(rows)}" for why, rows in listed["excluded"].items() if rows
    )
    return (
        f"Next invitations: {ENGLISH.count(listed['rows'])} customers in ask_next.csv, balanced across "
        f"{listed['segments'].replace('_', ' ')}. Excluded: {excluded or 'nobody'}."
    )


def _outdated(results: dict[str, Any]) -> str:
    return (
        f"These estimates are based on older data, as of {results['as_of'][:10]}. Run "
        "`goodwill nonresponse`."
    )
