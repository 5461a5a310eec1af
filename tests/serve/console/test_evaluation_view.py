"""Where a customer stands, and the page of the last evaluation, in a real browser."""

import json

from playwright.sync_api import Page, Route, expect

from support.console_company import HOSTILE
from support.watched_page import Watched, forgiven


def test_a_customer_stands_somewhere_and_came_from_somewhere(page: Page, address: str) -> None:
    page.goto(f"{address}#customer/C-007")
    standing = page.locator("#standing")
    expect(standing.locator("dd")).to_have_text(
        ["B", "★★★☆☆", "at risk", "plus", "0.65 (0.6 – 0.72)", "secure: potential and risk"]
    )
    expect(standing.get_by_role("img", name="3 of 5 stars")).to_be_visible()
    expect(standing.locator(".moved")).to_have_text(
        "Moved from tier C to tier B, there since 15 Apr 2025; what moved most: contribution"
    )
    expect(standing).to_contain_text("Evaluated as of 30 Jun 2025")
    page.get_by_role("button", name="中文").click()
    expect(standing.locator(".moved")).to_have_text(
        "由 C 级变为 B 级，自 2025年4月15日 起；主要原因：贡献"
    )
    expect(standing.locator("dd").nth(2)).to_have_text("有流失风险")


def test_who_stayed_or_is_new_is_told_so(page: Page, address: str) -> None:
    page.goto(f"{address}#customer/C-008")
    expect(page.locator("#standing dd").first).to_have_text("C")
    expect(page.locator("#standing .moved")).to_have_count(0)
    page.evaluate("location.hash = '#customer/C-stranger'")
    expect(page.locator("#standing")).to_contain_text("came after the last evaluation")
    page.goto(f"{address}#customer/{HOSTILE}")  # told by scores alone, which hold no standing
    page.locator("#history").wait_for()
    expect(page.locator("#standing")).to_have_count(0)


def test_the_evaluation_has_figures_targets_trends_and_segments(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("link", name="Evaluation").click()
    expect(page.get_by_role("heading", name="Evaluation", level=1)).to_be_visible()
    rows = page.locator("#indicators tbody tr")
    expect(rows).to_have_count(2)
    for told in ("May 2025", "70 %", "60 % – 80 %", "30 of 90", "≥ 75 %", "missed"):
        expect(rows.nth(0)).to_contain_text(told)
    expect(rows.nth(0).get_by_role("img")).to_have_attribute(
        "aria-label", "Satisfied answers: from 56.7 % in Jan 2025 to 70 % in May 2025."
    )
    expect(rows.nth(1)).to_contain_text("no interval")
    expect(page.locator("#indicators")).to_contain_text(
        "Satisfied answers, region north: 41 % at once, 70 % expected."
    )
    expect(page.locator("#indicators")).to_contain_text("ces: no question of this kind was asked")
    expect(page.locator("#segments")).to_contain_text("orders_90d over 3")
    expect(page.locator("#moves tbody tr").nth(1).locator("td")).to_have_text(["4", "328", "1"])
    expect(page.locator("#left\\.out")).to_contain_text("the company has no tickets")


def test_a_company_never_evaluated_is_told_what_makes_it(watched: Watched, address: str) -> None:
    def refuse(route: Route) -> None:
        problem = {"where": "evaluation", "problem": "make it with `goodwill evaluate`"}
        error = {"code": "not_ready", "message": "m", "details": [problem], "request_id": "r"}
        route.fulfill(status=503, body=json.dumps({"error": error}))

    with forgiven(watched):
        watched.page.route("**/v1/indicators", refuse)
        watched.page.goto(f"{address}#evaluation")
        alert = watched.page.get_by_role("alert")
        expect(alert).to_contain_text("The service cannot tell this yet.")
        expect(alert).to_contain_text("make it with `goodwill evaluate`")
