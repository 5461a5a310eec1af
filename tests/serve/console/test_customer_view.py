"""The page of a customer in a browser: search, predictions, history and what-if."""

import pytest
from playwright.sync_api import Page, expect

from support.console_company import OUTLIER
from support.watched_page import WatchedPage


def test_a_customer_is_found_by_typing_and_arrow_keys(page: Page, address: str) -> None:
    page.goto(address)
    box = page.get_by_role("combobox", name="Find a customer")
    box.press_sequentially("C-01")
    expect(page.locator("#found").get_by_role("option")).to_have_count(10)
    expect(box).to_have_attribute("aria-expanded", "true")
    box.press("ArrowDown")
    box.press("ArrowDown")
    expect(page.locator("#found").get_by_role("option", selected=True)).to_have_text("C-011")
    box.press("Enter")
    expect(page.get_by_role("heading", name="C-011", level=1)).to_be_focused()
    assert page.url == f"{address}#customer/C-011"
    expect(page.get_by_role("listbox")).to_be_hidden()


def test_notes_of_the_search_and_escape(page: Page, address: str) -> None:
    page.goto(address)
    box = page.locator("#customer")
    box.press_sequentially("C-")
    expect(page.locator("#search-note")).to_have_text(
        "The first 20 are shown. Type more characters to narrow the search."
    )
    box.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    box.fill("Z")
    expect(page.locator("#search-note")).to_have_text("No customer id starts with this.")


def test_predictions_with_intervals_and_reasons(page: Page, address: str) -> None:
    page.goto(f"{address}#customer/C-031")
    satisfaction = page.get_by_role("region", name="Satisfaction")
    expect(satisfaction.get_by_role("img")).to_have_attribute(
        "aria-label", "71 of 100; 90% prediction interval: 50 to 100"
    )
    nps = page.get_by_role("region", name="Recommendation (NPS)")
    expect(nps).to_contain_text("Promoter 50%")
    expect(nps).to_contain_text("Promoters minus detractors: +30")
    churn = page.get_by_role("region", name="Churn")
    expect(churn.locator(".figure")).to_have_text("31%")
    expect(churn.locator("polyline")).to_have_count(1)
    expect(churn.locator(".reasons rect").nth(0)).to_have_class("bad")
    expect(churn.locator(".reasons rect").nth(1)).to_have_class("good")
    value = page.get_by_role("region", name="Value")
    expect(value).to_contain_text("90% prediction interval: 0 EUR to 4,000 EUR")
    expect(value.locator(".reasons rect").nth(0)).to_have_class("good")
    first, second = [float(w or 0) for w in (
        value.locator(".reasons rect").nth(n).get_attribute("width") for n in (0, 1))]  # fmt: skip
    assert first == pytest.approx(2 * second)
    expect(page.locator(".badge")).to_have_text("Value segment: middle")


def test_one_next_step_and_no_version_beside_each_prediction(page: Page, address: str) -> None:
    page.goto(f"{address}#customer/C-007")
    expect(page.locator(".next")).to_have_text("Next step: Shared account manager calls within 8 h")
    expect(page.get_by_text("Next step")).to_have_count(1)
    expect(page.get_by_text("model 7")).to_have_count(0)
    page.evaluate(f"location.hash = '#customer/{OUTLIER}'")  # no tier, so no service policy
    expect(page.get_by_role("heading", level=1)).to_have_text(OUTLIER)
    expect(page.locator(".next")).to_have_count(0)


def test_a_number_is_followed_by_the_right_form_of_its_unit(page: Page, address: str) -> None:
    page.goto(f"{address}#customer/C-001")
    visits = page.get_by_role("slider", name="Sales visits")
    expect(visits).to_have_attribute("aria-valuetext", "1 visit")
    visits.press("ArrowRight")
    expect(visits).to_have_attribute("aria-valuetext", "2 visits")
    box = page.locator("#customer")
    box.fill("C-out")
    expect(page.locator("#search-note")).to_contain_text("1 customer found.")
    box.fill("C-01")
    expect(page.locator("#search-note")).to_contain_text("10 customers found.")


