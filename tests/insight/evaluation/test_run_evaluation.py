"""Evaluation of a trained company: consistent files, repeatable runs, tiers from month to month."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from features.config.company import Company, load_company
from features.errors import ConfigRefused
from features.progress import Steps, silent_steps
from features.settings import Workspace
from insight.evaluation.evaluation_files import STATUS_FILE, evaluation_folder, read_evaluation
from insight.evaluation.evaluation_schema import CompanyEvaluation
from insight.evaluation.run_evaluation import evaluate_company, update_customer_status
from insight.evaluation.scores_file import STATUS_COLUMNS
from insight.evaluation.tier_history import read_months
from insight.value.fuzzy_grades import Grades
from support.trained_company import copy_of_evaluated

Home = tuple[Company, Workspace]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A trained company, evaluated once."""
    return copy_of_evaluated(tmp_path_factory.mktemp("evaluated") / "home")


def read(home: Home) -> CompanyEvaluation:
    evaluation = read_evaluation(evaluation_folder(home[1], home[0].name))
    assert evaluation is not None
    return evaluation


def read_status(home: Home) -> pd.DataFrame:
    folder = evaluation_folder(home[1], home[0].name)
    return pd.read_parquet(folder / STATUS_FILE).set_index("customer_id")


def test_sample_has_every_part(home: Home) -> None:
    evaluation = read(home)
    assert set(evaluation.skipped) <= {"groups", "traits"}
    assert {"csat_index", "nps", "retention", "complaint"} <= {
        i.name for i in evaluation.indicators
    }
    assert {s.by for s in evaluation.segments} >= {"tier", "stars", "stage", "quadrant", "value"}
    assert evaluation.drivers is not None
    assert evaluation.value is not None
    # the score holds the predicted satisfaction, which the last answer predicts
    assert "satisfaction_answer" not in {trait.name for trait in evaluation.traits}
    assert len(evaluation.cycle) == 5
    assert (home[1].company("sample") / "complaints.json").is_file()


def test_status_segments_migration_and_scores_agree(home: Home) -> None:
    evaluation, table = read(home), read_status(home)
    assert evaluation.tiers is not None
    for by in ("tier", "stars", "stage", "quadrant"):
        counted = {s.name: s.customers for s in evaluation.segments if s.by == by}
        names = table[by].dropna()
        names = names.astype(int) if by == "stars" else names
        assert {n: c for n, c in counted.items() if c} == names.astype(str).value_counts().to_dict()
    after = {
        n: sum(row[j] for row in evaluation.tiers.customers)
        for j, n in enumerate(evaluation.tiers.after)
    }
    assert {n: c for n, c in after.items() if n in "ABC"} == table["tier"].value_counts().to_dict()
    moved = table.dropna(subset=["tier", "tier_before"])
    changed = moved["tier"] != moved["tier_before"]
    assert evaluation.tiers.moved == pytest.approx(changed.mean())
    assert moved.loc[changed, "moved_because"].notna().all()
    scores = pd.read_parquet(home[1].scores("sample")).set_index("customer_id")
    pd.testing.assert_frame_equal(
        scores[list(STATUS_COLUMNS)],
        table.loc[scores.index, list(STATUS_COLUMNS)],
        check_dtype=False,
    )


def test_who_is_no_customer_holds_nothing_and_has_no_churn_figure(home: Home) -> None:
    """Everybody outside churn's population is lost or a prospect, and the other way round."""
    evaluation, table = read(home), read_status(home)
    assert evaluation.customers is not None
    outside = table["stage"].isin(["lost", "prospect"])
    counts = evaluation.customers
    assert counts.customers == (~outside).sum() > 100
    assert counts.left == (table["stage"] == "lost").sum() > 100
    assert counts.unknown == (table["stage"] == "prospect").sum()
    held = [
        "value_score",
        "tier",
        "stars",
        "quadrant",
        "service_level",
        "first_reply_hours",
        "group",
    ]
    assert table.loc[outside, held].isna().all(axis=None)
    assert table.loc[~outside, ["value_score", "tier", "service_level"]].notna().all(axis=None)
    scores = pd.read_parquet(home[1].scores("sample")).set_index("customer_id").loc[table.index]
    assert (scores["churn_in_population"] == ~outside).all()
    assert (scores["churn_probability"].isna() == outside).all()
    assert (scores["churn_months_left"].isna() == outside).all()
    reasons = pd.read_parquet(home[1].company("sample") / "scores" / "reasons.parquet")
    explained = set(reasons.loc[reasons["target"] == "churn", "customer_id"])
    assert explained
    assert explained.isdisjoint(table.index[outside])
    by_stage = {s.name: s.churn_probability for s in evaluation.segments if s.by == "stage"}
    assert by_stage["lost"] is None
    at_risk = table["stage"] == "at_risk"
    mean = scores.loc[at_risk, "churn_probability"].mean()
    assert by_stage["at_risk"] == pytest.approx(mean)


