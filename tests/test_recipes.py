"""CONTRIBUTING's four recipes, followed to the letter on a copy of the sources."""

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


def blocks(heading: str) -> list[str]:
    """The code blocks below a heading of CONTRIBUTING."""
    text = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    part = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"```\w+\n(.*?)```", part, re.DOTALL)


def append(path: Path, code: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + "\n\n" + code, encoding="utf-8")


def insert_after(path: Path, mark: str, code: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(mark) == 1
    path.write_text(text.replace(mark, f"{mark}\n{code}"), encoding="utf-8")


def write_acme(folder: Path) -> None:
    """Two years of orders of 500 customers, each at a pace of his own; half of them stop one day."""
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


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which all four recipes were followed and acme was trained."""
    home = tmp_path_factory.mktemp("recipes")
    shutil.copytree(PROJECT / "src", home / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", home)
    (home / "data").mkdir()
    write_acme(home / "acme")
    append(home / "src/features/families/orders.py", blocks("A feature")[0])
    insert_after(
        home / "src/models/targets/registry.py",
        "TARGETS: dict[str, Target] = {",
        blocks("A target")[0],
    )
    toml = blocks("A company")[0].replace('root = "/data/acme"', f'root = "{home / "acme"}"')
    (home / "data/acme.toml").write_text(toml, encoding="utf-8")
    handler, row = blocks("An endpoint")
    append(home / "src/serve/handlers/scores.py", handler)
    insert_after(home / "src/serve/routes.py", "OPERATIONS: tuple[Operation, ...] = (", row)
    done = run(home, "-m", "serve.cli", "retrain", "--company", "data/acme.toml")
    assert done.returncode == 0, done.stderr
    return home


def run(home: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(home / "src"), "GOODWILL_HOME": str(home)}
    return subprocess.run(
        [sys.executable, *command], cwd=home, env=environment, capture_output=True, text=True
    )


def test_the_feature_is_a_column_where_the_company_has_what_it_needs(followed: Path) -> None:
    code = (
        "from features.schema import Schema\nfrom features.table import plan_for\n"
        "s = Schema({'events': ('customer_id', 'occurred_at', 'known_at', 'kind', 'channel')}, {}, ())\n"
        "print([n for n in plan_for(s).names if n.startswith('web')])"
    )
    assert run(followed, "-c", code).stdout.strip() == "['web_orders_30d', 'web_orders_90d']"
    snapshot = pq.read_schema(followed / "data/acme/features/snapshot.parquet")
    assert "web_orders_30d" not in snapshot.names  # acme's orders have no channel


def test_the_target_is_trained_judged_and_scored(followed: Path) -> None:
    outcomes = json.loads((followed / "data/acme/outcomes.json").read_text(encoding="utf-8"))
    reorder = next(o for o in outcomes if o["target"] == "reorder")
    assert reorder["decision"] == "promoted"
    scores = pq.read_table(followed / "data/acme/scores/scores.parquet").to_pandas()
    assert scores["reorder_probability"].between(0, 1).all()
    # Who leaves does not reorder: the two targets see the same customers from two sides.
    assert scores["reorder_probability"].corr(scores["churn_probability"]) < -0.8


def test_the_company_has_scores_for_all_its_customers(followed: Path) -> None:
    scores = pq.read_table(followed / "data/acme/scores/scores.parquet")
    assert scores.num_rows == 500
    assert {"churn_probability", "value_expected"} <= set(scores.column_names)
    assert "nps_class" not in scores.column_names


def test_the_endpoint_answers_and_is_documented(followed: Path) -> None:
    code = """
import asyncio, httpx
from pathlib import Path
from serve.app import application
from serve.scorer import load_scorer
from serve.scoring.reload_loop import ScorerLoader
loader = ScorerLoader(lambda: load_scorer("data/acme.toml")); loader.refresh()
async def ask():
    transport = httpx.ASGITransport(app=application(loader))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        print((await client.get("/v1/company")).json())
        print("/v1/company" in (await client.get("/openapi.json")).json()["paths"])
        print((await client.post("/v1/company")).status_code)
asyncio.run(ask())
"""
    assert run(followed, "-c", code).stdout.splitlines() == ["{'company': 'acme'}", "True", "405"]
