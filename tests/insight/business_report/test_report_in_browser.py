"""The report in a browser: sorting, filters, tooltips, phone, print, and no external requests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from insight.business_report.business_report_page import (
    render_details,
    render_overview,
    report_files,
)
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
    """Page one; the details are in the same folder."""
    inputs = load_report_inputs(*evaluated, language)
    files = report_files(evaluated[1], "tiny", language)
    for path, render in ((files.overview, render_overview), (files.details, render_details)):
        text = render(inputs, report_builders.AS_OF)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    return tmp_path / files.overview.name


def details_of(file: Path) -> Path:
    """The file of the details next to a page one."""
    return file.with_name(file.name.replace("report", "report-details"))


@pytest.fixture
def page(browser: Browser, file: Path) -> Iterator[Page]:
    """The open page one; fails on console messages and on any request besides the two files."""
    context = browser.new_context()
    page = context.new_page()
    messages: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.set_default_timeout(60_000)  # a busy machine is no fault of the page
    page.goto(file.as_uri())
    yield page
    context.close()
    assert messages == []
    assert set(requests) <= {file.as_uri(), details_of(file).as_uri()}


@pytest.fixture
def details(page: Page) -> Page:
    """The details, reached from page one."""
    page.locator("nav .other").click()
    page.wait_for_selector("#indicators")
    return page


def first_cells(page: Page, table: str) -> list[str]:
    return page.locator(f"{table} tbody tr:visible td:first-child").evaluate_all(
        "cells => cells.map((c) => c.firstChild.textContent.trim())"
    )


def test_a_column_heading_sorts_in_both_directions(page):
    assert first_cells(page, "#call-list") == ["C2", "C1", "C3"]
    amount = page.locator("#call-list th").nth(1)
    amount.click()
    assert first_cells(page, "#call-list") == ["C2", "C1", "C3"]
    assert amount.get_attribute("aria-sort") == "descending"
    amount.press("Enter")
    assert first_cells(page, "#call-list") == ["C3", "C1", "C2"]
    page.locator("#call-list th").first.click()
    assert first_cells(page, "#call-list") == ["C1", "C2", "C3"]


def test_indicators_sort_by_number(details):
    page = details
    page.locator("#indicators > .wide th").nth(1).click()
    numbers = page.locator("#indicators > .wide tbody td:nth-child(2)").evaluate_all(
        "cells => cells.map((c) => Number(c.dataset.order))"
    )
    values = [i.value for i in report_builders.evaluation().indicators if not i.dimension]
    assert numbers == sorted(values, reverse=True)


def test_the_list_is_searched_and_filtered(page):
    page.locator("#find").fill("c1")
    assert first_cells(page, "#call-list") == ["C1"]
    assert "1" in page.locator("#found").inner_text()
    page.locator("#find").fill("")
    page.locator("#tier").select_option("A")
    assert first_cells(page, "#call-list") == ["C2"]
    page.locator("#tier").select_option("")
    assert len(first_cells(page, "#call-list")) == 3


def test_one_table_of_groups_is_shown_at_a_time(details):
    page = details
    assert page.locator(".cut:visible").count() == 1
    seen = page.locator(".cut:visible td").first.inner_text()
    page.locator("#cut").select_option("1")
    assert page.locator(".cut:visible").count() == 1
    assert page.locator(".cut:visible td").first.inner_text() != seen


def test_a_tap_on_a_point_shows_its_numbers(details):
    page = details
    point = page.locator("#trends .tip").first
    assert page.locator("#tip").is_hidden()
    point.dispatch_event("click")
    assert page.locator("#tip").inner_text() == point.get_attribute("data-tip")
    page.locator("h1").click()
    assert page.locator("#tip").is_hidden()


def scrolls_sideways(page: Page) -> bool:
    wide: list[int] = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return wide[0] > wide[1]


@pytest.mark.parametrize(
    ("language", "scheme"), [("en", "light"), ("zh", "dark")], indirect=["language"]
)
def test_a_phone_does_not_scroll_sideways(page, file, scheme):
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme=scheme)
    assert not scrolls_sideways(page)
    page.goto(details_of(file).as_uri())
    assert not scrolls_sideways(page)
    ink, paper = page.evaluate(
        "[getComputedStyle(document.querySelector('.chart text')).fill,"
        " getComputedStyle(document.body).backgroundColor]"
    )
    dark = {ink: sum(map(int, ink[4:-1].split(","))), paper: sum(map(int, paper[4:-1].split(",")))}
    assert (dark[ink] > dark[paper]) == (scheme == "dark")


def test_on_a_phone_drivers_groups_and_segments_are_cards(details):
    details.set_viewport_size(PHONE)
    for table in ("#drivers table", ".cut table", "#by-tier table", "#comments table"):
        found = details.locator(table).first
        assert found.locator("thead").is_hidden()
        wide = found.evaluate("t => [t.scrollWidth, t.parentElement.clientWidth]")
        assert wide[0] <= wide[1]


@pytest.mark.parametrize("width", [1024, 1440, 1920])
def test_no_table_is_cut_on_a_screen(details, width):
    details.set_viewport_size({"width": width, "height": 900})
    cut = details.locator(".wide").evaluate_all(
        "boxes => boxes.filter((b) => b.scrollWidth > b.clientWidth + 1).map((b) => b.innerText)"
    )
    assert cut == []
    assert not scrolls_sideways(details)


def test_other_segmentations_are_one_click_away(details):
    assert details.locator("#by-tier").is_visible()
    assert details.locator("#by-stars").is_hidden()
    details.locator("#tiers summary").click()
    assert details.locator("#by-stars").is_visible()


def test_print_shows_all_customers_and_groups(page, file):
    page.locator("#find").fill("nobody")
    assert first_cells(page, "#call-list") == []
    page.emulate_media(media="print")
    assert len(first_cells(page, "#call-list")) == 3
    assert page.locator(".controls:visible, nav:visible").count() == 0
    page.goto(details_of(file).as_uri())
    assert page.locator(".cut:visible").count() == 3
    assert page.locator(".controls:visible, nav:visible").count() == 0


def test_everything_is_visible_without_scripts(browser, file):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.locator(".controls:visible").count() == 0
    assert page.locator("#call-list tbody tr:visible").count() == 3
    page.locator("nav .other").click()
    assert page.locator(".cut:visible").count() == 3
    assert page.locator(".controls:visible").count() == 0
    context.close()
