"""CONTRIBUTING's four recipes, followed to the letter in a copy of the project."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

PROJECT = Path(__file__).parents[1]
START = pd.Timestamp("2024-01-01", tz="UTC")
IGNORED = shutil.ignore_patterns("__pycache__", "*.ipynb", "site")
#: The tests that a recipe may break, besides those of this file.
AFFECTED = {
    "A feature": [
        "tests/features/definitions",
        "tests/features/test_no_feature_looks_ahead.py",
    ],
    "A target": [
        "tests/models/targets",
        "tests/models/training/test_baseline_comparison.py",
        "tests/models/training/test_hyperparameters.py",
        "tests/insight/formatting/test_display_names.py",
        "tests/insight/business_report/test_translations.py",
        "tests/serve/handlers/test_customers.py",
        "tests/serve/handlers/test_scores.py",
        "tests/serve/observability/test_score_bands.py",
        "tests/serve/test_client.py::test_the_types_match_the_schemas_of_the_service",
    ],
    "A company": ["tests/features/config"],
    "An endpoint": [
        "tests/serve/http/test_openapi.py",
        "tests/serve/test_errors.py",
        "tests/docs/test_generated_pages.py",
    ],
}


def recipe_code(heading: str) -> list[str]:
    """The code blocks below a heading of CONTRIBUTING."""
    text = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    part = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"```\w+\n(.*?)```", part, re.DOTALL)


def append(path: Path, code: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + "\n\n" + code, encoding="utf-8")


def insert_after(path: Path, mark: str, code: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(mark) == 1
    path.write_text(text.replace(mark, f"{mark}\n{code.rstrip()}"), encoding="utf-8")


def write_acme(folder: Path) -> None:
    """Two years of orders of 500 customers, each at their own pace; half of them stop one day."""
    rng = np.random.default_rng(3)
    folder.mkdir()
    ids = [f"K{i:03d}" for i in range(500)]
    pace = rng.choice([4.0, 50.0], len(ids))  # thirty silent days mean more for the quick ones
    end = np.where(rng.random(len(ids)) < 0.5, rng.uniform(100, 730, len(ids)), 730)
    rows = [
        (customer, START + pd.Timedelta(days=float(day)), round(float(rng.lognormal(4, 1)), 2))
        for customer, gap, last in zip(ids, pace, end, strict=True)
        for day in np.cumsum(rng.exponential(gap, int(1000 / gap)))
        if day < last
    ]
    orders = pd.DataFrame(rows, columns=["id", "ordered", "net"])
    half = len(orders) // 2
    orders[:half].to_parquet(folder / "orders_1.parquet")
    orders[half:].to_parquet(folder / "orders_2.parquet")
    returns = orders.sample(300, random_state=1)
    pd.DataFrame(
        {"id": returns["id"], "returned": returns["ordered"], "refund": returns["net"] / 2}
    ).to_parquet(folder / "returns.parquet")
    joined = START - pd.to_timedelta(rng.integers(0, 400, len(ids)), unit="D")
    accounts = pd.DataFrame({"id": ids, "changed": joined.strftime("%Y-%m-%d %H:%M:%S")})
    accounts["plan"] = rng.choice(["basic", "plus"], len(ids))
    accounts.to_csv(folder / "accounts.csv", index=False)


def run(home: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(home / "src"), "GOODWILL_HOME": str(home)}
    return subprocess.run(
        [sys.executable, *command], cwd=home, env=environment, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which all four recipes were followed."""
    home = tmp_path_factory.mktemp("recipes") / "project"
    for name in ("src", "tests", "docs"):
        shutil.copytree(PROJECT / name, home / name, ignore=IGNORED)
    (home / "data").mkdir()
    for file in (*PROJECT.glob("*.toml"), *PROJECT.glob("*.md"), *PROJECT.glob("data/*.toml")):
        shutil.copy(file, home / file.relative_to(PROJECT))
    append(home / "src/features/families/orders.py", recipe_code("A feature")[0])
    target, section = recipe_code("A target")
    (home / "src/models/targets/reorder.py").write_text(target, encoding="utf-8")
    write_acme(home / "acme")
    toml = recipe_code("A company")[0].replace("/data/acme", str(home / "acme"))
    (home / "data/acme.toml").write_text(f"{toml}\n{section}", encoding="utf-8")
    handler, operation, row = recipe_code("An endpoint")
    append(home / "src/serve/handlers/models.py", handler)
    insert_after(home / "src/serve/routes.py", "OPERATIONS: tuple[Operation, ...] = (", operation)
    reference = home / "docs/reference/http-api.md"
    first = re.search(r"^\| GET \| `/v1/models` .*$", reference.read_text("utf-8"), re.MULTILINE)
    assert first
    insert_after(reference, first[0], row)
    done = run(home, "docs/generators", "reference")
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture(scope="module")
def trained(followed: Path) -> Path:
    """The copy after acme was retrained."""
    done = run(followed, "-m", "serve.cli", "retrain", "--company", "data/acme.toml")
    assert done.returncode == 0, done.stderr
    return followed


