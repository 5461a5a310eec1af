"""Score all customers as of an earlier day with today's models."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pyarrow as pa

from features.config.company import Company
from features.execution.partitions import LOCAL, split_customers
from features.feature_table import plan_for
from features.history_store import Manifest, customer_ids
from features.settings import Workspace
from features.text.comment_score_model import CommentScoreModel, model_digest
from models.bundles.bundle import Bundle
from models.bundles.champions import load_champions, match_comment_model
from models.scoring.batch_scores import score_table
from models.training_set.build_training_sets import FeatureRowBuilder


def scores_at(company: Company, workspace: Workspace, cutoff: datetime) -> pa.Table | None:
    """The scores of all customers as of a cutoff, from what was known then; None without a model.

    Do not evaluate a model by these scores: it may have learnt from later days. Customers who were
    not yet known at the cutoff have rows of missing features.
    """
    manifest = Manifest.read(workspace, company.name)
    comment_model = CommentScoreModel.read(workspace.features(company.name))
    bundles, _ = load_champions(workspace.serving(company.name))
    bundles, _ = match_comment_model(bundles, model_digest(comment_model))
    if not bundles:
        return None
    names = sorted({name for bundle in bundles.values() for name in bundle.columns})
    builder = FeatureRowBuilder(
        workspace.history(company.name),
        plan_for(manifest.schema, tuple(names), comment_model),
        LOCAL.threads,
    )
    then = replace(manifest, data_end=cutoff.isoformat())
    return pa.concat_tables(_pieces(builder, then, bundles, customer_ids(workspace, company.name)))


def _pieces(
    builder: FeatureRowBuilder, then: Manifest, bundles: dict[str, Bundle], ids: list[str]
) -> Iterator[pa.Table]:
    for customers in split_customers(ids, LOCAL.size(len(ids))):
        yield score_table(builder.snapshot_rows(then, customers), bundles)
