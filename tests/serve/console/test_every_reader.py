"""The console for everybody: in two languages, on a phone, by night, and without seeing it."""

import pytest
from playwright.sync_api import Page, expect

from support.console_company import STRANGER
from support.watched_page import Watched

PHONE = {"width": 360, "height": 740}
#: What is there once a view is.
SIGNS = {"": ".welcome", "customer/": "#history", "models": ".cards", "models/": "#reliability",
         "evaluation": "#moves"}  # fmt: skip


def fits(page: Page) -> bool:
    """Whether nothing is wider than the window."""
    width: list[int] = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return width[0] <= width[1]


def contrast(page: Page, selector: str) -> float:
    """The contrast of a text with the nearest painted ground behind it, as WCAG has it."""
    ratio: float = page.locator(selector).first.evaluate(
        """element => {
            const light = (colour) => {
                const parts = colour.match(/[\\d.]+/g).slice(0, 3).map(c => c / 255)
                    .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
                return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
            };
            let ground = element;
            const painted = (one) => getComputedStyle(one).backgroundColor;
            while (painted(ground) === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
            const both = [light(getComputedStyle(element).color), light(painted(ground))];
            return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
        }"""
    )
    return ratio


def test_chinese_is_a_click_away_remembered_and_asked_for(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}#customer/C-002")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("region", name="满意度")).to_contain_text("付款<b>逾期</b>")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    assert "lang=zh" in page.url
    assert watched.asked[-2].url.endswith("language=zh") or watched.asked[-1].url.endswith(
        "language=zh"
    )
    page.goto(address)
    expect(page.get_by_role("link", name="客户")).to_be_visible()
    page.goto(f"{address}?lang=en")
    expect(page.get_by_role("link", name="Customers")).to_be_visible()


def test_the_models_are_listed_with_card_and_calibration(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("link", name="Models").click()
    expect(page.locator(".cards h2")).to_have_text(
        ["Satisfaction", "Recommendation (NPS)", "Churn risk", "Value"]
    )
    expect(page.locator("#view")).to_contain_text("reorder: no champion <i>yet</i>")
    page.get_by_role("link", name="Calibration and card").nth(2).click()
    expect(page.get_by_role("heading", name="Churn risk", level=1)).to_be_visible()
    plot = page.locator("#reliability")
    expect(plot.locator("circle")).to_have_count(3)
    expect(plot.locator(".whisker")).to_have_count(3)
    expect(plot).to_contain_text("Of 150 customers in 3 groups")
    expect(page.locator("tr.primary td").first).to_have_text("0.800 (0.700 – 0.900)")
    expect(page.locator("#card h3")).to_have_text("Card <img src=x onerror=alert(1)>")
    page.get_by_text("Data", exact=True).click()
    expect(page.locator("#card td")).to_have_text(["1", "2"])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_is_wider_than_a_phone(page: Page, address: str, language: str) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{address}?lang={language}")
    for view in (
        "",
        "customer/C-007",
        "evaluation",
        "models",
        "models/nps",
        f"customer/{STRANGER}",
    ):
        page.evaluate(f"location.hash = '#{view}'")
        page.locator(SIGNS[view.split("/")[0] + "/" * ("/" in view)]).first.wait_for()
        assert fits(page), view
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert fits(page), view


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_by_day_and_by_night(page: Page, address: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{address}#customer/{STRANGER}")
    page.get_by_role("slider").first.press("ArrowLeft")
    page.locator("#whatif .better, #whatif .worse").wait_for()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 22, 28)"
    assert dark == (scheme == "dark")
    for selector in (
        ".who",
        ".note",
        ".warning",
        ".figure strong",
        ".result strong",
        "nav a",
        "summary",
    ):
        assert contrast(page, selector) >= 4.5, selector


def test_every_field_and_drawing_has_a_name(page: Page, address: str) -> None:
    page.goto(f"{address}#customer/C-004")
    page.locator("#history").wait_for()
    for drawing in page.locator("svg:not([aria-hidden])").all():
        assert drawing.get_attribute("aria-label")
    unnamed = page.evaluate(
        "[...document.querySelectorAll('main input')].filter(one => !one.labels?.length).length"
    )
    assert unnamed == 0
