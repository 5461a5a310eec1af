"""What a reader must know before trusting the numbers of the overview."""

from insight.formatting.display_names import TITLES
from insight.formatting.numbers import share
from insight.model_report.coverage_warnings import NOTABLE, beyond_training
from insight.model_report.history_series import Answered
from insight.report_facts import Facts, Scores

ANSWER_TARGETS = ("satisfaction", "nps")
#: Nobody answers that often: unanswered questions are not in the data.
ALL_ANSWERED = 0.98


def cautions(facts: Facts, said: dict[str, Answered], far: dict[str, float]) -> list[str]:
    """The cautions that hold for these scores; none before anybody is scored.

    `far` is what `far_from_training` found.
    """
    scores = facts.scores
    if scores is None:
        return []
    found = _stale(facts, scores)
    if set(ANSWER_TARGETS) & set(scores.versions):
        found.append(
            "Predicted figures are for everybody, answered ones for those who answered. The prediction "
            "is not yet corrected for who answers, so it leans towards the kind of customer who does; "
            "what everybody asked would have answered has a section of its own where it can be told."
        )
    if any(given.rate > ALL_ANSWERED for given in said.values()):
        found.append("The data hold answered questions only: the answer rate cannot be known.")
    found += [
        f"{TITLES[target]}: {share(part)} of the customers have been silent longer than 95 % of those "
        "whose answers the model learnt from. It knows what people say soon after something happened; "
        "for the others trust the order at most, not the level."
        for target, part in far.items()
    ]
    if {"churn_probability", "value_expected"} <= set(scores.columns):
        found.append(
            "Value at risk ranks customers; it is no forecast of a loss. The expected value already "
            "counts the chance that a customer leaves, so the product is on the low side."
        )
    return found


def _stale(facts: Facts, scores: Scores) -> list[str]:
    """Whether the scores were made by other models, or as of another day, than what is here."""
    old = [
        f"{TITLES[target]} by version {version} (version {facts.bundles[target].version} serves)"
        for target, version in scores.versions.items()
        if target in facts.bundles and facts.bundles[target].version != version
    ]
    if scores.as_of != facts.manifest.end:
        old.append(f"as of {scores.as_of:%Y-%m-%d} (the data end on {facts.manifest.end:%Y-%m-%d})")
    return [f"The scores are not of today: {', '.join(old)}. Run `goodwill score`."] if old else []


def far_from_training(facts: Facts) -> dict[str, float]:
    """Answer models whose customers are mostly unlike those it learnt from, with their share."""
    found = {}
    for target in ANSWER_TARGETS:
        if target in facts.bundles and facts.scores and target in facts.scores.versions:
            churn = facts.bundles.get("churn")
            part = beyond_training(target, facts.company, facts.workspace, churn)
            if part is not None and part >= NOTABLE:
                found[target] = part
    return found
