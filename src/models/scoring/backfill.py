"""What today's models say of everybody as of an earlier day, from what was known then."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pyarrow as pa

from features.config.company import Company
from features.execution.partitions import LOCAL, split_customers
from features.feature_table import plan_for
from features.history_store import customer_ids
from features.history_store import Manifest
from features.settings import Workspace
from features.text.comment_score_model import Tone, digest_of
from models.bundles.bundle import Bundle
from models.scoring.batch import score_table
from models.bundles.champions import match_comment_model
from models.bundles.champions import load_champions
from models.training_set.build_training_sets import FeatureRowBuilder


def scores_at(company: Company, workspace: Workspace, cutoff: datetime) -> pa.Table | None:
    """The scores file as it would have been on the day of the cutoff; None without a model.

    Features are those of the cutoff; the models have learnt from later days too, so these are no
    predictions to judge a model by. Customers not yet known then have rows of missing features.
    """
    manifest = Manifest.read(workspace, company.name)
    tone = Tone.read(workspace.features(company.name))
    bundles, _ = load_champions(workspace.serving(company.name))
    bundles, _ = match_comment_model(bundles, digest_of(tone))
    if not bundles:
        return None
    names = sorted({name for bundle in bundles.values() for name in bundle.columns})
    maker = FeatureRowBuilder(
        workspace.history(company.name),
        plan_for(manifest.schema, tuple(names), tone),
        LOCAL.threads,
    )
    then = replace(manifest, data_end=cutoff.isoformat())
    return pa.concat_tables(_pieces(maker, then, bundles, customer_ids(workspace, company.name)))


def _pieces(
    maker: FeatureRowBuilder, then: Manifest, bundles: dict[str, Bundle], ids: list[str]
) -> Iterator[pa.Table]:
    for span in split_customers(ids, LOCAL.size(len(ids))):
        yield score_table(maker.snapshot(then, span), bundles)
