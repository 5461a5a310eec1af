"""The tone of a company's comments: learnt from early answers only, kept with its champions."""

import io
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from features.config.company import Company
from features.errors import DataRefused
from features.history_store import Manifest
from features.progress import Steps, silent_steps
from features.settings import Workspace
from features.text.comment_score_model import CommentScoreModel
from models.bundles.bundle import read_bundle, write_bundle
from models.bundles.champions import (
    load_champion,
    load_champions,
    set_champion,
    snapshot_comment_model,
)
from models.scoring.batch_scores import score_customers
from models.targets.registry import TARGETS
from models.training.train import load_rows, split_rows
from models.training_set.build_training_sets import build_features
from models.training_set.fit_comment_score_model import first_validation, select_comment_model
from models.training_set.splits import microseconds
from support.trained_company import SAMPLE_TARGETS, copy_of_trained, train_only, trained

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # LeIA leaves files open


@pytest.fixture
def copied(tmp_path: Path) -> tuple[Company, Workspace]:
    return copy_of_trained(tmp_path / "home")


def built(workspace: Workspace) -> CommentScoreModel:
    found = CommentScoreModel.read(workspace.features("sample"))
    assert found is not None
    return found


def other_than(tone: CommentScoreModel, **changes: object) -> CommentScoreModel:
    """A tone that reads every text a little worse."""
    return replace(tone, **{"levels": (tone.levels[0] - 7, tone.levels[1] - 7), **changes})


def plant(workspace: Workspace, target: str, tone: CommentScoreModel) -> None:
    """Let the champion of a target read comments by another tone."""
    serving = workspace.serving("sample")
    old = load_champion(serving, target)
    assert old is not None
    manifest = replace(old.manifest, version="0", tone=tone.digest)
    write_bundle(replace(old, tone=tone, manifest=manifest), serving / target / "0")
    set_champion(serving, target, "0")


def test_it_learns_from_answers_before_every_validation_and_from_nothing_else() -> None:
    company, workspace = copy_free()
    tone = built(workspace)
    starts = [
        microseconds(
            split_rows(TARGETS[n], company.target(n), load_rows(company, workspace, n)).valid_start
        )
        for n in SAMPLE_TARGETS
    ]
    assert tone.fitted_until == min(starts)
    path = workspace.history("sample") / "surveys.parquet"
    surveys = pq.read_table(path).to_pandas()
    early = surveys[surveys["answered_at"].astype("int64") < tone.fitted_until]
    early = early[early["comment"].notna() & early["score"].notna()]
    early = early.assign(
        level=100
        * (early["score"] - early["scale_low"])
        / (early["scale_high"] - early["scale_low"])
    ).sort_values(["comment", "level"])
    assert 200 <= len(early) < surveys["comment"].notna().sum()
    expected = CommentScoreModel.fit(
        early["comment"].tolist(), early["level"].to_numpy(), np.ones(len(early)), min(starts)
    )
    assert tone == expected


def copy_free() -> tuple[Company, Workspace]:
    """The trained company itself, to be looked at only."""
    from features.config.company import load_company

    workspace = trained()[0]
    return load_company(workspace.data / "sample.toml"), workspace


def test_champions_carry_it_and_it_holds_no_text() -> None:
    workspace = trained()[0]
    tone = built(workspace)
    found, _ = load_champions(workspace.serving("sample"))
    assert {b.tone for b in found.values()} == {tone}
    assert {b.manifest.tone for b in found.values()} == {tone.digest}
    assert snapshot_comment_model(workspace.features("sample") / "snapshot.parquet") == tone.digest
    for name in ("comment_tone_365d", "comment_tone_last", "ticket_tone_365d", "ticket_tone_last"):
        values = pq.read_table(workspace.features("sample") / "snapshot.parquet")[name].to_numpy()
        assert 0 <= np.nanmin(values) < np.nanmax(values) <= 100, name


@pytest.mark.slow
def test_while_a_champion_reads_comments_its_tone_stays(copied: tuple[Company, Workspace]) -> None:
    company, workspace = copied
    own = built(workspace)
    theirs = other_than(own)
    for target in SAMPLE_TARGETS:
        plant(workspace, target, theirs)
    build_features(company, workspace, silent_steps())
    assert built(workspace) == theirs
    build_features(company, workspace, silent_steps(), refit_comments=True)
    assert built(workspace) == own
    assert snapshot_comment_model(workspace.features("sample") / "snapshot.parquet") == own.digest


