"""A card in Markdown and HTML: everything is there, and nothing from a table can break out of it."""

import re

from models.model_card.render_card import Card, Part, Table

CARD = Card(
    "Churn, version 3",
    "The customer cancels. Customers with a contract.",
    "A: better than the rule",
    (
        Part("The data", ("Two sentences.", "Here."), ("Company: acme", "Version: 3")),
        Part("Groups", table=Table(("group", "rows"), [("plan: a|b\nc <i>", "1,200")])),
    ),
)


def test_markdown_word_for_word():
    assert CARD.markdown() == (
        "# Churn, version 3\n\n"
        "The customer cancels. Customers with a contract.\n\n"
        "Grade A: better than the rule.\n\n"
        "## The data\n\n"
        "Two sentences.\n\n"
        "Here.\n\n"
        "- Company: acme\n"
        "- Version: 3\n\n"
        "## Groups\n\n"
        "| group | rows |\n"
        "|---|--:|\n"
        "| plan: a\\|b c <i> | 1,200 |\n"
    )


def test_html_needs_nothing_from_outside_and_escapes_values():
    page = CARD.html()
    assert "<h1>Churn, version 3</h1>" in page
    assert "<li>Company: acme</li>" in page
    assert '<td class="text">plan: a|b\nc &lt;i&gt;</td><td>1,200</td>' in page
    assert "default-src 'none'" in page
    assert not re.search(r"""(src|href)\s*=|<script|url\(""", page)


def test_both_say_the_same():
    words = re.sub(r"<style>.*?</style>|<[^>]+>", " ", CARD.html(), flags=re.DOTALL)
    for text in (
        "Two sentences.",
        "Version: 3",
        "Groups",
        "1,200",
        "Grade A: better than the rule.",
    ):
        assert text in words
        assert text in CARD.markdown()


def test_writing_replaces_both_files_whole(tmp_path):
    CARD.write(tmp_path / "cards", "churn")
    CARD.write(tmp_path / "cards", "churn")
    assert sorted(p.name for p in (tmp_path / "cards").iterdir()) == ["churn.html", "churn.md"]
    assert (tmp_path / "cards/churn.md").read_text(encoding="utf-8") == CARD.markdown()
