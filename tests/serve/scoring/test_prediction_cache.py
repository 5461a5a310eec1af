"""Cached predictions equal fresh ones, in any order and combination of customers."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.bundles.bundle import Bundle
from models.bundles.champions import load_champions
from models.bundles.predict import predict
from serve.scoring import prediction_cache as module
from serve.scoring.prediction_cache import PredictionCache, prediction_caches
from support.trained_company import trained

TARGETS = ("satisfaction", "nps", "churn", "value")


@pytest.fixture(scope="module")
def snapshot() -> pa.Table:
    path = trained()[0].features("sample") / "snapshot.parquet"
    return pq.read_table(path).combine_chunks()


def bundles_of(*targets: str) -> dict[str, Bundle]:
    found, _ = load_champions(trained()[0].serving("sample"))
    return {target: found[target] for target in targets}


@pytest.mark.parametrize("target", TARGETS)
def test_each_look_up_equals_the_prediction(target: str, snapshot: pa.Table) -> None:
    bundle = bundles_of(target)[target]
    alone = [predict(bundle, snapshot.slice(i, 1)) for i in range(60)]
    cache = PredictionCache.empty(bundle, snapshot)
    for rows in ([3], [3, 1, 59, 0], [7, 3], [*range(60)], []):
        found = cache.look_up(np.array(rows, np.int64))
        for name, column in found.items():
            assert len(column) == len(rows)
            if len(rows):
                expected = np.concatenate([alone[i][name] for i in rows])
                assert column.dtype == expected.dtype
                assert column.tobytes() == expected.tobytes()


def test_no_customer_is_predicted_twice(
    snapshot: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, predicted = PredictionCache.empty(bundles_of("churn")["churn"], snapshot), []

    def counted(bundle: Bundle, features: pa.Table) -> dict[str, np.ndarray]:
        predicted.append(features.num_rows)
        return predict(bundle, features)

    monkeypatch.setattr(module, "predict", counted)
    monkeypatch.setattr(module, "BLOCK_SIZE", 300)
    cache.look_up(np.array([5, 6, 7]))
    cache.look_up(np.array([7, 8]))
    assert predicted == [3, 1]
    while not cache.known.all():
        cache.predict_next_block()
    cache.predict_next_block()
    assert sum(predicted) == snapshot.num_rows
    assert max(predicted) == 300
    cache.look_up(np.arange(snapshot.num_rows))
    assert sum(predicted) == snapshot.num_rows


def test_an_unchanged_model_keeps_its_predictions_and_another_does_not(snapshot: pa.Table) -> None:
    bundles = bundles_of("churn", "value")
    first = prediction_caches(bundles, snapshot, {})
    first["churn"].look_up(np.array([1]))
    loaded_again = replace(bundles["churn"], manifest=replace(bundles["churn"].manifest))
    newer = replace(bundles["value"], manifest=replace(bundles["value"].manifest, version="99"))
    second = prediction_caches({"churn": loaded_again, "value": newer}, snapshot, first)
    assert second["churn"] is first["churn"]
    assert second["value"] is not first["value"]
    assert second["value"].bundle is newer
    others = prediction_caches(bundles, snapshot.slice(0), first)
    assert others["churn"] is not first["churn"]
    assert not others["churn"].known.any()
