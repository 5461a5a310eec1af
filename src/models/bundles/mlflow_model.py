"""A model in MLflow's own format: LightGBM's text, a signature, and an example of artificial input.

MLflow's `pyfunc` of it is the trees alone: numbers and codes of categories in, and the output before
calibration out. The bundle serves, which has the rest (`bundle.py`).
"""

import warnings
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec

from features.text.comment_score_model import FILE as TONE_FILE
from models.bundles.bundle import TYPICAL_FILE, Bundle, artificial_rows

REQUIREMENTS = ["lightgbm", "numpy"]


def save_model(bundle: Bundle, folder: Path, run_id: str) -> dict[str, Any]:
    """Write the files of a run's model to a new folder; returns what the run's list of models holds."""
    model = Model(artifact_path=folder.name, run_id=run_id)
    with warnings.catch_warnings():  # MLflow compares columns in a way that pandas deprecates
        warnings.simplefilter("ignore", DeprecationWarning)
        mlflow.lightgbm.save_model(
            bundle.estimator.booster,
            str(folder),
            mlflow_model=model,
            signature=signature(bundle),
            input_example=input_example(bundle),
            pip_requirements=REQUIREMENTS,
        )
    texts = {
        "encoder.json": bundle.estimator.encoder.to_json(),
        "calibrator.json": bundle.calibrator.to_json(),
    }
    if bundle.typical:
        texts[TYPICAL_FILE] = bundle.typical.to_text()
    if bundle.tone:
        texts[TONE_FILE] = bundle.tone.to_json()
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    return dict(model.get_tags_dict())


def signature(bundle: Bundle) -> ModelSignature:
    """The columns of the trees in order, categories as their codes, and the shape of their output."""
    estimator = bundle.estimator
    columns = [ColSpec(DataType.double, name) for name in estimator.encoder.columns]
    each = (estimator.classes,) if estimator.kind == "multiclass" else ()
    output = TensorSpec(np.dtype(np.float64), (-1, *each))
    return ModelSignature(Schema(columns), Schema([output]))


def input_example(bundle: Bundle) -> pd.DataFrame:
    """The encoded artificial rows that a bundle's predictions are checked with; no customer's."""
    encoder = bundle.estimator.encoder
    return pd.DataFrame(encoder.encode(artificial_rows(bundle)), columns=list(encoder.columns))
