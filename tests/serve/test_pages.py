"""The pages load nothing from anywhere and escape what they show."""

import re

import pytest
from service_in_process import Service

from serve.pages import index_page


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_loads_nothing(service: Service, path: str) -> None:
    answer = service.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.search(r"https?://|<script|<link|<img|@import|url\(", answer.text)


def test_the_start_page_names_company_models_and_links(service: Service) -> None:
    text = service.get("/").text
    for part in ("testing", "churn", "no champion yet", 'href="docs"', 'href="v1/models"'):
        assert part in text


def test_the_start_page_works_without_models(service: Service) -> None:
    service.upkeep.scorer = None
    assert "No model is loaded yet" in service.get("/").text


def test_every_link_of_the_start_page_works(service: Service) -> None:
    for link in re.findall(r'href="([^"]+)"', service.get("/").text):
        assert service.get(f"/{link}").status_code == 200


def test_names_are_escaped() -> None:
    page = bytes(index_page("<b>co</b>", [], {"<i>": "<u>"}).body).decode()
    assert "&lt;b&gt;co" in page
    assert "<i>" not in page
    assert "<u>" not in page
