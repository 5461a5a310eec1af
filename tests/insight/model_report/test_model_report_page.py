"""`models.html` of a small test company: complete whatever is missing, and safe to open."""

import re

import pytest

from features.errors import DataRefused
from features.progress import silent_steps
from insight.model_report.model_report_page import model_report_path, write_model_report

SKIPPED = {
    "target": "nps", "decision": "skipped", "reason": "the company has no surveys table",
    "version": None, "grade": None, "metrics": None,
}  # fmt: skip
REFUSED = {
    "target": "churn", "decision": "refused",
    "reason": "not better than the rule: roc_auc 0.51 against 0.6, gain -0.09 (-0.2 to -0.01)",
    "version": None, "grade": "C",
    "metrics": {"roc_auc": 0.51, "roc_auc_low": 0.4, "roc_auc_high": 0.6, "rule_roc_auc": 0.6},
}  # fmt: skip
TARGETS = ("satisfaction", "nps", "churn", "value")


def page_of(company, workspace):
    return write_model_report(company, workspace, silent_steps()).read_text(encoding="utf-8")


def text_of(page):
    """The text of a page, without style and tags."""
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_the_head_has_company_dates_and_fingerprint(world, four_targets):
    page = text_of(page_of(*world(four_targets)))
    assert "Tiny" in page
    assert "1 January 2025 to 1 January 2026" in page
    assert "Scored as of 1 January 2026" in page
    assert "abc123" in page


def test_warnings_about_the_scores(world, four_targets):
    page = text_of(page_of(*world(four_targets)))
    assert "Predicted satisfaction and NPS are not corrected for non-response" in page


@pytest.mark.parametrize("targets", [*((t,) for t in TARGETS), ("churn", "value"), TARGETS])
def test_every_mix_of_targets_gives_a_complete_page(world, scores_of, targets):
    page = page_of(*world(scores_of(*targets)))
    for heading in ("The data", "The features"):
        assert heading in page
    assert "nan" not in text_of(page).lower().split()
    assert page.rstrip().endswith("</html>")


def test_the_page_is_about_models_only(world, four_targets, surveys):
    """The overview and the call list are in report.html."""
    page = page_of(*world(four_targets, surveys=surveys))
    assert re.findall(r'<section[^>]* id="([a-z]+)"', page) == ["data", "features"]


def test_without_a_model_the_page_says_so(world):
    assert "No model serves yet" in page_of(*world(outcomes=[SKIPPED, REFUSED]))


def test_untrained_and_refused_targets_have_a_reason(world):
    text = text_of(page_of(*world(outcomes=[SKIPPED, REFUSED])))
    assert "Recommendation (NPS) the company has no surveys table" in text
    assert "refused: no model serves" in text
    assert "Not better than the rule: ranking (ROC AUC) 0.51 against 0.6" in text
    assert "0.510 0.400 to 0.600 0.600" in text  # model, its interval, the rule


def test_excluded_rows_are_listed_by_rule(world):
    text = text_of(page_of(*world()))
    assert "events 25" in text
    assert "events test orders dropped by a rule of the company file 7" in text
    assert "amount: not a finite number quarantined: invalid 2" in text
    assert "nothing" not in text.split("Rows excluded")[1].split("The features")[0]


def test_text_from_outside_is_escaped(world, scores_of):
    scores = scores_of("churn")
    scores["customer_id"][0] = "<img src=x onerror=alert(1)>"
    reason = {**SKIPPED, "reason": "<b>bold</b>"}
    page = page_of(*world(scores, [reason], title="<script>alert(1)</script> & Co"))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Co" in page
    assert "<img src=x" not in page
    assert "<b>bold</b>" not in page


def test_the_page_loads_nothing_from_outside(world, four_targets, surveys):
    page = page_of(*world(four_targets, surveys=surveys))
    assert "default-src 'none'" in page
    links = re.findall(r"""(?:src|href)="([^"]*)\"""", page)
    assert links
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in links)
    for anchor in (link[1:] for link in links if link.startswith("#")):
        assert f'id="{anchor}"' in page


def test_an_older_report_is_replaced(world, four_targets):
    company, workspace = world(four_targets)
    path = model_report_path(workspace, "tiny")
    path.write_text("old", encoding="utf-8")
    assert write_model_report(company, workspace, silent_steps()) == path
    assert "old" not in path.read_text(encoding="utf-8")[:3]
    assert not list(path.parent.glob("*.new"))


def test_without_a_history_it_is_refused(world):
    company, workspace = world()
    (workspace.history("tiny") / "history.json").unlink()
    with pytest.raises(DataRefused, match="goodwill data"):
        write_model_report(company, workspace, silent_steps())
