"""Select the comment score model: the champions' own, or a new one fitted on early answers."""

from collections import Counter
from collections.abc import Mapping

import duckdb
import numpy as np
import pyarrow as pa

from features.config.company import Company
from features.errors import DataRefused
from features.history_store import Manifest, open_history
from features.progress import Steps
from features.settings import Workspace
from features.text.comment_score_model import MIN_COMMENTS, CommentScoreModel
from features.text.language_id import detect_language
from models.bundles.bundle import Bundle
from models.bundles.champions import load_champions
from models.targets.registry import TARGETS
from models.training_set.splits import instant, microseconds, split_by_time

#: Scored comments to fit on, the latest ones; also the texts in which languages are counted.
MAX_COMMENTS = 50_000


def select_comment_model(
    company: Company,
    workspace: Workspace,
    manifest: Manifest,
    labels: Mapping[str, pa.Table],
    steps: Steps,
    refit: bool = False,
) -> CommentScoreModel | None:
    """Select the model that features read comments with; None with too few scored comments.

    While a champion reads comments, its model stays: another would change the champion's inputs.
    A new one is fitted when no champion has one, on `refit`, or when the champion's own was fitted on
    answers that came after the first validation cutoff of a target in `labels`. It uses only answers
    known before that cutoff.
    """
    commented = [
        n for n in ("surveys", "tickets") if "comment" in manifest.schema.tables.get(n, ())
    ]
    until = first_validation(company, labels)
    if not commented or until is None:
        return None
    with steps.step("comment score model") as done:
        con = open_history(workspace.history(company.name))
        try:
            champions = load_champions(workspace.serving(company.name))[0]
            model, origin = (None, "") if refit else _champion_model(champions, until)
            if model is None:
                model = _fit(con, until) if "surveys" in commented else None
                origin = (
                    "new"
                    if model
                    else f"none, fewer than {MIN_COMMENTS} differently scored comments"
                )
            facts: dict[str, object] = {"model": origin, **_languages(con, commented)}
            if model:
                facts |= {
                    "fitted on": model.comments,
                    "until": f"{instant(model.fitted_until):%Y-%m-%d}",
                }
            done(**facts)
        finally:
            con.close()
    return model


def first_validation(company: Company, labels: Mapping[str, pa.Table]) -> int | None:
    """The earliest validation cutoff of the targets in `labels`, in microseconds since 1970."""
    found = []
    for name, rows in labels.items():
        cutoff = rows["cutoff"].combine_chunks().cast(pa.timestamp("us", "UTC")).view(pa.int64())
        try:
            split = split_by_time(
                TARGETS[name], company.target(name), cutoff.to_numpy(zero_copy_only=False)
            )
        except DataRefused:  # training reports it
            continue
        found.append(microseconds(split.valid_start))
    return min(found, default=None)


def _champion_model(
    champions: Mapping[str, Bundle], until: int
) -> tuple[CommentScoreModel | None, str]:
    """The comment model of the newest champion that has one fitted before `until`, and its origin."""
    candidates = [b for b in champions.values() if b.tone and b.tone.fitted_until <= until]
    if not candidates:
        return None, ""
    newest = max(candidates, key=lambda b: str(b.manifest.trained_at))
    return newest.tone, f"that of {newest.target} version {newest.version}"


def _fit(con: duckdb.DuckDBPyConnection, until: int) -> CommentScoreModel | None:
    """Fit on the latest scored comments before `until`.

    Effort scores are excluded: in some companies a high one is good, in others bad.
    """
    rows = con.sql(
        "with scored as (select comment, answered_at, coalesce(weight, 1.0)::double as weight, "
        "100.0 * (score - scale_low) / (scale_high - scale_low) as level from surveys "
        f"where epoch_us(answered_at) < {until} and trim(comment) <> '' and instrument <> 'ces' "
        "and score is not null and scale_high <> scale_low), latest as (select * from scored "
        f"where weight > 0 order by answered_at desc, comment, level, weight limit {MAX_COMMENTS}) "
        "select comment, level, weight from latest order by all"
    ).to_arrow_table()
    levels, weights = (np.asarray(rows[n].to_numpy(), np.float64) for n in ("level", "weight"))
    return CommentScoreModel.fit(rows["comment"].to_pylist(), levels, weights, until)


def _languages(con: duckdb.DuckDBPyConnection, tables: list[str]) -> dict[str, str]:
    """The share of comments in each language, so that unsupported languages are visible."""
    union = " union all ".join(f"select comment from {name}" for name in tables)
    texts = con.execute(
        f"select comment, count(*) from ({union}) where trim(comment) <> '' group by 1 "
        f"order by hash(comment) limit {MAX_COMMENTS}"
    ).fetchall()
    counts: Counter[str] = Counter()
    for text, rows in texts:
        counts[detect_language(text) or "not read"] += rows
    return {name: f"{rows / counts.total():.1%}" for name, rows in counts.most_common()}
