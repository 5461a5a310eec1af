"""Passenger surveys of San Francisco airport, 2011 to 2017, with common names and a common scale."""

from pathlib import Path

import numpy as np
import pandas as pd

from features.settings import Workspace, real_data_root
from insight.satisfaction.rating_scales import SurveyScale

YEARS = range(2011, 2018)
#: The column of each question in 2011, in 2012, in 2013 and from 2014 on.
QUESTIONS = {
    "overall": ("Q8N", "Q8N_WHOLE", "Q7O_WHOLE", "Q7ALL"),
    "art": ("Q8A", "Q8A_ART", "Q7A_ART", "Q7ART"),
    "food": ("Q8B", "Q8B_FOOD", "Q7B_FOOD", "Q7FOOD"),
    "shops": ("Q8C", "Q8C_SHOP", "Q7C_SHOPS", "Q7STORE"),
    "signs": ("Q8D", "Q8D_SIGNS", "Q7D_SIGNS", "Q7SIGN"),
    "walkways": ("Q8E", "Q8E_WALK", "Q7E_WALK", "Q7WALKWAYS"),
    "screens": ("Q8F", "Q8F_SCREENS", "Q7F_SCREENS", "Q7SCREENS"),
    "clean gates": ("Q10A", "Q10A_CLNBOARD", "Q9A_CLNBOARD", "Q9BOARDING"),
    "clean restrooms": ("Q10F", "Q10F_CLNBATH", "Q9E_CLNBATH", "Q9RESTROOM"),
    "safety": ("Q11", "Q11SAFE", "Q10SAFE", "Q10SAFE"),
    "finding the way": ("Q15A", "Q15A_FIND", "Q14A_FIND", "Q14FIND"),
    "security check": ("Q15B", "Q15B_SECURITY", "Q14B_SECURITY", "Q14PASSTHRU"),
}
ITEMS = [name for name in QUESTIONS if name != "overall"]


def read_airport_surveys(workspace: Workspace) -> pd.DataFrame | None:
    """Read the surveys, one row per interview; None without the data.

    Columns: `year`, `weight` (1 for years without weights), each question (0 to 100) and `recommend`
    (0 to 10, 2017 only). Code 6 (not used), 0 and `Blank` (no answer) are missing values; so is 11
    (don't know) for `recommend`.
    """
    folder = real_data_root(workspace) / "sfo_airport_survey"
    if not folder.is_dir():
        return None
    return pd.concat([_read_year(folder, year) for year in YEARS], ignore_index=True)


def _read_year(folder: Path, year: int) -> pd.DataFrame:
    raw = pd.read_parquet(folder / f"sfo_{year}.parquet")
    number = lambda column: pd.to_numeric(raw[column], errors="coerce")  # noqa: E731
    table = pd.DataFrame({"year": year, "weight": 1.0}, raw.index)
    if "WEIGHT" in raw:
        table["weight"] = number("WEIGHT")
    for name, columns in QUESTIONS.items():
        answers = number(columns[min(year - 2011, 3)])
        table[name] = SurveyScale(1, 5).to_hundred(
            answers.where(answers.between(1, 5)).to_numpy(float)
        )
    recommend = number("NETPRO") if "NETPRO" in raw else pd.Series(np.nan, raw.index)
    table["recommend"] = recommend.where(recommend.between(0, 10))
    return table


def as_questions(surveys: pd.DataFrame, question: str, instrument: str = "csat") -> pd.DataFrame:
    """Return one question in the format of `insight.satisfaction.crosstabs`, one row per interview."""
    score = surveys[question] * (10.0 if instrument == "nps" else 1.0)
    return pd.DataFrame({
        "customer_id": surveys.index.astype(str), "period": surveys["year"], "score": score,
        "instrument": instrument, "dimension": "overall", "weight": surveys["weight"],
    })  # fmt: skip
