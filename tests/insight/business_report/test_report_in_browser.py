"""The report in a browser: sorting, filters, tooltips, phone, print, and no external requests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from insight.business_report.business_report_page import render
from insight.business_report.report_inputs import load_report_inputs
from insight.business_report.translations import Language
from support import report_builders

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def language(request: pytest.FixtureRequest) -> Language:
    """English, unless a test asks for another."""
    found: Language = getattr(request, "param", "en")
    return found


@pytest.fixture
def file(evaluated, language, tmp_path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(
        render(load_report_inputs(*evaluated, language), report_builders.AS_OF), encoding="utf-8"
    )
    return path


@pytest.fixture
def page(browser: Browser, file: Path) -> Iterator[Page]:
    """The open report; fails on console messages and on any request besides the file."""
    context = browser.new_context()
    page = context.new_page()
    messages: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.set_default_timeout(10_000)
    page.goto(file.as_uri())
    yield page
    context.close()
    assert messages == []
    assert set(requests) == {file.as_uri()}


def first_cells(page: Page, table: str) -> list[str]:
    return page.locator(f"{table} tbody tr:visible td:first-child").evaluate_all(
        "cells => cells.map((c) => c.firstChild.textContent.trim())"
    )


def test_a_column_heading_sorts_in_both_directions(page):
    assert first_cells(page, "#call-list") == ["C2", "C1", "C3"]
    churn = page.locator("#call-list th").nth(5)
    churn.click()
    assert first_cells(page, "#call-list") == ["C1", "C3", "C2"]
    assert churn.get_attribute("aria-sort") == "descending"
    churn.press("Enter")
    assert first_cells(page, "#call-list") == ["C2", "C3", "C1"]
    page.locator("#call-list th").first.click()
    assert first_cells(page, "#call-list") == ["C1", "C2", "C3"]


def test_indicators_sort_by_number(page):
    page.locator("#indicators th").nth(1).click()
    numbers = page.locator("#indicators tbody td:nth-child(2)").evaluate_all(
        "cells => cells.map((c) => Number(c.dataset.order))"
    )
    assert numbers == sorted(
        (i.value for i in report_builders.evaluation().indicators), reverse=True
    )


def test_the_list_is_searched_and_filtered(page):
    page.locator("#find").fill("c1")
    assert first_cells(page, "#call-list") == ["C1"]
    assert "1" in page.locator("#found").inner_text()
    page.locator("#find").fill("")
    page.locator("#tier").select_option("A")
    assert first_cells(page, "#call-list") == ["C2"]
    page.locator("#tier").select_option("")
    assert len(first_cells(page, "#call-list")) == 3


def test_one_table_of_groups_is_shown_at_a_time(page):
    assert page.locator(".cut:visible").count() == 1
    seen = page.locator(".cut:visible td").first.inner_text()
    page.locator("#cut").select_option("1")
    assert page.locator(".cut:visible").count() == 1
    assert page.locator(".cut:visible td").first.inner_text() != seen


def test_a_tap_on_a_point_shows_its_numbers(page):
    point = page.locator("#trends .tip").first
    assert page.locator("#tip").is_hidden()
    point.dispatch_event("click")
    assert page.locator("#tip").inner_text() == point.get_attribute("data-tip")
    page.locator("h1").click()
    assert page.locator("#tip").is_hidden()


@pytest.mark.parametrize(
    ("language", "scheme"), [("en", "light"), ("zh", "dark")], indirect=["language"]
)
def test_a_phone_does_not_scroll_sideways(page, scheme):
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme=scheme)
    wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
    ink, paper = page.evaluate(
        "[getComputedStyle(document.querySelector('.chart text')).fill,"
        " getComputedStyle(document.body).backgroundColor]"
    )
    dark = {ink: sum(map(int, ink[4:-1].split(","))), paper: sum(map(int, paper[4:-1].split(",")))}
    assert (dark[ink] > dark[paper]) == (scheme == "dark")


def test_print_shows_all_groups_and_customers(page):
    page.locator("#find").fill("nobody")
    assert first_cells(page, "#call-list") == []
    page.emulate_media(media="print")
    assert len(first_cells(page, "#call-list")) == 3
    assert page.locator(".cut:visible").count() == 3
    assert page.locator(".controls:visible, nav:visible").count() == 0


def test_everything_is_visible_without_scripts(browser, file):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.locator(".cut:visible").count() == 3
    assert page.locator(".controls:visible").count() == 0
    assert page.locator("#call-list tbody tr:visible").count() == 3
    context.close()
