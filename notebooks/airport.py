"""The passenger surveys of San Francisco airport, 2011 to 2017, under one set of names and one scale."""

from pathlib import Path

import numpy as np
import pandas as pd

from features.settings import Workspace, real_data_root
from insight.satisfaction.rating_scales import SurveyScale

YEARS = range(2011, 2018)
#: The name of each question in 2011, 2012, 2013 and from 2014 on.
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


def airport_surveys(workspace: Workspace) -> pd.DataFrame | None:
    """One row an interview: `year`, `weight` (1 where a year has none), each question on 0 to 100, and
    `recommend` (0 to 10, 2017 only). None where the data are not at hand.

    6 means not used, 0 and `Blank` no answer: both are missing here; so is 11 for `recommend`.
    """
    folder = real_data_root(workspace) / "sfo_airport_survey"
    if not folder.is_dir():
        return None
    return pd.concat([_year(folder, year) for year in YEARS], ignore_index=True)


def _year(folder: Path, year: int) -> pd.DataFrame:
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


def as_asked(surveys: pd.DataFrame, question: str, instrument: str = "csat") -> pd.DataFrame:
    """One question as `insight.satisfaction.crosstabs` reads it: a row an interview, answered or not."""
    score = surveys[question] * (10.0 if instrument == "nps" else 1.0)
    return pd.DataFrame({
        "customer_id": surveys.index.astype(str), "period": surveys["year"], "score": score,
        "instrument": instrument, "dimension": "overall", "weight": surveys["weight"],
    })  # fmt: skip
