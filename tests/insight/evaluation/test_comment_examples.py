"""Examples of comments name nobody, however often a name is written, and however."""

import pandas as pd
import pytest

from insight.evaluation.comment_examples import (
    ExampleFinder,
    has_chinese_name,
    split_sentences,
    units,
)

LATE = "The delivery was late again."
#: Each is written by twelve customers, as the name of a representative with many customers is.
FREQUENT = [
    LATE,
    "交货总是迟到。",
    "物流太慢，服务态度很差。",
    "张伟送货太慢，服务态度很差。",
    "Thanks to Li Wei for the good work.",
    "Call me at 555 0199, or mail to ann@example.com, at 8 it is late.",
    "Smith was rude again and the service is slow.",
    "I told Smith that the delivery was late.",
    "our contact smith never calls back",
    'The service of "Schmid" is slow.',
    "The driver - Jones - is late again.",
    "Delivery is slow again.",
    "I find that delivery is late.",
]


def finder(*, persons=frozenset()):
    """Twelve customers write each frequent sentence; one writes something of their own."""
    texts = [
        *(text for text in FREQUENT for _ in range(12)),
        "The delivery was late again, Quietwater.",
    ]
    customers = [f"C{n}" for n in range(len(texts))]
    return ExampleFinder(pd.DataFrame({"customer": customers, "comment": texts}), persons)


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        (LATE, True),
        ("Delivery is slow again.", True),  # others write delivery in lower case
        ("交货总是迟到。", True),
        ("物流太慢，服务态度很差。", True),
        ("张伟送货太慢，服务态度很差。", False),
        ("交货总是王某。", False),  # a word that only one customer uses
        ("The delivery was late again, quietwater.", False),
        ("Thanks to Li Wei for the good work.", False),
        ("Smith was rude again and the service is slow.", False),
        ("our contact smith never calls back", False),  # others write Smith
        ('The service of "Schmid" is slow.', False),
        ("The driver - Jones - is late again.", False),
        ("Call me at 555 0199.", False),
        ("Call me, or mail to ann@example.com.", False),
        ("Late.", False),  # says nothing
    ],
)
def test_a_sentence_is_shown_only_if_it_names_nobody(sentence, shown):
    assert finder().names_nobody(sentence) == shown


@pytest.mark.parametrize("name", ["li wei", "r. late", "late & partners"])
def test_a_part_of_a_name_in_the_customer_table_is_not_shown(name):
    assert finder().names_nobody(LATE)
    shown = "Thanks to li wei for the good work." if name == "li wei" else LATE
    assert not finder(persons=frozenset({name})).names_nobody(shown)


@pytest.mark.parametrize(
    ("sentence", "named"),
    [
        ("价格很高，服务不错", False),
        ("高效的服务", False),  # a surname that begins a common word
        ("王芳态度很差", True),
        ("找到了陈经理才解决", True),
        ("服务很慢，李强不回电话", True),
    ],
)
def test_chinese_names(sentence, named):
    assert has_chinese_name(sentence) == named


def test_sentences_and_words():
    assert split_sentences("Late. Again!  交货慢。差") == ["Late.", "Again!", "交货慢。", "差"]
    assert units("Don't be late") == ["don't", "be", "late"]
    assert units("交货慢") == ["交货", "货慢"]
