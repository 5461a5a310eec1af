"""How near the models come to the truth of the simulated company, which only benchmarks may read."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from features.config.company import load_company
from features.errors import DataRefused
from features.settings import find_workspace
from models.bundles.champions import load_champions
from models.bundles.judged_bundle import read_judged
from models.evaluation.metrics import judged_by, mae, roc_auc, spearman
from models.targets.registry import TARGETS
from models.training.train import load_rows, split_rows


def measure() -> str:
    """Churn, value and satisfaction of the sample's champions against the stored truth."""
    workspace = find_workspace()
    company = load_company(workspace.data / "sample.toml")
    truth = workspace.company("sample") / "truth"
    if not truth.is_dir():
        raise DataRefused("no sample company with its truth; make it with `make retrain`")
    serving = workspace.serving("sample")
    bundles = {t: read_judged(serving, b) for t, b in load_champions(serving)[0].items()}
    state = pd.read_parquet(truth / "state.parquet")
    lines = ["# Models compared with the ground truth of the sample company", ""]
    lines += ["| target | measure | model | oracle | ratio |", "|---|---|--:|--:|--:|"]
    for target in ("churn", "value"):
        if target not in bundles:
            continue
        rows = load_rows(company, workspace, target)
        config = company.target(target)
        test = rows.take(split_rows(TARGETS[target], config, rows).test)
        keys = pq.read_table(
            workspace.features("sample") / f"{target}.parquet", columns=["customer_id", "cutoff"]
        ).to_pandas()[split_rows(TARGETS[target], config, rows).test]
        cutoff = keys["cutoff"].iloc[0]
        nearest = state["cutoff"].unique()
        nearest = nearest[np.argmin(np.abs(nearest - cutoff))]
        known = state[state["cutoff"] == nearest].set_index("account_no")
        known = known.reindex(keys["customer_id"])
        inside = known["active"].fillna(False).to_numpy(bool)
        said = {"model": np.asarray(bundles[target].calibrated(test.features))[inside]}
        if (typical := bundles[target].typical_value(test.features)) is not None:
            said["typical"] = np.asarray(typical)[inside]
        lines += _compare(target, test.label[inside], said, known[inside])
    lines += ["", f"The ground truth is that of the nearest monthly cutoff ({nearest:%Y-%m-%d}), "
              "for customers active then; the test cutoff is the models' own.", ""]  # fmt: skip
    return "\n".join(lines)


def _compare(
    target: str, y: np.ndarray, said: dict[str, np.ndarray], known: pd.DataFrame
) -> list[str]:
    """Rows of the table; the absolute error of a value judges its median, the rank its mean."""
    if target == "churn":
        best = known["churn_probability"].to_numpy()
        a, b = roc_auc(y, said["model"]), roc_auc(y, best)
        return [f"| churn | ROC AUC | {a:.3f} | {b:.3f} | {a / b:.3f} |"]
    best = known["expected_value"].to_numpy()
    rows = []
    for name, metric, measure_ in (("MAE", "mae", mae), ("Spearman", "spearman", spearman)):
        a, b = measure_(y, judged_by(metric, said)), measure_(y, best)
        rows.append(f"| value | {name} | {a:,.3g} | {b:,.3g} | {a / b:.3f} |")
    return rows
