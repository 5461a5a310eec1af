"""Figures others measured on the same data, beside ours."""

from dataclasses import dataclass

import numpy as np

from features.config.company import Company, Reference
from insight.formatting.display_names import MEASURES, TITLES, value_text
from insight.formatting.numbers import MISSING, signed
from insight.model_report.holdout_section import Measured
from models.evaluation.bootstrap import Interval
from models.evaluation.metrics import METRICS

#: Other names under which a measure is known.
ALSO_CALLED = {"top_tenth_capture": "capture_10"}


@dataclass(frozen=True)
class Beside:
    """One reference in words: its figure, ours, the difference and who is better."""

    target: str
    measure: str
    what: str
    theirs: str
    ours: str
    difference: str
    verdict: str
    outcome: str  # better, worse, even or unknown


def beside_references(company: Company, measured: dict[str, Measured]) -> list[Beside]:
    """Every reference of the company's file, in its order; `measured` is by target."""
    return [_beside(r, measured.get(r.target, {}).get("model", {})) for r in company.references]


def _beside(reference: Reference, ours: dict[str, Interval]) -> Beside:
    name = ALSO_CALLED.get(reference.metric, reference.metric)
    words = MEASURES.get(name)
    form = words.form if words else "ratio"
    interval = ours.get(name)
    difference, verdict, outcome = "", "not measured here", "unknown"
    if interval is not None and np.isfinite(interval.value):
        gap = interval.value - reference.value
        places = {"ratio": 3, "percent": 1, "points": 1, "times": 1, "money": 0}[form]
        difference = signed(100 * gap if form == "percent" else gap, places)
        difference += " points" if form == "percent" else ""
        if value_text(interval.value, form) == value_text(reference.value, form):
            difference, verdict, outcome = "0", "the same", "even"
        else:
            better = (gap > 0) == METRICS[name].higher_is_better
            outcome = "better" if better else "worse"
            noise = interval.low <= reference.value <= interval.high
            verdict = f"{outcome}, within the noise" if noise else outcome
    return Beside(
        TITLES[reference.target],
        words.label if words else reference.metric,
        reference.what,
        value_text(reference.value, form),
        value_text(interval.value, form) if interval is not None else MISSING,
        difference,
        verdict,
        outcome,
    )
