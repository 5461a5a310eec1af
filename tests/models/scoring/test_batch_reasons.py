"""The reasons file of a trained company: every customer, every target, sums and sentences."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features.config.company import Company
from features.errors import DataRefused
from features.execution.partitions import LOCAL
from features.progress import silent_steps
from features.settings import Workspace
from models.bundles.champions import load_champions
from models.explain.attributions import attribute_scores
from models.explain.reasons import Explainer
from models.explain.reasons_table import SCHEMA
from models.scoring.batch_reasons import explain_customers
from models.targets.target import population_mask
from support.trained_company import CUSTOMERS, copy_of_trained


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Company, Workspace, pa.Table]:
    company, workspace = copy_of_trained(tmp_path_factory.mktemp("explained") / "home")
    path = explain_customers(company, workspace, silent_steps(), top=4)
    assert path == workspace.scores("sample").with_name("reasons.parquet")
    return company, workspace, pq.read_table(path)


def test_every_customer_has_reasons_for_every_target(explained) -> None:
    _, workspace, table = explained
    targets = load_champions(workspace.serving("sample"))[0]
    assert table.schema.equals(SCHEMA)
    rows = table.to_pandas()
    assert set(rows["target"]) == set(targets)
    scores = pq.read_table(workspace.scores("sample"))
    inside = pc.sum(scores["churn_in_population"]).as_py()
    for target, group in rows.groupby("target"):  # no churn figure, no reasons
        assert group["customer_id"].nunique() == (inside if target == "churn" else CUSTOMERS)
    assert not rows.duplicated(["customer_id", "target", "rank"]).any()
    assert rows["rank"].max() == 4


def test_contributions_are_those_of_the_factors(explained) -> None:
    _, workspace, table = explained
    bundle = load_champions(workspace.serving("sample"))[0]["churn"]
    snapshot = pq.read_table(workspace.features("sample") / "snapshot.parquet")
    snapshot = snapshot.filter(pa.array(population_mask(snapshot, bundle.population)))
    totals = Explainer(bundle).groups.totals(attribute_scores(bundle, snapshot).parts)
    largest = np.sort(np.abs(totals), axis=1)[:, ::-1]
    rows = table.to_pandas().query("target == 'churn'")
    for rank in (1, 2, 3, 4):
        own = rows[rows["rank"] == rank].set_index("customer_id")["contribution"].abs()
        shown = own.reindex(snapshot["customer_id"].to_pylist()).fillna(0).to_numpy()
        np.testing.assert_allclose(shown, largest[:, rank - 1], atol=1e-9)


def test_sentences_compare_with_the_window_before(explained) -> None:
    _, _, table = explained
    rows = table.to_pandas()
    pattern = r"^(?:orders|complaints|logins|sales visits) (rose|fell) from ([\d,]+) to ([\d,]+) in"
    compared = rows["text_en"].str.extract(pattern).dropna()
    assert len(compared) > 20
    for verb, then, now in compared.itertuples(index=False):
        assert (int(now.replace(",", "")) > int(then.replace(",", ""))) == (verb == "rose")
    assert not rows["text_en"].str.contains(r"nan|None|\{", regex=True).any()
    assert all(re.search(r"[\u4e00-\u9fff]", text) for text in rows["text_zh"])


def test_a_history_newer_than_the_snapshot_is_not_compared_with(
    explained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    company, workspace, _ = explained
    home = Workspace(shutil.copytree(workspace.home, tmp_path / "home"))
    path = home.history("sample") / "history.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"fingerprint": "another"}))
    shown: list[str] = []
    steps = silent_steps()
    steps.note = shown.append  # type: ignore[method-assign]
    rows = pq.read_table(explain_customers(company, home, steps, LOCAL))
    assert any("not compared with the previous window" in line for line in shown)
    assert not any(re.search(r" (rose|fell) from ", t) for t in rows["text_en"].to_pylist())


def test_without_snapshot_or_models_it_is_refused(explained, tmp_path: Path) -> None:
    company, workspace, _ = explained
    with pytest.raises(DataRefused, match="make it with `goodwill features`"):
        explain_customers(company, Workspace(tmp_path / "nothing"), silent_steps())
    home = Workspace(shutil.copytree(workspace.home, tmp_path / "home"))
    shutil.rmtree(home.serving("sample"))
    with pytest.raises(DataRefused, match="no model of sample to explain"):
        explain_customers(company, home, silent_steps())
