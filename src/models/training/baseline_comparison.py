"""Compare a model with its business rule and a linear model on the same test rows."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.config.company import TargetConfig
from features.errors import DataRefused
from models.learners.baselines import (
    BaselineRule,
    best_column_rule,
    last_answer_rule,
    linear_model,
    recency_rule,
    repeat_rule,
)
from models.learners.labelled_rows import LabelledRows
from models.targets.target import BEST_COLUMN, Target
from models.training.fit_model import FittedModel
from models.training.hyperparameters import learner_kind

Floats = NDArray[np.float64]


def baseline_rule(target: Target, config: TargetConfig, columns: Sequence[str]) -> BaselineRule:
    """The business rule a target must beat; DataRefused when its feature is not in `columns`."""
    column = target.rule_feature(config)
    if column == BEST_COLUMN:
        return best_column_rule()
    if column not in columns:
        raise DataRefused(f"target {target.name}: its rule needs the feature {column}")
    if target.kind == "binary":
        return recency_rule(column)
    if target.kind == "regression":
        return repeat_rule(column)
    return last_answer_rule(column, "multiclass", len(target.classes))


def predict_with_baselines(
    target: Target,
    config: TargetConfig,
    model: FittedModel,
    refit: LabelledRows,
    test: pa.Table,
) -> dict[str, Floats]:
    """Predict the test rows with the model, its rule and a linear model of the same columns.

    Of a value, "model" is the mean; "typical" is the median.
    """
    rule = baseline_rule(target, config, refit.features.column_names).fit(refit)
    columns = [c for c in refit.features.column_names if c in model.estimator.encoder.columns]
    same = LabelledRows(refit.features.select(columns), refit.y, refit.weight)
    linear = linear_model(learner_kind(target), len(target.classes) or 1).fit(same)
    return {
        "model": model.predict(test),
        "rule": rule.predict(test),
        "linear": linear.predict(test.select(columns)),
        **model.medians(test),
    }