def test_tier_policies_are_those_of_the_company_file(home: Home) -> None:
    policies = {s.name: s.policy for s in read(home).segments if s.by == "tier"}
    assert policies["A"] is not None
    assert policies["A"].offers == ["customised products", "yearly business review"]
    served = read_status(home).groupby("tier")["service_level"].unique().map(list).to_dict()
    assert served == {"A": ["priority"], "B": ["plus"], "C": ["standard"]}


def test_fuzzy_grades_follow_the_score(home: Home) -> None:
    table = read_status(home)
    means = table.groupby("fuzzy_grade")["value_score"].mean()
    best_first = [name for name in Grades().names if name in means.index]
    assert len(best_first) >= 3
    assert means[best_first].is_monotonic_decreasing or means[best_first].is_monotonic_increasing


@pytest.mark.slow
def test_a_second_run_gives_the_same_result_also_on_two_cores(home: Home) -> None:
    before, table = read(home), read_status(home)
    path = home[1].company("sample") / "complaints.json"
    complaints = path.read_text(encoding="utf-8")
    path.unlink()
    evaluate_company(*home, silent_steps(), cores=2)
    after = read(home)
    assert path.read_text(encoding="utf-8") == complaints
    assert after.model_copy(update={"made_at": before.made_at}) == before
    pd.testing.assert_frame_equal(read_status(home), table)


def test_new_scores_get_the_status_columns(home: Home) -> None:
    path = home[1].scores("sample")
    whole = pq.read_table(path)
    pq.write_table(whole.drop(list(STATUS_COLUMNS)), path)
    update_customer_status(*home, silent_steps())
    assert pq.read_table(path).select(whole.column_names).equals(whole)


@pytest.mark.slow
def test_next_month_is_based_on_the_stored_month(home: Home, tmp_path: Path) -> None:
    company, workspace = home[0], Workspace(tmp_path / "home")
    copy = load_company(_copied(home, workspace))
    folder = evaluation_folder(workspace, company.name) / "months"
    *_, last = read_months(folder)
    for old in folder.glob("*.parquet"):
        old.unlink()
    earlier = (pd.Timestamp(last.as_of) - pd.DateOffset(months=1)).to_pydatetime()
    lower = last.table.assign(value_score=last.table["value_score"] - 40, tier="C")
    replace(last, as_of=earlier, table=lower).write(folder)
    evaluate_company(copy, workspace, silent_steps())
    evaluation = read((copy, workspace))
    assert evaluation.tiers is not None
    assert (evaluation.tiers.since, evaluation.tiers.rebuilt) == (earlier, False)
    assert evaluation.tiers.before == ["A", "B", "C"]
    assert sum(evaluation.tiers.customers[0]) == sum(evaluation.tiers.customers[1]) == 0
    rose = {s.name: s.customers for s in evaluation.segments if s.by == "tier"}
    assert rose["A"] > 0  # clearly beyond the threshold at once


def _copied(home: Home, workspace: Workspace) -> Path:
    import shutil

    shutil.copytree(home[1].home, workspace.home)
    return workspace.data / "sample.toml"


@pytest.mark.parametrize(
    ("insight", "message"),
    [
        ("[insight.tires]\n", r"unknown section insight\.tires"),
        ("[insight.stars]\nby = 'luck'\n", r"insight\.stars\.by: 'luck' is not one of"),
    ],
)
def test_invalid_settings_are_refused_before_any_step(
    home: Home, tmp_path: Path, insight: str, message: str
) -> None:
    text = home[0].path.read_text(encoding="utf-8") + "\n" + insight
    path = tmp_path / "sample.toml"
    path.write_text(text, encoding="utf-8")
    log = tmp_path / "log.jsonl"
    with pytest.raises(ConfigRefused, match=message):
        evaluate_company(load_company(path), home[1], Steps(log, silent_steps().console))
    assert not log.exists() or not log.read_text(encoding="utf-8")
