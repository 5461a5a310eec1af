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
    for text in ("May 2025", "70%", "60% – 80%", "30 of 90", "≥ 75%"):
        expect(rows.nth(0)).to_contain_text(text)
    for text in (
        "Last 12 months, corrected for non-response: 60% (50% – 70%)",
        "missed, by the corrected figure",
    ):
        expect(rows.nth(0)).to_contain_text(text)
    expect(rows.nth(0).get_by_role("img")).to_have_attribute(
        "aria-label", "Satisfied answers: from 56.7% in Jan 2025 to 70% in May 2025."
    )
    expect(rows.nth(1)).to_contain_text("no interval")
    expect(page.locator("#indicators")).to_contain_text(
        "Region north: Satisfied answers 41%. Beyond chance since May 2025: 70% is usual."
    )
    expect(page.locator("#indicators")).to_contain_text("ces: no question of this kind was asked")
    expect(page.locator("#segments")).to_contain_text("orders_90d over 3")
    expect(page.locator("#moves tbody tr").nth(1).locator("td")).to_have_text(["4", "328", "1"])
    expect(page.locator("#left\\.out")).to_contain_text("the company has no tickets")


def test_from_a_region_or_owner_to_its_customers(page: Page, address: str) -> None:
    page.goto(f"{address}#evaluation")
    groups = page.locator("#groups")
    row = groups.get_by_role("row", name="north")
    expect(row.locator("td")).to_have_text(["31", "11,994", "30%"])
    groups.get_by_role("link", name="north").click()
    expect(page.get_by_label("Region")).to_have_value("north")
    expect(page.locator("#list")).to_contain_text("31 customers")
    page.go_back()
    groups.get_by_role("link", name="S-2").click()
    expect(page.get_by_label("Owner")).to_have_value("S-2")
    page.go_back()
    page.locator("#segments").get_by_role("link", name="A", exact=True).click()
    expect(page.get_by_label("Tier")).to_have_value("A")
    page.go_back()
    page.get_by_role("link", name="Show customers").click()
    expect(page.get_by_label("Region")).to_have_value("north")


def test_an_alert_of_the_whole_company_says_so(page: Page, address: str) -> None:
    def of_the_company(route: Route) -> None:
        answer = route.fetch()
        told = answer.json()
        told["alerts"][0] |= {"by": "all", "group": "all"}
        route.fulfill(response=answer, json=told)

    page.route("**/v1/indicators", of_the_company)
    page.goto(f"{address}#evaluation")
    expect(page.locator("#indicators li").first).to_have_text(
        "Whole company: Satisfied answers 41%. Beyond chance since May 2025: 70% is usual."
    )


def test_compared_with_the_same_month_of_last_year_or_else_the_month_before(
    page: Page, address: str
) -> None:
    page.goto(f"{address}#evaluation")
    compared = page.locator("#indicators tbody tr").first.locator("td").nth(2)
    expect(compared).to_contain_text("66.7%Apr 2025")
    page.route("**/v1/indicators", add_a_year_earlier)
    page.reload()
    expect(compared).to_contain_text("50%May 2024")
    expect(compared).not_to_contain_text("Apr 2025")


def add_a_year_earlier(route: Route) -> None:
    answer = route.fetch()
    shown = answer.json()
    points = shown["indicators"][0]["over_time"]
    points.insert(0, {**points[0], "period": "2024-05-01", "value": 0.5})
    route.fulfill(response=answer, json=shown)


def test_without_a_call_list_the_evaluation_is_shown_with_the_reason(
    watched: WatchedPage, address: str
) -> None:
    def refuse(route: Route) -> None:
        problem = {"where": "scores", "problem": "no customer has scores; run `goodwill score`"}
        error = {"code": "not_ready", "message": "m", "details": [problem], "request_id": "r"}
        route.fulfill(status=503, json={"error": error})

    with ignore_failed_requests(watched):
        watched.page.route("**/v1/calls?*", refuse)
        watched.page.goto(f"{address}#evaluation")
        expect(watched.page.locator("#groups")).to_contain_text("run `goodwill score`")
        expect(watched.page.locator("#moves")).to_be_visible()


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
