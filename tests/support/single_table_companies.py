"""Made-up companies with a single table: a survey, or tickets that customers rate."""

import csv
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

START, DAYS = datetime(2023, 1, 1, 9, tzinfo=UTC), 720

PAGE = Path(__file__).parents[2] / "docs/how-to/bring-one-table.md"


def recipe(name: str) -> str:
    """The company file of this name on the page of recipes."""
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (found,) = (block for block in blocks if f'name = "{name}"' in block)
    return str(found)


def write_survey_company(folder: Path, respondents: int = 700, seed: int = 5) -> Path:
    """Write `survey.csv` and `survey.toml`: each respondent answers about every fourth month."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(respondents):
        mood = rng.normal()
        for day in np.cumsum(rng.exponential(120, 8)):
            if day < DAYS:
                felt = mood + rng.normal(0, 0.7)
                rows.append((
                    f"R{i:04d}", _at(day), int(np.clip(round(7 + 2 * felt), 0, 10)),
                    int(np.clip(round(3.4 + felt), 1, 5)), "late again" if felt < -1 else "",
                    rng.choice(["mail", "web"]),
                ))  # fmt: skip
    heads = ("respondent", "answered", "recommend", "satisfied", "comment", "channel")
    return _write(folder, "survey", heads, rows, "survey")


def write_ticket_company(folder: Path, customers: int = 700, seed: int = 6) -> Path:
    """Write `tickets.csv` and `desk.toml`: half of the solved tickets are rated a day later."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(customers):
        mood = rng.normal()
        for day in np.cumsum(rng.exponential(100, 9)):
            hours = rng.gamma(2, 12)
            if day + hours / 24 + 2 < DAYS:
                rated = rng.random() < 0.5
                felt = mood - hours / 40 + rng.normal(0, 0.5)
                rows.append((
                    f"K{i:04d}", _at(day), _at(day + hours / 96), _at(day + hours / 24 + 0.1),
                    rng.choice(["bill", "fault", "question"]),
                    _at(day + hours / 24 + 1.2) if rated else "",
                    int(np.clip(round(3.9 + felt), 1, 5)) if rated else "",
                ))  # fmt: skip
    heads = ("customer", "opened", "replied", "closed", "topic", "rated", "rating")
    return _write(folder, "tickets", heads, rows, "desk")


def _at(day: float) -> str:
    return f"{START + timedelta(days=float(day)):%Y-%m-%d %H:%M:%S}"


def _write(
    folder: Path, table: str, heads: tuple[str, ...], rows: list[tuple[object, ...]], name: str
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(heads)
        writer.writerows(rows)
    path = folder / f"{name}.toml"
    path.write_text(recipe(name), encoding="utf-8")
    return path