def test_the_score_history_is_one_line_with_charts_and_a_table_below(
    page: Page, address: str
) -> None:
    page.goto(f"{address}#customer/C-001")
    expect(page.locator("#history > p")).to_have_text(
        "6 scorings from 31 Jan 2025 to 30 Jun 2025. Satisfaction 55 → 60; "
        "Recommendation (NPS) +5 → +5; Churn 30% → 20%."
    )
    expect(page.locator("#history table")).to_be_hidden()
    page.get_by_text("Show charts and table").click()
    charts = page.locator("#history").get_by_role("img")
    expect(charts).to_have_count(3)  # there are no value scores
    expect(charts.nth(0)).to_have_attribute(
        "aria-label", "Satisfaction: from 55 on 31 Jan 2025 to 60 on 30 Jun 2025."
    )
    expect(charts.nth(0).locator(".change")).to_have_count(1)
    expect(page.locator("#history tbody tr")).to_have_count(6)


def test_owner_and_region_lead_to_their_other_customers(page: Page, address: str) -> None:
    page.goto(f"{address}#customer/C-031")
    shown = page.locator("p", has_text="Owner: ").first
    expect(shown).to_have_text("Owner: S-21 · Region: North China")
    shown.get_by_role("link", name="S-21").click()
    assert page.url == f"{address}#calls?owner=S-21"


def test_an_out_of_distribution_customer_has_a_warning(page: Page, address: str) -> None:
    page.goto(f"{address}#customer/{OUTLIER}")
    expect(page.get_by_role("region", name="Satisfaction")).to_contain_text("Out of distribution")
    churn = page.get_by_role("region", name="Churn")
    expect(churn).to_contain_text("This model does not apply to this customer.")
    expect(churn.locator("svg")).to_have_count(0)
    expect(page.get_by_label("Churn", exact=True).and_(page.locator("input"))).to_have_count(0)


def test_a_slider_starts_at_the_current_value_and_requests_a_what_if(
    watched: WatchedPage, address: str
) -> None:
    page = watched.page
    page.goto(f"{address}#customer/C-001")
    slider = page.get_by_role("slider", name="Longest time to first reply")
    expect(slider).to_have_attribute("aria-valuetext", "48 hours")
    assert float(slider.input_value()) == 48.125
    slider.fill("20.125")
    result = page.locator("#whatif .result")
    expect(result).to_contain_text("60.0% → 32.0%")
    expect(result).to_contain_text("Set: ['reply time']")
    expect(page.locator("#whatif")).to_contain_text("not a promise")
    page.get_by_role("slider", name="Sales visits").press("ArrowRight")
    expect(result).to_contain_text("60.0% → 31.0%")
    sent = watched.posted()[-1]
    assert sent["set"] == {"reply time": 20.125, "contact frequency": 2}
    assert "goal" not in sent


def test_a_lever_the_model_does_not_use_is_disabled(watched: WatchedPage, address: str) -> None:
    page = watched.page
    page.goto(f"{address}#customer/C-001")
    page.get_by_role("slider", name="Sales visits").press("ArrowRight")
    expect(page.locator("#whatif .result")).to_contain_text("59.0%")
    page.get_by_role("radio", name="Satisfaction").check()
    expect(page.get_by_role("slider", name="Sales visits")).to_be_disabled()
    expect(page.locator("#whatif")).to_contain_text("This model does not use this lever.")
    expect(page.locator("#whatif .result")).to_have_text(
        "Move a slider to see the predicted change."
    )
    page.get_by_role("radio", name="Churn").check()
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("#whatif .result")).to_contain_text("Move a slider")
    assert {asked["target"] for asked in watched.posted()} == {"churn"}


def test_many_moves_become_one_request(watched: WatchedPage, address: str) -> None:
    page = watched.page
    page.goto(f"{address}#customer/C-001")
    slider = page.get_by_role("slider", name="Longest time to first reply")
    slider.wait_for()
    slider.evaluate("""one => { for (let n = 40; n > 4; n--) {
        one.value = n; one.dispatchEvent(new Event("input")); } }""")
    expect(page.locator("#whatif .result")).to_contain_text("→ 16.9%")
    assert len(watched.posted()) == 1
