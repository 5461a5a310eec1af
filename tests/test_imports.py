"""Importing a module only defines things: heavy libraries are imported where they are used."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
#: Each takes a tenth of a second to several seconds to import.
TRAINING = [
    "mlflow",
    "lightgbm",
    "sklearn",
    "scipy",
    "matplotlib",
    "numba",
    "optuna",
    "statsmodels",
]
HEAVY = [*TRAINING, "bentoml", "jinja2", "babel"]
DATA = ["pandas", "pyarrow", "duckdb"]


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("serve.cli.main", [*HEAVY, *DATA, "httpx", "starlette"]),
        ("models.pipeline.retrain", HEAVY),
        ("serve.app", ["mlflow", "optuna", "matplotlib", "statsmodels", "sklearn", "bentoml"]),
        ("insight.evaluation.run_evaluation", HEAVY),
    ],
)
def test_a_module_does_not_load_what_it_may_not_need(module: str, absent: list[str]) -> None:
    code = f"import sys, {module}\nprint([m for m in {absent} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT / "src",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
