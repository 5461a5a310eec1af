"""The status of a customer and the page of the last evaluation, in a browser."""

import json

from playwright.sync_api import Page, Route, expect

from support.console_company import HOSTILE
from support.watched_page import WatchedPage, ignore_failed_requests


def test_customer_status_and_tier_migration(page: Page, address: str) -> None:
    page.goto(f"{address}#customer/C-007")
    standing = page.locator("#standing")
    expect(standing.locator("dd")).to_have_text(
        ["B", "★★★☆☆", "at risk", "plus", "0.65 (0.6 – 0.72)", "secure: potential and risk"]
    )
    expect(standing.get_by_role("img", name="3 of 5 stars")).to_be_visible()
    expect(standing.locator(".moved")).to_have_text(
        "Moved from tier C to tier B on 15 Apr 2025; main cause: contribution"
    )
    expect(standing).to_contain_text("Evaluated as of 30 Jun 2025")
    page.get_by_role("button", name="中文").click()
    expect(standing.locator(".moved")).to_have_text(
        "2025年4月15日 由 C 层级变为 B 层级；主要原因：贡献度"
    )
    expect(standing.locator("dd").nth(2)).to_have_text("有流失风险")


def test_customers_without_migration_and_new_customers(page: Page, address: str) -> None:
    page.goto(f"{address}#customer/C-008")
    expect(page.locator("#standing dd").first).to_have_text("C")
    expect(page.locator("#standing .moved")).to_have_count(0)
    page.evaluate("location.hash = '#customer/C-outlier'")
    expect(page.locator("#standing")).to_contain_text(
        "This customer is newer than the last evaluation."
    )
    page.goto(f"{address}#customer/{HOSTILE}")  # scored by POST, whose answer has no status
    page.locator("#history").wait_for()
    expect(page.locator("#standing")).to_have_count(0)


def test_indicators_targets_trends_and_segments(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("link", name="Evaluation").click()
    expect(page.get_by_role("heading", name="Evaluation", level=1)).to_be_visible()
    rows = page.locator("#indicators tbody tr")
    expect(rows).to_have_count(2)
    for text in ("May 2025", "70%", "60% – 80%", "30 of 90", "≥ 75%", "missed"):
        expect(rows.nth(0)).to_contain_text(text)
    expect(rows.nth(0).get_by_role("img")).to_have_attribute(
        "aria-label", "Satisfied answers: from 56.7% in Jan 2025 to 70% in May 2025."
    )
    expect(rows.nth(1)).to_contain_text("no interval")
    expect(page.locator("#indicators")).to_contain_text(
        "region north: Satisfied answers 41%. Beyond chance since May 2025: 70% is usual."
    )
    expect(page.locator("#indicators")).to_contain_text("ces: no question of this kind was asked")
    expect(page.locator("#segments")).to_contain_text("orders_90d over 3")
    expect(page.locator("#moves tbody tr").nth(1).locator("td")).to_have_text(["4", "328", "1"])
    expect(page.locator("#left\\.out")).to_contain_text("the company has no tickets")


def test_before_the_first_evaluation_the_error_names_the_command(
    watched: WatchedPage, address: str
) -> None:
    def refuse(route: Route) -> None:
        problem = {"where": "evaluation", "problem": "make it with `goodwill evaluate`"}
        error = {"code": "not_ready", "message": "m", "details": [problem], "request_id": "r"}
        route.fulfill(status=503, body=json.dumps({"error": error}))

    with ignore_failed_requests(watched):
        watched.page.route("**/v1/indicators", refuse)
        watched.page.goto(f"{address}#evaluation")
        alert = watched.page.get_by_role("alert")
        expect(alert).to_contain_text("The service is not ready.")
        expect(alert).to_contain_text("make it with `goodwill evaluate`")
