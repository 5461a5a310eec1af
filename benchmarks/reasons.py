"""Reasons: customers a second in bulk against LightGBM's own, and the time of a what-if.

On the sample company's own models; both contestants explain the same rows in one run, one thread.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.config.company import Company, load_company
from features.progress import silent_steps
from features.sample_company.generate import generate_sample_company
from features.settings import Workspace
from models.bundles.bundle import Bundle
from models.bundles.champions import load_champions
from models.explain.attributions import attribute_scores
from models.explain.counterfactuals import WhatIfModel
from models.explain.output_scale import OutputScale
from models.explain.reasons import Explainer
from models.explain.treeshap.bulk import bulk_contributions
from models.pipeline.retrain import retrain

ROWS, SINGLES = 20_000, 1_000
ASKED = 200


def measure() -> str:
    """Train the sample company, explain everyone, ask 200 customers what if; the tables."""

    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        company = sample(workspace)
        retrain(company, workspace, silent_steps())
        bundles, _ = load_champions(workspace.serving("sample"))
        snapshot = pq.read_table(workspace.features("sample") / "snapshot.parquet")
        monthly = pq.read_table(workspace.features("sample") / "value.parquet")
    rows = monthly.slice(0, ROWS).combine_chunks()
    return "\n".join(
        [
            "# Reasons",
            "",
            f"The sample company's champions on {snapshot.num_columns - 2} feature columns. In bulk: "
            f"{rows.num_rows:,} rows of customers and months; LightGBM's own contributions: "
            f"{SINGLES:,} of them, also with one thread. *Explained* includes the conversion to parts "
            "of the shown score, *in sentences* also three sentences each in two languages.",
            "",
            "| target | trees | LightGBM, rows a second | in bulk | times | explained | in sentences |",
            "|---|--:|--:|--:|--:|--:|--:|",
            *(_bulk(bundle, rows) for bundle in bundles.values()),
            "",
            f"What-if, one customer at a time: {ASKED} customers from the lowest to the highest score; "
            "the goal is the best fifth.",
            "",
            "| target | reached | median | 95th percentile |",
            "|---|--:|--:|--:|",
            *(_what_if(bundle, snapshot) for bundle in bundles.values()),
            "",
        ]
    )


def sample(workspace: Workspace) -> Company:
    """The sample company, simulated and imported below a workspace of its own."""

    folder = workspace.company("sample")
    folder.mkdir(parents=True)
    generate_sample_company(folder / "raw", folder / "truth", 5_000, 7)
    own = Path(__file__).parents[1] / "data" / "sample.toml"
    mapping = workspace.data / "sample.toml"
    mapping.write_text(own.read_text(encoding="utf-8"), encoding="utf-8")
    return load_company(mapping)


def _bulk(bundle: Bundle, rows: pa.Table) -> str:
    estimator = bundle.estimator
    few = rows.slice(0, SINGLES)
    reasoner = Explainer(bundle)
    _ = reasoner.columns
    bulk_contributions(estimator, estimator.encoder.encode(few))  # imported and compiled
    own = SINGLES / _seconds(lambda: estimator.contributions(few))
    fast = rows.num_rows / _seconds(
        lambda: bulk_contributions(estimator, estimator.encoder.encode(rows))
    )
    whole = rows.num_rows / _seconds(lambda: attribute_scores(bundle, rows))
    measured = rows.num_rows / _seconds(lambda: reasoner.reasons(rows, 3, ("en", "zh")))
    trees = estimator.rounds * (estimator.classes if estimator.kind == "multiclass" else 1)
    return (
        f"| {bundle.target} | {trees} | {own:,.0f} | {fast:,.0f} | {fast / own:.0f} | {whole:,.0f} | "
        f"{measured:,.0f} |"
    )


def _what_if(bundle: Bundle, snapshot: pa.Table) -> str:
    asked = WhatIfModel(Explainer(bundle), snapshot)
    scores = OutputScale.of(bundle).of_calibrated(bundle.calibrated(snapshot))
    goal = float(np.quantile(scores, 0.2 if asked.lower_is_better else 0.8))
    order = np.argsort(scores)[:: max(1, len(scores) // ASKED)][:ASKED]
    asked.smallest_change(snapshot.slice(0, 1), goal)
    times, reached = [], 0
    for place in order:
        row = snapshot.slice(int(place), 1)
        begun = time.perf_counter()
        reached += asked.smallest_change(row, goal).reached
        times.append(1000 * (time.perf_counter() - begun))
    return (
        f"| {bundle.target} | {reached} of {len(order)} | {statistics.median(times):.1f} ms | "
        f"{np.quantile(times, 0.95):.1f} ms |"
    )


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