@pytest.mark.slow
@pytest.mark.parametrize("recipe", AFFECTED)
def test_the_affected_tests_pass_in_the_copy(followed: Path, recipe: str) -> None:
    options = ("-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not slow")
    done = run(followed, "-m", "pytest", *options, *AFFECTED[recipe])
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.mark.slow
def test_the_feature_is_a_column_where_the_company_has_what_it_needs(followed: Path) -> None:
    code = (
        "from features.definitions.company_schema import CompanySchema\n"
        "from features.feature_table import plan_for\n"
        "columns = ('customer_id', 'occurred_at', 'known_at', 'kind', 'channel')\n"
        "plans = [plan_for(CompanySchema({'events': c}, {}, ())) for c in (columns, columns[:4])]\n"
        "print([[n for n in plan.names if n.startswith('web')] for plan in plans])"
    )
    done = run(followed, "-c", code)
    assert done.stdout.strip() == "[['web_orders_30d', 'web_orders_90d'], []]", done.stderr


def test_the_target_concerns_only_the_company_that_names_it(followed: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from features.config.company import load_company\n"
        "from models.targets.registry import TARGETS, company_targets\n"
        "print(*TARGETS)\n"
        "for name in ('sample', 'acme'):\n"
        "    print(*(t.name for t in company_targets(load_company(Path(f'data/{name}.toml')))))"
    )
    done = run(followed, "-c", code)
    four = "satisfaction nps churn value"
    assert done.stdout.splitlines() == [f"{four} reorder", four, f"{four} reorder"], done.stderr


@pytest.mark.slow
def test_the_target_is_trained_evaluated_and_scored(trained: Path) -> None:
    outcomes = json.loads((trained / "data/acme/outcomes.json").read_text(encoding="utf-8"))
    reorder = next(o for o in outcomes if o["target"] == "reorder")
    assert reorder["decision"] == "promoted"
    scores = pq.read_table(trained / "data/acme/scores/scores.parquet").to_pandas()
    assert scores["reorder_probability"].between(0, 1).all()
    # Customers who leave do not reorder: the two targets describe the same behaviour.
    assert scores["reorder_probability"].corr(scores["churn_probability"]) < -0.8


@pytest.mark.slow
def test_a_target_that_cannot_be_trained_is_skipped_with_its_reason(trained: Path) -> None:
    short = trained / "data/acme.toml"
    text = short.read_text(encoding="utf-8")
    short.write_text(text.replace("horizon_days = 60", "horizon_days = 400"), encoding="utf-8")
    try:
        done = run(trained, "-m", "serve.cli", "features", "--company", "data/acme.toml")
    finally:
        short.write_text(text, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    counts = json.loads((trained / "data/acme/features/counts.json").read_text(encoding="utf-8"))
    assert set(counts["counts"]) == {"churn", "value"}
    assert "three label windows need 1290 days" in counts["unable"]["reorder"]


@pytest.mark.slow
def test_the_company_has_scores_for_all_its_customers(trained: Path) -> None:
    scores = pq.read_table(trained / "data/acme/scores/scores.parquet")
    assert scores.num_rows == 500
    assert {"churn_probability", "value_expected"} <= set(scores.column_names)
    assert "nps_class" not in scores.column_names


@pytest.mark.slow
def test_the_endpoint_answers_and_is_documented(trained: Path) -> None:
    code = """
import asyncio, httpx
from serve.app import build_app
from serve.scoring.company_scorer import load_scorer
from serve.scoring.reload_loop import ScorerLoader
loader = ScorerLoader(lambda: load_scorer("data/acme.toml")); loader.refresh()
async def ask():
    transport = httpx.ASGITransport(app=build_app(loader))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        print((await client.get("/v1/company")).json())
        print("/v1/company" in (await client.get("/openapi.json")).json()["paths"])
        print((await client.post("/v1/company")).status_code)
asyncio.run(ask())
"""
    done = run(trained, "-c", code)
    assert done.stdout.splitlines() == ["{'company': 'acme'}", "True", "405"], done.stderr
