"""The home page in a browser: the call list, its filters, and the customers whose scores moved."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from support.console_company import HOSTILE
from support.watched_page import WatchedPage, ignore_failed_requests


def rows(page: Page) -> list[str]:
    """The customers on the page, in order."""
    return page.locator(".list tbody th").all_inner_texts()


def test_the_home_page_lists_whom_to_call(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Customers to call")
    expect(page.locator("#list")).to_contain_text("62 customers")
    expect(page.locator(".list thead th")).to_have_text(
        ["Customer", "Owner", "Region", "Tier", "Stage", "Main reason", "Next step",
         "At risk in 90 days (EUR)"]
    )  # fmt: skip
    expect(page.get_by_role("row", name="C-058").locator("td")).to_have_text(
        ["S-2", "north", "B", "at risk", "<b>late</b> payments",
         "Shared account manager calls within 8 h", "7161,234 × 58% churn"]
    )  # fmt: skip
    assert rows(page)[:3] == ["north/east 7", HOSTILE, "C-059"]
    assert page.title() == "Goodwill"


def test_more_customers_are_added_and_the_first_of_them_gets_the_focus(
    page: Page, address: str
) -> None:
    page.goto(address)
    more = page.get_by_role("button", name="Show more")
    more.press("Enter")
    expect(page.locator(".list tbody tr")).to_have_count(50)
    expect(page.get_by_role("link", name="C-036")).to_be_focused()
    more.click()
    expect(page.locator(".list tbody tr")).to_have_count(62)
    expect(more).to_have_count(0)
    assert len(set(rows(page))) == 62


def test_filters_are_in_the_address_and_the_back_button_undoes_them(
    page: Page, address: str
) -> None:
    page.goto(address)
    region = page.get_by_label("Region")
    region.focus()
    region.select_option("north")
    expect(page.locator("#list")).to_contain_text("31 customers")
    expect(region).to_be_focused()
    page.get_by_label("Tier").select_option("A")
    expect(page.locator("#list")).to_contain_text("10 customers")
    assert page.url == f"{address}#calls?region=north&tier=A"
    expect(page.locator("#spoken")).to_have_text("10 customers")
    page.go_back()
    expect(page.locator("#list")).to_contain_text("31 customers")
    expect(page.get_by_label("Tier")).to_have_value("")
    page.reload()
    expect(region).to_have_value("north")
    page.get_by_role("link", name="Clear filters").click()
    expect(page.locator("#list")).to_contain_text("62 customers")


def test_a_shared_link_whose_owner_has_no_customers_says_so(page: Page, address: str) -> None:
    page.goto(f"{address}#calls?owner=S-9")
    expect(page.locator(".empty")).to_have_text("No current customer matches these filters.")
    expect(page.get_by_label("Owner").locator("option:checked")).to_have_text("S-9 (0)")


def test_a_row_opens_the_customer_and_back_returns_to_the_row(page: Page, address: str) -> None:
    page.goto(f"{address}#calls?tier=B")
    stage = page.get_by_role("row", name="C-052").get_by_text("at risk")
    stage.click(force=True)  # the link covers its row
    expect(page.get_by_role("heading", level=1)).to_have_text("C-052")
    page.go_back()
    expect(page.get_by_role("link", name="C-052")).to_be_focused()
    expect(page.get_by_label("Tier")).to_have_value("B")


def test_customers_whose_probability_of_churn_moved(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("link", name="Score movers").click()
    expect(page.locator("#view")).to_contain_text("Compared with the scores of 31 May 2025")
    expect(page.locator("#view .warning")).to_contain_text("The model has been replaced since then")
    expect(page.locator(".list .change-of span")).to_have_text(["30% → 50%", "50% → 40%"])
    expect(page.locator(".list .change-of span").nth(0)).to_have_class("worse")
    expect(page.locator(".list .change-of span").nth(1)).to_have_class("better")


def test_customers_whose_value_segment_moved(page: Page, address: str) -> None:
    page.goto(f"{address}#movers?region=south")
    page.get_by_role("link", name="Value segment").click()
    expect(page.locator(".list tbody th")).to_have_text("C-045")
    expect(page.locator(".list td.change-of")).to_have_text("high → middle2,500 → 1,234 EUR")
    expect(page.locator("#list")).to_contain_text("1 customer ·")
    expect(page.locator("#view .warning")).to_have_count(0)
    page.get_by_label("Region").select_option("north")
    expect(page.locator(".empty")).to_have_text("No customer who matches these filters has moved.")
    assert page.url == f"{address}#movers?region=north&by=value"


def test_without_earlier_scores_the_movers_say_so(page: Page, address: str) -> None:
    def first_scoring(route: Route) -> None:
        answer = route.fetch()
        told = answer.json() | {"compared_with": None, "calls": [], "total": 0}
        route.fulfill(response=answer, json=told)

    page.route("**/v1/calls?*", first_scoring)
    page.goto(f"{address}#movers")
    expect(page.locator("#view")).to_contain_text(
        "There are no earlier scores to compare with. Changes are shown from the second scoring on."
    )
    expect(page.locator(".list")).to_have_count(0)


def test_a_company_without_owners_and_tiers_has_neither_column_nor_filter(
    page: Page, address: str
) -> None:
    def regions_only(route: Route) -> None:
        answer = route.fetch()
        told = answer.json()
        told["groups"] = {"region": told["groups"]["region"]}
        route.fulfill(response=answer, json=told)

    page.route("**/v1/calls?*", regions_only)
    page.goto(address)
    expect(page.locator(".list thead th")).to_have_count(5)
    expect(page.locator(".filters select")).to_have_count(1)


def test_a_list_without_value_is_sorted_by_probability(page: Page, address: str) -> None:
    def churn_only(route: Route) -> None:
        answer = route.fetch()
        told = answer.json() | {"by": "any_churn"}
        told["calls"] = [c | {"amount": 0.25, "value": None, "churn": 0.25, "dissatisfied": None}
                         for c in told["calls"]]  # fmt: skip
        route.fulfill(response=answer, json=told)

    page.route("**/v1/calls?*", churn_only)
    page.goto(address)
    expect(page.locator("#view")).to_contain_text("highest churn probability first")
    expect(page.locator(".list thead .amount")).to_have_text("Probability")
    expect(page.locator(".list tbody .amount").first).to_have_text("25%25% churn")


def test_an_error_of_the_list_leaves_the_search_in_place(
    watched: WatchedPage, address: str
) -> None:
    page = watched.page
    with ignore_failed_requests(watched):
        page.route("**/v1/calls?*", lambda route: route.abort())
        page.goto(address)
        expect(page.get_by_role("alert")).to_contain_text("The service does not respond.")
        page.locator("#customer").fill("C-007")
        page.locator("#customer").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("C-007")


def test_typing_in_the_search_is_not_interrupted_when_the_list_arrives(
    page: Page, address: str
) -> None:
    held: list[Route] = []
    page.route("**/v1/calls?*", lambda route: held.append(route))
    with page.expect_request("**/v1/calls?*"):
        page.goto(address)
    box = page.locator("#customer")
    box.focus()
    expect(box).to_be_focused()
    held[0].continue_()
    expect(page.locator(".list tbody tr")).to_have_count(25)
    expect(box).to_be_focused()


def test_the_list_in_chinese(page: Page, address: str) -> None:
    page.goto(f"{address}?lang=zh#calls?region=south")
    expect(page.locator("#list")).to_contain_text("31 位客户")
    expect(page.get_by_label("区域")).to_have_value("south")
    expect(page.get_by_role("row", name="C-057").locator("td")).to_have_text(
        ["S-1", "south", "A", "有流失风险", "付款<b>逾期</b>", "专属客户经理在 2 小时内联系",
         "7031,234 × 流失 57%"]
    )  # fmt: skip


@pytest.mark.parametrize("width", [390, 1024, 1440, 1920])
def test_rows_keep_their_roles_and_fit_every_width(page: Page, address: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(address)
    expect(page.get_by_role("table").get_by_role("row")).to_have_count(26)
    expect(page.get_by_role("row", name="C-058").get_by_role("cell")).to_have_count(7)
    size: list[int] = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert size[0] <= size[1]
    shown = page.locator(".list tbody td").first.evaluate(
        "cell => getComputedStyle(cell, '::before').content"
    )
    assert bool(re.search("Owner", shown)) == (width < 768)
