"""The console in two languages, on a phone, in dark mode, and with a screen reader."""

import pytest
from playwright.sync_api import Page, expect

from support.console_company import OUTLIER
from support.watched_page import WatchedPage

PHONE = {"width": 360, "height": 740}
#: An element that shows that a view has loaded.
LOADED = {"": ".list", "movers": ".list", "customer/": "#history", "models": ".cards",
          "models/": "#reliability", "evaluation": "#moves"}  # fmt: skip


def fits(page: Page) -> bool:
    """Whether the page fits the width of the window."""
    width: list[int] = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return width[0] <= width[1]


def contrast(page: Page, selector: str) -> float:
    """The WCAG contrast of a text with its background."""
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


def test_the_language_can_be_switched_and_is_remembered(watched: WatchedPage, address: str) -> None:
    page = watched.page
    page.goto(f"{address}#customer/C-002")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("region", name="满意度")).to_contain_text("付款<b>逾期</b>")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    assert "lang=zh" in page.url
    assert watched.requests[-2].url.endswith("language=zh") or watched.requests[-1].url.endswith(
        "language=zh"
    )
    page.goto(address)
    expect(page.get_by_role("link", name="联系清单")).to_be_visible()
    page.goto(f"{address}?lang=en")
    expect(page.get_by_role("link", name="Call list")).to_be_visible()


def test_models_with_card_and_calibration(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("link", name="Models").click()
    expect(page.locator(".cards h2")).to_have_text(
        ["Satisfaction", "Recommendation (NPS)", "Churn", "Value"]
    )
    expect(page.locator("#view")).to_contain_text("reorder: no champion <i>yet</i>")
    page.get_by_role("link", name="Calibration and model card").nth(2).click()
    expect(page.get_by_role("heading", name="Churn", level=1)).to_be_visible()
    plot = page.locator("#reliability")
    expect(plot.locator("circle")).to_have_count(3)
    expect(plot.locator(".whisker")).to_have_count(3)
    expect(plot).to_contain_text("150 customers in 3 groups")
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
        "movers",
        "customer/C-007",
        "evaluation",
        "models",
        "models/nps",
        f"customer/{OUTLIER}",
    ):
        page.evaluate(f"location.hash = '#{view}'")
        page.locator(LOADED[view.split("/")[0] + "/" * ("/" in view)]).first.wait_for()
        assert fits(page), view
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert fits(page), view


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_in_light_and_dark_mode(page: Page, address: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{address}#customer/{OUTLIER}")
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_of_the_call_list(page: Page, address: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{address}#movers")
    page.locator(".list").wait_for()
    for selector in (
        ".list a", ".list thead th", ".list small", ".better strong", ".worse strong", ".tabs a",
        ".filters label", ".filters select",
    ):  # fmt: skip
        assert contrast(page, selector) >= 4.5, selector


def test_every_input_and_chart_has_a_label(page: Page, address: str) -> None:
    page.goto(f"{address}#customer/C-004")
    page.locator("#history").wait_for()
    page.get_by_text("Show charts and table").click()
    for drawing in page.locator("svg:not([aria-hidden])").all():
        assert drawing.get_attribute("aria-label")
    unnamed = page.evaluate(
        "[...document.querySelectorAll('main input')].filter(one => !one.labels?.length).length"
    )
    assert unnamed == 0
