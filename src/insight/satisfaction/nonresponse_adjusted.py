"""Satisfaction figures corrected for non-response, overall and by group."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from features.config.company import Company
from features.settings import Workspace
from models.nonresponse.group_estimates import CHANNEL
from models.nonresponse.nonresponse_results import read_nonresponse_results

#: Metric: its name in `nonresponse.json`, and the factor between the two units.
CORRECTED_METRICS = {
    "csat_index": ("csat", 10.0),
    "satisfied": ("satisfied", 100.0),
    "nps": ("nps", 1.0),
}

#: Reasons why other metrics are not corrected.
NOT_ASKED = "measured for all customers, not by a survey"
NOT_STUDIED = "non-response is corrected for overall satisfaction and NPS only"


@dataclass(frozen=True)
class CorrectedFigure:
    """A figure as answered in the last year, and its non-response-corrected value with a 95% interval.

    `fresh` is false if the estimate was made from older data than the history. `by` has the same by
    group of a customer attribute or the channel: `by["region"]["north"]`; small groups are missing.
    """

    answered: float
    corrected: float
    low: float
    high: float
    fresh: bool
    by: dict[str, dict[str, "CorrectedFigure"]] = field(default_factory=dict)


def read_corrected_figures(
    company: Company, workspace: Workspace, fingerprint: str
) -> tuple[dict[str, CorrectedFigure], dict[str, str]]:
    """Read the corrected figures by metric, and the reason for each metric that has none."""
    population = read_nonresponse_results(company, workspace)
    if population is None:
        why = "non-response has not been estimated yet; run `goodwill nonresponse`"
        return {}, dict.fromkeys(CORRECTED_METRICS, why)
    fresh = population["fingerprint"] == fingerprint
    figures = {f["name"]: f for q in population["questions"].values() for f in q.get("figures", ())}
    reasons = {"nps": population["questions"].get("nps", {}).get("skipped", "not estimated")}
    other = population["questions"].get("satisfaction", {}).get("skipped", "not estimated")
    corrected, reasons_missing = {}, {}
    for measure, (name, unit) in CORRECTED_METRICS.items():
        if name in figures:
            corrected[measure] = _corrected(figures[name], unit, fresh)
        else:
            reasons_missing[measure] = reasons.get(name, other)
    return corrected, reasons_missing


def _corrected(figure: dict[str, Any], unit: float, fresh: bool) -> CorrectedFigure:
    cuts = {
        name if name == CHANNEL else name.removeprefix("crm_"): {
            group: _figure(figures["said"], figures["everybody_asked"], unit, fresh)
            for group, figures in cut["groups"].items()
        }
        for name, cut in figure.get("by", {}).items()  # absent in older files
    }
    return replace(_figure(figure["answered"], figure["everybody_asked"], unit, fresh), by=cuts)


def _figure(
    answered_figure: dict[str, Any], corrected_figure: dict[str, Any], unit: float, fresh: bool
) -> CorrectedFigure:
    numbers = (
        answered_figure["value"],
        corrected_figure["value"],
        corrected_figure["low"],
        corrected_figure["high"],
    )
    answered, value, low, high = (np.nan if n is None else n / unit for n in numbers)
    return CorrectedFigure(answered, value, low, high, fresh)
