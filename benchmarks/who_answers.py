"""How near the corrected satisfaction comes to the truth, on many simulated companies.

Each company is simulated again, so that the intervals can be counted: how many hold the truth.
"""

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from features.config.company import load_company
from features.import_history.run_import import import_history
from features.progress import silent_steps
from features.sample_company.generate import generate_sample_company
from features.settings import Workspace, find_workspace
from models.nonresponse.aipw import aipw_mean
from models.nonresponse.estimate import ANSWER_METRICS, estimate_respondents, fit_nonresponse_model
from models.nonresponse.invitations import Invitations, load_invitations
from models.nonresponse.sensitivity import sensitivity_bound
from models.targets.registry import TARGETS

COMPANIES, CUSTOMERS = 100, 1500
SAMPLE = (5000, 7)
#: The odds of answering of customers alike differ by about this factor in the sample company.
GAMMA = 1.25
_INSTRUMENT = {"satisfaction": "csat", "nps": "nps"}


@dataclass(frozen=True)
class Found:
    """One figure of one company: errors against the truth, and whether the ranges hold it."""

    figure: str
    truth: float
    naive: float
    corrected: float
    error: float
    inside: bool
    bounded: bool


def measure() -> str:
    """Errors, widths and coverage of the figures of 100 simulated companies, and of the sample."""
    sources = find_workspace()
    found: list[Found] = []
    for seed in range(COMPANIES):
        found += _company(sources, CUSTOMERS, 1000 + seed)
        sys.stderr.write(f"\r  company {seed + 1} of {COMPANIES}")
    sys.stderr.write("\n")
    sample = _company(sources, *SAMPLE)
    return "\n".join([*_head(), *_many(found), *_one(sample), ""])


def _company(sources: Workspace, customers: int, seed: int) -> list[Found]:
    """Draw a company, forget its truth, correct its figures, and compare."""
    home = Path(tempfile.mkdtemp(prefix="goodwill-who-answers-"))
    try:
        workspace = Workspace(home)
        folder = workspace.company("sample")
        folder.mkdir(parents=True)
        generate_sample_company(folder / "raw", folder / "truth", customers, seed)
        shutil.copy(sources.data / "sample.toml", workspace.data)
        company = load_company(workspace.data / "sample.toml")
        manifest = import_history(company, workspace, silent_steps())
        found: list[Found] = []
        for target in ANSWER_METRICS:
            asked = load_invitations(TARGETS[target], company, workspace, manifest)
            found += _compare(target, asked, folder / "truth" / "answers.parquet")
        return found
    finally:
        shutil.rmtree(home)


def _compare(target: str, asked: Invitations, truth: Path) -> list[Found]:
    level = true_levels(target, asked, truth)
    made = fit_nonresponse_model(TARGETS[target], asked)
    found = []
    for figure in ANSWER_METRICS[target]:
        true = float(figure.observed(level).mean())
        answers, plain = made.aipw_inputs(figure), estimate_respondents(asked, figure)
        ours = aipw_mean(answers)
        range_ = sensitivity_bound(answers, made.recent_propensity, GAMMA)
        found.append(
            Found(
                figure.title,
                true,
                (plain.value if plain else np.nan) - true,
                ours.value - true,
                ours.error,
                ours.low <= true <= ours.high,
                range_.low <= true <= range_.high,
            )
        )
    return found


def true_levels(target: str, asked: Invitations, truth: Path) -> np.ndarray:  # type: ignore[type-arg]
    """The class of what everybody asked in the window would have answered."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    rows = con.execute(
        "select answer from read_parquet(?) where instrument = ? and dimension = 'overall' "
        "and sent_at >= ? and sent_at <= ?",
        [str(truth), _INSTRUMENT[target], asked.starts.isoformat(), asked.ends.isoformat()],
    ).fetchnumpy()["answer"]
    con.close()
    if len(rows) != asked.recent.sum():
        raise ValueError(f"{len(rows)} true answers for {asked.recent.sum()} invitations")
    return np.asarray(rows - 1 if target == "satisfaction" else np.digitize(rows, (7, 9)), float)


def _head() -> list[str]:
    return [
        "# Non-response correction compared with the ground truth",
        "",
        "The sample company's surveys, simulated again: answering depends on logins, complaints, late "
        "deliveries, the customer's inclination to answer, slightly on satisfaction itself, and on "
        "not cancelling first. Ground truth: the mean of what everybody asked in the last year would "
        "have answered.",
        "",
    ]


def _many(found: list[Found]) -> list[str]:
    lines = [
        f"## {COMPANIES} companies of {CUSTOMERS:,} customers",
        "",
        "| figure | naive: mean error | corrected: mean error | naive: mean absolute error "
        "| corrected: mean absolute error | standard error, mean | 95% interval contains the truth "
        f"| range of odds × {GAMMA:g} does |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for title in dict.fromkeys(f.figure for f in found):
        of = [f for f in found if f.figure == title]
        naive, ours = np.array([f.naive for f in of]), np.array([f.corrected for f in of])
        lines.append(
            f"| {title} | {naive.mean():+.2f} | {ours.mean():+.2f} | {abs(naive).mean():.2f} "
            f"| {abs(ours).mean():.2f} | {np.mean([f.error for f in of]):.2f} "
            f"| {sum(f.inside for f in of)} of {len(of)} | {sum(f.bounded for f in of)} of {len(of)} |"
        )
    return lines


def _one(found: list[Found]) -> list[str]:
    customers, seed = SAMPLE
    lines = [
        "",
        f"## The sample company ({customers:,} customers, seed {seed})",
        "",
        "| figure | truth | naive: error | corrected: error | standard error | interval contains it |",
        "|---|--:|--:|--:|--:|:-:|",
    ]
    return lines + [
        f"| {f.figure} | {f.truth:.2f} | {f.naive:+.2f} | {f.corrected:+.2f} | {f.error:.2f} "
        f"| {'yes' if f.inside else 'no'} |"
        for f in found
    ]
