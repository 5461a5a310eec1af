"""Categories of complaints: given, predicted, derived from the topic, or unknown."""

import numpy as np

from insight.complaints.categories import assign_categories, fit_classifier

PARTS = {
    "billing": (
        ["the invoice", "发票"],
        ["has a wrong amount", "came twice", "金额不对", "开错了"],
    ),
    "noise": (["the machine", "机器"], ["hums all night", "rattles", "声音太大", "一直响"]),
}


def texts(name: str, count: int) -> list[str]:
    subjects, faults = PARTS[name]
    rng = np.random.default_rng(len(name))
    return [f"{rng.choice(subjects)} {rng.choice(faults)} {place}" for place in range(count)]


def test_given_categories_are_kept() -> None:
    found = assign_categories(["late again", None], ["staff", "price"])
    assert found.names == ["staff", "price"]
    assert found.counts() == {"given": 2}
    assert found.classifier is None


def test_without_categories_the_topic_is_used_in_chinese_and_english() -> None:
    found = assign_categories(["The delivery was late", "价格太贵了", "hm", None], [None] * 4)
    assert found.names == ["delivery", "price", "unknown", "unknown"]
    assert found.origins == ["topic", "topic", "unknown", "unknown"]


def test_categories_are_predicted_in_both_languages() -> None:
    both = texts("billing", 80) + texts("noise", 80)
    given = ["billing"] * 80 + ["noise"] * 80
    fresh = ["the machine rattles at noon", "发票 开错了 了", "机器 一直响 的"]
    found = assign_categories([*both, *fresh], [*given, None, None, None])
    assert found.names[-3:] == ["noise", "billing", "noise"]
    assert found.origins[-3:] == ["learned"] * 3
    assert found.classifier is not None
    assert found.classifier.accuracy > 0.95
    assert found.classifier.baseline == 0.5


def test_duplicate_texts_count_once() -> None:
    assert fit_classifier(["it hums", "it is dear"] * 100, ["noise", "price"] * 100) is None


def test_a_classifier_no_better_than_the_baseline_is_not_used() -> None:
    rng = np.random.default_rng(0)
    noise = [f"{rng.integers(10**9)}" for _ in range(200)]
    given: list[str | None] = list(rng.choice(["a", "b"], 200, p=[0.9, 0.1]))
    found = assign_categories([*noise, "The delivery was late"], [*given, None])
    assert found.names[-1] == "delivery"
    assert found.origins[-1] == "topic"
