"""A model in MLflow's format: what its signature promises, MLflow's own loader keeps."""

from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from models.bundles.bundle import artificial_rows
from models.bundles.mlflow_model import save_model
from support.small_models import small_bundle


@pytest.fixture(params=["churn", "nps", "value"])
def saved(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    save_model(small_bundle(request.param), tmp_path / "model", "ab12")
    return request.param, tmp_path / "model"


def test_the_signature_has_the_columns_of_the_trees_and_the_shape_of_their_output(
    saved: tuple[str, Path],
) -> None:
    target, folder = saved
    signature = Model.load(str(folder)).signature
    assert signature.inputs.input_names() == list(small_bundle(target).estimator.encoder.columns)
    assert {kind.name for kind in signature.inputs.input_types()} == {"double"}
    assert signature.outputs.inputs[0].shape == ((-1, 3) if target == "nps" else (-1,))


def test_the_example_is_made_up_and_predicted_as_by_the_trees(saved: tuple[str, Path]) -> None:
    target, folder = saved
    bundle, model = small_bundle(target), mlflow.pyfunc.load_model(str(folder))
    example = Model.load(str(folder)).load_input_example(str(folder))
    made_up = bundle.estimator.encoder.encode(artificial_rows(bundle))
    np.testing.assert_array_equal(example.to_numpy(dtype=np.float64), made_up)
    expected = bundle.estimator.predict(artificial_rows(bundle))
    np.testing.assert_allclose(model.predict(example), expected)
    shuffled = example[sorted(example.columns)]
    np.testing.assert_allclose(model.predict(shuffled), expected)
    with pytest.raises(MlflowException, match="missing inputs"):
        model.predict(example.drop(columns=example.columns[0]))
