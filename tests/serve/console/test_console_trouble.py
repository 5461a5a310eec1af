"""The console with hostile ids, late answers, errors, and a service that requires a key."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from serve.security.api_keys import KeyFile
from serve.security.authentication import Authenticator
from serve.security.key_file_watcher import KeyFileWatcher
from support.console_company import HOSTILE, IDS, SLASHED, SLOW, SLOW_SECONDS
from support.watched_page import WatchedPage, ignore_failed_requests, running_console


def test_no_text_of_a_customer_becomes_markup(page: Page, address: str) -> None:
    page.goto(address)
    box = page.locator("#customer")
    box.press_sequentially("<scr")
    expect(page.locator("#found").get_by_role("option")).to_have_text(HOSTILE)
    page.locator("#found").get_by_role("option").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(page.locator(".reasons p").first).to_have_text("<b>late</b> payments")
    expect(page.locator(".reasons b")).to_have_count(0)
    assert page.title() == "Goodwill"


@pytest.mark.parametrize("customer", [SLASHED, HOSTILE])
def test_an_id_that_cannot_be_part_of_a_path_is_shown(
    page: Page, address: str, customer: str
) -> None:
    page.goto(address)
    page.locator("#customer").fill(customer)
    page.locator("#customer").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(customer)
    expect(page.get_by_role("region", name="Churn").locator(".figure")).to_have_text(
        f"{IDS.index(customer)}%"
    )


@pytest.mark.parametrize(("then", "title"), [("customer/C-006", "C-006"), ("models", "Models")])
def test_a_late_answer_of_an_earlier_view_is_dropped(
    page: Page, address: str, then: str, title: str
) -> None:
    page.goto(f"{address}#customer/C-005")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("C-005")
    page.evaluate(f"location.hash = '#customer/{SLOW}'")
    expect(page.get_by_text("Loading …")).to_be_visible()
    page.evaluate(f"location.hash = '#{then}'")
    expect(heading).to_have_text(title)
    page.wait_for_timeout(1_000 * SLOW_SECONDS + 300)
    expect(heading).to_have_text(title)
    expect(page.locator("#progress")).to_be_hidden()


def test_an_error_is_shown_with_its_request_id(watched: WatchedPage, address: str) -> None:
    with ignore_failed_requests(watched):
        page = watched.page
        page.goto(f"{address}#customer/nobody")
        notice = page.get_by_role("alert")
        expect(notice).to_contain_text("No customer has this id.")
        expect(notice).to_contain_text(re.compile(r"Request id [0-9a-f]{32}"))
        expect(page.get_by_role("button", name="Try again")).to_have_count(0)


def test_an_unreachable_service_can_be_retried(watched: WatchedPage, address: str) -> None:
    with ignore_failed_requests(watched):
        page = watched.page
        page.goto(address)
        page.route("**/v1/**", lambda route: route.abort())
        page.evaluate("location.hash = '#customer/C-007'")
        expect(page.get_by_role("alert")).to_contain_text("The service does not respond.")
        page.unroute("**/v1/**")
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("C-007")
        expect(page.get_by_role("alert")).to_be_empty()


def test_a_rate_limit_shows_the_time_to_wait(watched: WatchedPage, address: str) -> None:
    def too_many(route: Route) -> None:
        error = {"code": "too_many", "message": "m", "details": [], "request_id": "r"}
        route.fulfill(status=429, headers={"Retry-After": "7"}, json={"error": error})

    with ignore_failed_requests(watched):
        watched.page.route("**/v1/customers/**", too_many)
        watched.page.goto(f"{address}#customer/C-007")
        expect(watched.page.get_by_role("alert")).to_contain_text("Try again in 7 s.")


def test_the_key_dialog_and_removing_the_key(browser: Browser, tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    secret = keys.add("people", ["score", "read"], "testing")
    with running_console(Authenticator(KeyFileWatcher(keys.path, required=True))) as url:
        context = browser.new_context(locale="en-GB")
        page = context.new_page()
        page.goto(f"{url}#customer/C-008")
        dialog = page.get_by_role("dialog", name="API key required")
        field = dialog.get_by_label("API key", exact=True)
        expect(field).to_have_attribute("type", "password")
        field.fill("gw_wrong")
        field.press("Enter")
        expect(dialog).to_contain_text("The API key was not accepted.")
        field.fill(secret)
        field.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("C-008")
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("C-008")
        kept = page.evaluate("[JSON.stringify(localStorage), document.cookie, location.href]")
        assert secret not in "".join(kept)
        assert page.evaluate("Object.values(sessionStorage)") == [secret]
        page.get_by_role("button", name="Remove API key").click()
        expect(dialog).to_be_visible()
        assert page.evaluate("sessionStorage.length") == 0
        dialog.press("Escape")
        expect(page.get_by_role("alert")).to_contain_text("The service requires an API key.")
        context.close()
