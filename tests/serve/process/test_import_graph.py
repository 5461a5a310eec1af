"""Imports are traced, in a tree of five files and in the service itself."""

from pathlib import Path

import pytest

from features.errors import ConfigRefused
from serve.process.build_bento import ENTRY_MODULES
from serve.process.import_graph import ReachableCode, pin_requirements, trace_imports

PROJECT = Path(__file__).parents[3]
LOCK = (PROJECT / "requirements.lock").read_text("utf-8")
FILES = {
    "shop/__init__.py": "",
    "shop/front.py": "import json\nfrom shop import till\nimport yaml.parser",
    "shop/till.py": "def open():\n    from shop.deep.drawer import coins\n    import rich",
    "shop/deep/__init__.py": "",
    "shop/deep/drawer.py": "import shop.front",
    "shop/deep/words.toml": "",
    "shop/cellar.py": "import mlflow",
    "other/__init__.py": "",
    "other/words.toml": "",
}


@pytest.fixture
def found(tmp_path: Path) -> ReachableCode:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return trace_imports(tmp_path, ["shop.front"])


def test_imports_in_functions_and_cycles_are_followed(found: ReachableCode) -> None:
    assert sorted(found.modules) == [
        "shop",
        "shop.deep",
        "shop.deep.drawer",
        "shop.front",
        "shop.till",
    ]


def test_packages_of_traced_modules_without_the_standard_library(
    found: ReachableCode,
) -> None:
    assert found.packages == {"yaml", "rich"}


def test_data_files_of_traced_packages(found: ReachableCode) -> None:
    assert [path.name for path in found.data] == ["words.toml"]


def test_requirements_include_dependencies() -> None:
    pins = pin_requirements({"starlette", "yaml"}, LOCK)
    names = [pin.split("==")[0] for pin in pins]
    assert names == sorted(names)
    assert {"anyio", "idna", "pyyaml", "starlette"} <= set(names)
    assert set(pins) <= set(LOCK.splitlines())
    assert "jinja2" not in names  # starlette needs it for an extra only


@pytest.mark.slow
def test_packages_not_installed_or_not_pinned_are_errors() -> None:
    with pytest.raises(ConfigRefused, match="not installed: nosuchthing"):
        pin_requirements({"nosuchthing"}, LOCK)
    with pytest.raises(ConfigRefused, match=r"not in requirements\.lock: idna"):
        pin_requirements({"anyio"}, LOCK.replace("idna==", "other=="))


def test_the_service_imports_no_training_code_and_no_mlflow() -> None:
    found = trace_imports(PROJECT / "src", ENTRY_MODULES)
    assert {
        "serve.app",
        "models.bundles.predict",
        "features.engine.kernel",
        "models.explain.treeshap.bulk",
        "models.targets.churn",
    } <= set(found.modules)
    training = {
        "models.training.train",
        "models.bundles.mlflow_registry",
        "models.pipeline.retrain",
        "models.pipeline.train_target",
        "models.training.hyperparameters",
    }
    assert training & set(found.modules) == set()
    of_insight = {name for name in found.modules if name.split(".")[0] == "insight"}
    files = ("business_schema", "evaluation_files", "evaluation_schema", "indicator_schema")
    read = {f"insight.evaluation.{name}" for name in files}
    ranked = {f"insight.calls.{n}" for n in ("call_ranking", "customer_record", "reason_order")}
    assert of_insight == {"insight", "insight.evaluation", "insight.calls", *read, *ranked}
    assert (
        found.packages & {"mlflow", "optuna", "matplotlib", "jupyter", "sqlalchemy", "statsmodels"}
        == set()
    )
    assert {"bentoml", "lightgbm", "numba", "pyarrow", "starlette"} <= found.packages