def test_a_champions_tone_that_has_seen_too_much_does_not_stay(
    copied: tuple[Company, Workspace],
) -> None:
    company, workspace = copied
    own = built(workspace)
    for target in SAMPLE_TARGETS:
        plant(workspace, target, other_than(own, fitted_until=own.fitted_until + 1))
    build_features(company, workspace, silent_steps())
    assert built(workspace) == own


@pytest.mark.slow
def test_a_champion_of_another_tone_is_not_compared_nor_scored(
    copied: tuple[Company, Workspace],
) -> None:
    company, workspace = copied
    plant(workspace, "nps", other_than(built(workspace)))
    said = io.StringIO()
    steps = Steps(console=Console(file=said, width=300))
    table = pq.read_table(score_customers(company, workspace, steps))
    assert "not scored: nps version 0 reads comments with another model" in said.getvalue()
    assert "goodwill train" in said.getvalue()
    assert not [c for c in table.column_names if c.startswith("nps")]
    (outcome,) = train_only(company, workspace, "nps")
    assert outcome.decision == "promoted"
    assert "cannot be compared: it reads comments with another model" in outcome.reason
    table = pq.read_table(score_customers(company, workspace, silent_steps()))
    assert "nps_class" in table.column_names


def test_nothing_is_scored_when_no_model_fits(copied: tuple[Company, Workspace]) -> None:
    company, workspace = copied
    for target in SAMPLE_TARGETS:
        plant(workspace, target, other_than(built(workspace)))
    before = workspace.scores("sample").read_bytes()
    with pytest.raises(DataRefused, match="another model than the features were made with"):
        score_customers(company, workspace, silent_steps())
    assert workspace.scores("sample").read_bytes() == before


def test_a_bundle_without_its_tone_or_with_another_is_refused(
    copied: tuple[Company, Workspace],
) -> None:
    _, workspace = copied
    folder = workspace.serving("sample") / "nps/1"
    tone = folder / "comment_score_model.json"
    text = tone.read_text()
    tone.write_text(other_than(built(workspace)).to_json())
    with pytest.raises(DataRefused, match=r"comment_score_model\.json has SHA-256"):
        read_bundle(folder)
    tone.unlink()
    with pytest.raises(DataRefused, match=r"comment_score_model\.json cannot be read"):
        read_bundle(folder)
    tone.write_text(text)
    bundle = read_bundle(folder)
    with pytest.raises(DataRefused, match="the bundle has none"):
        read_bundle(write_bundle(replace(bundle, tone=None), folder.with_name("2")))


def test_too_few_comments_give_no_model_and_a_note(copied: tuple[Company, Workspace]) -> None:
    company, workspace = copied
    path = workspace.history("sample") / "surveys.parquet"
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    few = con.sql(
        f"select * replace (case when row_number() over () <= 150 then comment end as comment) "
        f"from (select * from '{path}' order by comment is null) order by customer_id, sent_at"
    ).to_arrow_table()
    pq.write_table(few, path)
    manifest = Manifest.read(workspace, "sample")
    labels = {
        n: pq.read_table(workspace.features("sample") / f"{n}.parquet") for n in SAMPLE_TARGETS
    }
    said = io.StringIO()
    steps = Steps(console=Console(file=said, width=300))
    assert select_comment_model(company, workspace, manifest, labels, steps, refit=True) is None
    assert "fewer than 200" in said.getvalue()
    assert "zh" in said.getvalue()


def test_without_labels_or_comments_there_is_no_question(copied: tuple[Company, Workspace]) -> None:
    company, workspace = copied
    manifest = Manifest.read(workspace, "sample")
    assert first_validation(company, {}) is None
    assert select_comment_model(company, workspace, manifest, {}, silent_steps()) is None
    bare = {n: tuple(c for c in cs if c != "comment") for n, cs in manifest.schema.tables.items()}
    wordless = replace(manifest, schema=replace(manifest.schema, tables=bare))
    labels = {"churn": pq.read_table(workspace.features("sample") / "churn.parquet")}
    assert select_comment_model(company, workspace, wordless, labels, silent_steps()) is None
