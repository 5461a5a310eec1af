"""What words mean, in four languages."""

import tomllib
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.proposal.vocabulary import (
    LANGUAGES,
    answer_level,
    best_concept,
    language_of,
    read_name,
    severity_level,
    tokens,
)


@pytest.mark.parametrize(
    ("name", "concepts"),
    [
        ("Customer ID", {"person", "identifier"}),
        ("customerid", {"person", "identifier"}),
        ("Kundennummer", {"person", "identifier"}),
        ("Rechnungsdatum", {"document", "time"}),
        ("Bestell-Nr.", {"document", "identifier"}),
        ("data_pedido", {"document", "time"}),
        ("valor total", {"amount"}),
        ("客户编号", {"person", "identifier"}),
        ("退货金额", {"refund"}),
        ("InvoiceDate", {"document", "time"}),
    ],
)
def test_names_of_columns(name: str, concepts: set[str]) -> None:
    assert concepts <= set(read_name(name).shares)


@pytest.mark.parametrize("name", ["border", "corporate_x", "marketing", "coverage"])
def test_a_word_inside_another_word_means_nothing(name: str) -> None:
    assert not {"document", "score", "unit_price"} & set(read_name(name).shares)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("Kündigung", "cancel"),
        ("Retoure", "return"),
        ("退货", "return"),
        ("订单", "order"),
        ("devolução", "return"),
        ("refund", "return"),
        ("Rechnung", "order"),
        ("xyz", None),
    ],
)
def test_kinds_of_events(value: str, kind: str | None) -> None:
    assert best_concept(value, "kinds") == kind


def test_answers_and_severities_in_words() -> None:
    said = ["very satisfied", "sehr zufrieden", "非常满意", "Muito satisfeito"]
    assert [answer_level(text) for text in said] == [5, 5, 5, 5]
    assert answer_level("Not satisfied at all, really") is None
    assert [severity_level(text) for text in ("Low", "hoch", "紧急")] == [1, 3, 4]


def test_no_answer_has_two_levels() -> None:
    for language in LANGUAGES:
        text = files("features.proposal").joinpath("words", f"{language}.toml").read_text("utf-8")
        for section in ("answers", "severities"):
            words = [w for texts in tomllib.loads(text)[section].values() for w in texts.split("|")]
            assert len(words) == len(set(words)), (language, section)


def test_the_language_of_names() -> None:
    assert language_of(["Kundennummer", "Bestelldatum", "kunde", "betrag"]) == "de"
    assert language_of(["客户", "订单"]) == "zh"
    assert language_of(["xq", "zz"]) is None


@given(st.text(max_size=40))
def test_every_name_can_be_read(name: str) -> None:
    assert all(0 < share <= 1 for share in read_name(name).shares.values())
    assert tokens(name) == tokens(" ".join(tokens(name)))
