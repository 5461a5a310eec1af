"""What everybody asked would have answered, beside what those who answered said, group by group."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from features.config.company import Company
from features.settings import Workspace
from models.nonresponse.group_estimates import CHANNEL
from models.nonresponse.nonresponse_results import read_population

#: The figures of `population.json` by measure, and what one of our units is in theirs.
CORRECTED_METRICS = {"csat_index": ("csat", 10.0), "satisfied": ("satisfied", 100.0), "nps": ("nps", 1.0)}

#: Why other figures are not corrected.
NOT_ASKED = "it is counted of all, not asked"
NOT_STUDIED = "who answers is studied for overall satisfaction and NPS only"


@dataclass(frozen=True)
class CorrectedFigure:
    """A figure of the last year's answers and what everybody asked would have said, with 95 %.

    `fresh` is false when the study was made of older data than the history. `by` has the same for the
    groups of a customer's attribute or the channel: `by["region"]["north"]`; small ones are missing.
    """

    answered: float
    everybody: float
    low: float
    high: float
    fresh: bool
    by: dict[str, dict[str, "CorrectedFigure"]] = field(default_factory=dict)


def read_corrected_figures(
    company: Company, workspace: Workspace, fingerprint: str
) -> tuple[dict[str, CorrectedFigure], dict[str, str]]:
    """The corrected figures by measure, and why others have none (as `goodwill population` said)."""
    told = read_population(company, workspace)
    if told is None:
        why = "who answers has not been studied; run `goodwill population`"
        return {}, dict.fromkeys(CORRECTED_METRICS, why)
    fresh = told["fingerprint"] == fingerprint
    figures = {f["name"]: f for q in told["questions"].values() for f in q.get("figures", ())}
    reasons = {"nps": told["questions"].get("nps", {}).get("skipped", "not studied")}
    other = told["questions"].get("satisfaction", {}).get("skipped", "not studied")
    found, lacking = {}, {}
    for measure, (name, unit) in CORRECTED_METRICS.items():
        if name in figures:
            found[measure] = _corrected(figures[name], unit, fresh)
        else:
            lacking[measure] = reasons.get(name, other)
    return found, lacking


def _corrected(figure: dict[str, Any], unit: float, fresh: bool) -> CorrectedFigure:
    cuts = {
        name if name == CHANNEL else name.removeprefix("crm_"): {
            group: _both(told["said"], told["everybody_asked"], unit, fresh)
            for group, told in cut["groups"].items()
        }
        for name, cut in figure.get("by", {}).items()  # older files have none
    }
    return replace(_both(figure["answered"], figure["everybody_asked"], unit, fresh), by=cuts)


def _both(said: dict[str, Any], everybody: dict[str, Any], unit: float, fresh: bool) -> CorrectedFigure:
    numbers = (said["value"], everybody["value"], everybody["low"], everybody["high"])
    answered, value, low, high = (np.nan if n is None else n / unit for n in numbers)
    return CorrectedFigure(answered, value, low, high, fresh)
