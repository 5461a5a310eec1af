"""The API documentation page loads nothing and escapes its content."""

import re

from serve.http.docs_page import docs_page
from support.service_in_process import Service


def test_the_page_loads_nothing(service: Service) -> None:
    answer = service.get("/docs")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.search(r"https?://|<script|<link|<img|@import|url\(", answer.text)


def test_its_links_work(service: Service) -> None:
    links = re.findall(r'href="([^"#]+)"', service.get("/docs").text)
    assert links
    for link in links:
        assert service.get(f"/{link.removeprefix('.')}").status_code == 200


def test_names_are_escaped() -> None:
    document = {
        "info": {"title": "<b>co</b>", "version": "1", "description": "<i>"},
        "paths": {},
        "components": {"schemas": {"A": {"description": "<u>"}}},
    }
    page = bytes(docs_page(document).body).decode()
    assert "&lt;b&gt;co" in page
    assert "<i>" not in page
    assert "<u>" not in page
