"""What everybody asked would have answered, beside what those who answered said, cell by cell."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.company import Company
from features.errors import ConfigRefused
from features.mapping import near
from features.settings import Workspace
from models.answering.doubly_robust import Answers, doubly_robust, naive
from models.answering.estimate import Figure, Study
from models.answering.results import read_population

#: The figures of `population.json` by measure, and what one of our units is in theirs.
STUDIED = {"csat_index": ("csat", 10.0), "satisfied": ("satisfied", 100.0), "nps": ("nps", 1.0)}


@dataclass(frozen=True)
class Corrected:
    """A figure of the last year's answers and what everybody asked would have said, with 95 %.

    `fresh` is false when the study was made of older data than the history.
    """

    answered: float
    everybody: float
    low: float
    high: float
    fresh: bool


def corrected_figures(
    company: Company, workspace: Workspace, fingerprint: str
) -> tuple[dict[str, Corrected], dict[str, str]]:
    """The corrected figures by measure, and why others have none (as `goodwill population` said)."""
    told = read_population(company, workspace)
    if told is None:
        why = "who answers has not been studied; run `goodwill population`"
        return {}, dict.fromkeys(STUDIED, why)
    fresh = told["fingerprint"] == fingerprint
    figures = {f["name"]: f for q in told["questions"].values() for f in q.get("figures", ())}
    reasons = {"nps": told["questions"].get("nps", {}).get("skipped", "not studied")}
    other = told["questions"].get("satisfaction", {}).get("skipped", "not studied")
    found, lacking = {}, {}
    for measure, (name, unit) in STUDIED.items():
        if name in figures:
            found[measure] = _corrected(figures[name], unit, fresh)
        else:
            lacking[measure] = reasons.get(name, other)
    return found, lacking


def _corrected(figure: dict[str, Any], unit: float, fresh: bool) -> Corrected:
    said, everybody = figure["answered"], figure["everybody_asked"]
    numbers = (said["value"], everybody["value"], everybody["low"], everybody["high"])
    answered, value, low, high = (np.nan if n is None else n / unit for n in numbers)
    return Corrected(answered, value, low, high, fresh)


def corrected_cells(
    study: Study, figure: Figure, by: str, fewest: int = 20
) -> tuple[pd.DataFrame, int]:
    """A figure by the values of a feature (`crm_region`), naive and corrected; how many were hidden.

    Columns: the feature, `asked`, `answered`, then `naive` and `corrected`, each with `_low` and
    `_high`. The models are those of the whole study, so a small cell borrows from all others; its
    interval does not. Raises ConfigRefused for a feature the invitations lack.
    """
    able = [n for n in study.asked.features.column_names if n.startswith("crm_")]
    if by not in study.asked.features.column_names:
        raise ConfigRefused(f"no feature {by} to cut by{near(by, able)}")
    recent = study.asked.features.filter(pa.array(study.asked.recent))
    group = recent[by].to_pandas().astype(object).fillna("unknown").to_numpy()
    answers, lines, hidden = study.answers(figure), [], 0
    for value in sorted(set(group), key=str):
        part = _part(answers, group == value)
        answered = int((part.weight > 0).sum())
        if answered < fewest:
            hidden += 1
            continue
        heard = naive(part.said, np.where(part.weight > 0, part.base, 0.0), part.customer)
        whole = doubly_robust(part)
        lines.append({
            by: value, "asked": len(part.base), "answered": answered,
            "naive": heard.value, "naive_low": heard.low, "naive_high": heard.high,
            "corrected": whole.value, "corrected_low": whole.low, "corrected_high": whole.high,
        })  # fmt: skip
    return pd.DataFrame(lines), hidden


def _part(answers: Answers, rows: np.ndarray) -> Answers:
    return Answers(
        answers.said[rows], answers.expected[rows], answers.weight[rows], answers.base[rows],
        answers.customer[rows],
    )  # fmt: skip
