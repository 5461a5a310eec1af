"""The models of the service: list and details."""

from serve.handlers.models import ModelAnswer, ModelsAnswer
from support.service_in_process import Service, error_of


def test_models_are_listed(service: Service) -> None:
    made = ModelsAnswer.model_validate_json(service.get("/v1/models").text)
    assert made.company == "testing"
    assert [model.target for model in made.models] == ["churn", "value"]
    assert made.models[0].metrics == {"auc": 0.8, "lift": None}
    assert made.missing == {"nps": "no champion yet"}


def test_one_model_has_measures_calibration_and_card(service: Service) -> None:
    made = ModelAnswer.model_validate_json(service.get("/v1/models/churn").text)
    assert (made.target, made.version, made.grade, made.card) == ("churn", "7", "A", "# Card")
    assert made.measures["model"][made.primary].value == 0.8
    assert made.calibration[0].observed == 0.2
    assert made.coverage is None


def test_a_target_without_a_model_has_a_reason(service: Service) -> None:
    answer = service.get("/v1/models/nps")
    assert answer.status_code == 503
    assert error_of(answer)["details"] == [{"where": "nps", "problem": "no champion yet"}]


def test_an_unknown_target_error_lists_the_known_ones(service: Service) -> None:
    answer = service.get("/v1/models/<script>")
    assert answer.status_code == 404
    error = error_of(answer)
    assert error["code"] == "unknown_target"
    assert "churn, value" in error["message"]
    assert "script" not in answer.text
