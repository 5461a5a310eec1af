"""A model's card: what it predicts, for whom, how well, from what, as one page of Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from features.describe import Described, as_markdown

#: What a card says of a model's manifest, with the words for it.
FACTS = {
    "company": "Company",
    "trained_at": "Trained",
    "data_end": "Data up to",
    "horizon_days": "Horizon, days",
    "gap_days": "Gap, days",
    "test_start": "Judged on rows from",
    "fingerprint": "Data fingerprint",
    "code_revision": "Code revision",
}


def card(
    title: str, means: str, whom: str, facts: Mapping[str, Any], described: Sequence[Described]
) -> str:
    """The card of a trained target.

    `facts` are those of the manifest; `described` are the features the model reads, with their
    missing rates among the training rows.
    """
    metrics = facts["metrics"]
    names = [n for n in metrics if f"rule_{n}" in metrics]
    return "\n".join(
        [
            f"# {title}",
            "",
            f"{means} {whom}",
            "",
            f"Grade {facts['grade']}: {facts['grade_reason']}.",
            "",
            *(f"- {words}: {facts[key]}" for key, words in FACTS.items()),
            f"- Training cutoffs: {_span(facts['cutoffs'])}",
            "- Labels: " + ", ".join(f"{k} {n:,}" for k, n in facts["label_counts"].items()),
            "",
            "## How well, on later data",
            "",
            "| | model | business rule | linear model |",
            "|---|--:|--:|--:|",
            *(
                f"| {n} | {_figure(metrics.get(n))} | {_figure(metrics.get(f'rule_{n}'))} "
                f"| {_figure(metrics.get(f'linear_{n}'))} |"
                for n in names
            ),
            "",
            "## From what",
            "",
            as_markdown(described),
            "",
        ]
    )


def _span(cutoffs: Sequence[str]) -> str:
    """The first and the last cutoff, and how many there are."""
    if len(cutoffs) < 2:
        return ", ".join(c[:10] for c in cutoffs)
    return f"{cutoffs[0][:10]} to {cutoffs[-1][:10]} ({len(cutoffs)})"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}"
