"""Topics of texts in three languages, several in one text."""

import numpy as np
import pytest

from features.sample_company.comment_fragments import STATEMENTS
from features.sample_company.simulated_comments import all_texts
from features.text.topics import TOPICS, find_topics, mentions_topic

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # LeIA leaves files open

ABOUT = [
    ("The goods came late and the box was damaged", {"delivery", "quality", "packaging"}),
    ("Still waiting for my refund, nobody from support answers", {"billing", "service"}),
    ("Your website crashes at checkout", {"website"}),
    ("too expensive", {"price"}),
    ("The driver was rude", {"staff"}),
    ("I am happy", set()),
    ("relate to the chocolate", set()),
    ("Produto veio quebrado e a embalagem rasgada", {"quality", "packaging"}),
    ("A ENTREGA ATRASOU", {"delivery"}),
    ("Frete caro, preço alto", {"delivery", "price"}),
    ("Cobraram duas vezes no cartão", {"billing"}),
    ("Atendimento péssimo, vendedor grosseiro", {"service", "staff"}),
    ("O site não funciona", {"website", "quality"}),
    ("gostei muito", set()),
    ("快递太慢，包装破了", {"delivery", "packaging"}),
    ("客服态度很差", {"service", "staff"}),
    ("價格太貴，質量一般", {"price", "quality"}),
    ("发票开错了", {"billing"}),
    ("网站打不开", {"website"}),
    ("非常满意", set()),
]


@pytest.mark.parametrize(("text", "about"), ABOUT)
def test_topics(text, about):
    (row,) = find_topics((text,))
    assert {name for name, flag in zip(TOPICS, row, strict=True) if flag} == about


@pytest.mark.parametrize("language", STATEMENTS)
def test_statements_of_the_sample_company_mention_their_topic(language):
    """At least two thirds for each topic: the phrases were written independently of the stems."""
    for name in ("delivery", "quality", "price", "service", "staff"):
        statements = [s for mood in STATEMENTS[language].values() for s in mood[name]]
        assert mentions_topic(statements, name).mean() >= 2 / 3, name


def test_texts_that_cannot_be_analysed_are_missing():
    assert np.isnan(find_topics((None, "", " ", "Sehr gute Lieferung"))).all()
    assert find_topics(()).shape == (0, len(TOPICS))


def test_mentions_topic_is_a_column_of_find_topics():
    texts = tuple(all_texts()[:200])
    for index, name in enumerate(TOPICS):
        np.testing.assert_array_equal(mentions_topic(texts, name), find_topics(texts)[:, index])
