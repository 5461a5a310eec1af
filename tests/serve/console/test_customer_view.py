"""A customer in a real browser: found by typing, read, and what could be otherwise."""

import pytest
from playwright.sync_api import Page, expect

from support.console_company import STRANGER
from support.watched_page import Watched


def test_a_customer_is_found_by_typing_and_arrow_keys(page: Page, address: str) -> None:
    page.goto(address)
    box = page.get_by_role("combobox", name="Customer")
    box.press_sequentially("C-01")
    expect(page.get_by_role("option")).to_have_count(10)
    expect(box).to_have_attribute("aria-expanded", "true")
    box.press("ArrowDown")
    box.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_have_text("C-011")
    box.press("Enter")
    expect(page.get_by_role("heading", name="C-011", level=1)).to_be_focused()
    assert page.url == f"{address}#customer/C-011"
    expect(page.get_by_role("listbox")).to_be_hidden()


def test_more_and_none_are_said_and_escape_closes(page: Page, address: str) -> None:
    page.goto(address)
    box = page.get_by_role("combobox")
    box.press_sequentially("C-")
    expect(page.locator("#search-note")).to_have_text("20 shown, there are more: type on.")
    box.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    box.fill("Z")
    expect(page.locator("#search-note")).to_have_text("No customer's id begins like that.")


def test_the_predictions_are_told_with_ranges_and_reasons(page: Page, address: str) -> None:
    page.goto(f"{address}#customer/C-031")
    satisfaction = page.get_by_role("region", name="Satisfaction")
    expect(satisfaction.get_by_role("img")).to_have_attribute(
        "aria-label", "71 of 100; nine of ten such customers: 50 to 100"
    )
    nps = page.get_by_role("region", name="Recommendation (NPS)")
    expect(nps).to_contain_text("Promoter 50 %")
    expect(nps).to_contain_text("promoters less detractors: +30")
    churn = page.get_by_role("region", name="Churn risk")
    expect(churn.locator(".figure")).to_have_text("31 %")
    expect(churn.locator("polyline")).to_have_count(1)
    expect(churn.locator(".reasons rect").nth(0)).to_have_class("bad")
    expect(churn.locator(".reasons rect").nth(1)).to_have_class("good")
    value = page.get_by_role("region", name="Value")
    expect(value).to_contain_text("nine of ten such customers: 0 EUR to 4,000 EUR")
    expect(value.locator(".reasons rect").nth(0)).to_have_class("good")
    first, second = [float(w or 0) for w in (
        value.locator(".reasons rect").nth(n).get_attribute("width") for n in (0, 1))]  # fmt: skip
    assert first == pytest.approx(2 * second)
    expect(page.locator(".badge")).to_have_text("Value segment: middle")


def test_the_past_is_drawn_and_is_a_table_too(page: Page, address: str) -> None:
    page.goto(f"{address}#customer/C-001")
    charts = page.locator("#history").get_by_role("img")
    expect(charts).to_have_count(3)  # nothing is known of value
    expect(charts.nth(0)).to_have_attribute(
        "aria-label", "Satisfaction: from 55 on 31 Jan 2025 to 60 on 30 Jun 2025."
    )
    expect(charts.nth(0).locator(".change")).to_have_count(1)
    page.get_by_text("As a table").click()
    expect(page.locator("#history tbody tr")).to_have_count(6)


def test_a_stranger_is_called_one(page: Page, address: str) -> None:
    page.goto(f"{address}#customer/{STRANGER}")
    expect(page.get_by_role("region", name="Satisfaction")).to_contain_text("take the numbers as a")
    churn = page.get_by_role("region", name="Churn risk")
    expect(churn).to_contain_text("Not among the customers this model is about")
    expect(churn.locator("svg")).to_have_count(0)
    expect(page.get_by_label("Churn risk", exact=True).and_(page.locator("input"))).to_have_count(0)


def test_a_slider_begins_where_the_customer_stands_and_asks_when_moved(
    watched: Watched, address: str
) -> None:
    page = watched.page
    page.goto(f"{address}#customer/C-001")
    slider = page.get_by_role("slider", name="Longest wait for a first reply")
    expect(slider).to_have_attribute("aria-valuetext", "48 hours")
    assert float(slider.input_value()) == 48.125
    slider.fill("20.125")
    result = page.locator("#whatif .result")
    expect(result).to_contain_text("60.0 % → 32.0 %")
    expect(result).to_contain_text("Set: ['reply time']")
    expect(page.locator("#whatif")).to_contain_text("not a promise")
    page.get_by_role("slider", name="Sales visits").press("ArrowRight")
    expect(result).to_contain_text("60.0 % → 31.0 %")
    asked = watched.posted()[-1]
    assert asked["set"] == {"reply time": 20.125, "contact frequency": 2}
    assert "goal" not in asked


def test_a_slider_the_model_does_not_look_at_is_said_and_still(
    watched: Watched, address: str
) -> None:
    page = watched.page
    page.goto(f"{address}#customer/C-001")
    page.get_by_role("slider", name="Sales visits").press("ArrowRight")
    expect(page.locator("#whatif .result")).to_contain_text("59.0 %")
    page.get_by_role("radio", name="Satisfaction").check()
    expect(page.get_by_role("slider", name="Sales visits")).to_be_disabled()
    expect(page.locator("#whatif")).to_contain_text("this model does not look at it")
    expect(page.locator("#whatif .result")).to_have_text(
        "Move a slider to see what the model would say."
    )
    page.get_by_role("radio", name="Churn risk").check()
    page.get_by_role("button", name="Back to now").click()
    expect(page.locator("#whatif .result")).to_contain_text("Move a slider")
    assert len(watched.posted()) == 1


def test_many_moves_are_one_question(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}#customer/C-001")
    slider = page.get_by_role("slider", name="Longest wait for a first reply")
    slider.wait_for()
    slider.evaluate("""one => { for (let n = 40; n > 4; n--) {
        one.value = n; one.dispatchEvent(new Event("input")); } }""")
    expect(page.locator("#whatif .result")).to_contain_text("→ 16.9 %")
    assert len(watched.posted()) == 1
