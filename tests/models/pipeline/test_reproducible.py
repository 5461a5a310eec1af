"""The same rows give the same model, byte for byte, on one thread or two."""

import pytest
from threadpoolctl import threadpool_limits

from models.targets.registry import TARGETS
from models.training.train import flatten_metrics, load_rows, train
from support.trained_company import SAMPLE_TARGETS

SOME = 250
"""Customers of those simulated: two threads on a busy machine mostly wait for each other."""


@pytest.mark.slow
@pytest.mark.parametrize("target", SAMPLE_TARGETS)
def test_another_run_with_two_threads_gives_the_same_bytes(small_company, monkeypatch, target):
    company, workspace = small_company
    rows = load_rows(company, workspace, target)
    if TARGETS[target].on_calendar:
        rows = rows.take(rows.customer < SOME)
    found = []
    for threads in ("1", "2"):
        monkeypatch.setenv("GOODWILL_THREADS", threads)
        with threadpool_limits(1, "blas"):  # those of the linear model, which ships nowhere
            trained = train(TARGETS[target], company, rows)
        assert trained.params.threads == int(threads)
        model = trained.estimator
        found.append(
            (
                model.to_text(),
                model.encoder.to_json(),
                trained.calibrator.to_json(),
                flatten_metrics(trained.evaluation),
                trained.predictions["model"].tobytes(),
            )
        )
    assert found[0] == found[1]
    assert found[0][0].startswith("tree\n")
