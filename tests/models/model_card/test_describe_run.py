"""Descriptions in MLflow: what a model predicts, for whom, how far ahead, and how good it is."""

from features.config.company import load_company
from models.model_card.describe_run import describe_registered_model
from models.targets.registry import TARGETS
from support.trained_company import PROJECT


def test_a_registered_model_is_described_by_its_question_and_aliases() -> None:
    text = describe_registered_model(load_company(PROJECT / "data/sample.toml"), TARGETS["churn"])
    assert text.startswith(
        "Churn of the customers of sample. The customer cancels within 90 days. Customers with an open "
        "contract at the cutoff.\n\n`champion` is the version that serves"
    )
    assert "`data/sample/cards/churn.html`" in text
    assert text.endswith("- Horizon: 90 days")
