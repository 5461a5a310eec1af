"""A feature of a notebook cell: tried out at once, never promoted from there."""

import json
import shutil
import warnings

import numpy as np
import pyarrow.parquet as pq
import pytest

from features.config.company import Company, load_company
from features.definitions.feature_registry import REGISTRY, feature
from features.errors import ConfigRefused
from features.families import orders
from features.feature_table import plan_for
from features.history_store import Manifest
from features.progress import silent_steps
from features.settings import Workspace
from models.bundles.mlflow_registry import Registry
from models.pipeline.retrain import train_all
from models.pipeline.try_features import try_features


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch):
    """A registry that forgets at the end of the test what was registered in it."""
    before = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)


def define() -> None:
    @feature(unit="share", windows=(90, 365))
    def weekday_logins(past):
        """Share of logins among all events in the last {window} days"""
        return past.events.share(kind="login")


@pytest.fixture(scope="module")
def a_copy(small_company, tmp_path_factory) -> tuple[Company, Workspace]:
    """The small company in a place of its own: trials leave runs in the tracking store."""
    home = tmp_path_factory.mktemp("tried") / "home"
    shutil.copytree(small_company[1].home, home)
    workspace = Workspace(home)
    return load_company(workspace.data / "sample.toml"), workspace


@pytest.mark.slow
def test_a_feature_is_compared_with_the_model_without_it(a_copy, cell):
    company, workspace = a_copy
    stored = (workspace.features("sample") / "churn.parquet").stat().st_mtime_ns
    define()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tried = try_features(company, workspace, "churn")
    assert tried.columns == ("weekday_logins_90d", "weekday_logins_365d")
    assert set(tried.table().columns) == {"with", "without", "rule"}
    assert tried.table().loc["roc_auc"].between(0.3, 1).all()
    assert list(tried.importance().index) == list(tried.columns)
    assert not set(tried.columns) & set(tried.without.test.features.column_names)
    assert tried.comparison.reason
    assert (workspace.features("sample") / "churn.parquet").stat().st_mtime_ns == stored
    assert not list(workspace.company("sample").glob("tmp*")), "nothing is left behind"
    runs = Registry(workspace).client.search_runs(
        [e.experiment_id for e in Registry(workspace).client.search_experiments()]
    )
    (logged,) = [r for r in runs if r.info.run_name.startswith("try churn")]
    assert logged.data.params["on_trial"] == "weekday_logins_90d, weekday_logins_365d"
    assert np.isfinite(logged.data.metrics["without_roc_auc"])


def test_a_built_in_column_can_be_tried_and_a_misspelt_one_is_refused(a_copy):
    company, workspace = a_copy
    with pytest.raises(ConfigRefused, match="no trial columns"):
        try_features(company, workspace, "churn")
    with pytest.raises(ConfigRefused, match="'orders_90'; did you mean orders_90d"):
        try_features(company, workspace, "churn", columns=("orders_90",))


@pytest.mark.slow
def test_a_model_that_reads_a_notebooks_feature_is_not_promoted(make_company, tmp_path, cell):
    from models.training_set.build_training_sets import build_features

    company, workspace = make_company(tmp_path, 400)

    @feature(unit="money", windows=orders.WINDOWS)
    def revenue(past):  # a cell that replaces one of the house's own
        """Net revenue in the last {window} days"""
        return past.events.where(kind=("order", "return")).sum("amount")

    plan = plan_for(Manifest.read(workspace, "sample").schema)
    assert {c.declared_in for c in plan.columns if c.name == "revenue_90d"} == {__name__}
    only = company.model_copy(
        update={"targets": {n: company.targets[n].model_copy(update={"enabled": n == "value"})
                            for n in ("churn", "value", "nps", "satisfaction")}}
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        counts, unable = build_features(only, workspace, silent_steps())
        outcomes = train_all(only, workspace, silent_steps(), counts, unable)
    (value,) = [o for o in outcomes if o.target == "value"]
    assert value.decision == "refused"
    assert "move the function into a family file" in value.reason
    assert not (workspace.serving("sample") / "value" / "champion.json").exists()
    assert "revenue_90d" in pq.read_schema(workspace.features("sample") / "value.parquet").names
    assert json.loads((workspace.company("sample") / "outcomes.json").read_text())
