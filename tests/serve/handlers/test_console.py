"""The files of the console: a fixed set, no external content, data never becomes markup."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from serve.handlers.console import MEDIA, PAGE
from support.service_in_process import Service, error_of

FOLDER = Path(str(files("serve").joinpath("console")))
PROGRAMS = sorted(name for name in MEDIA if name.endswith(".js"))
#: The name of a kind of drawing, which no browser fetches.
NAMESPACE = "http://www.w3.org/2000/svg"


def text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def address(name: str) -> str:
    return "/" if name == PAGE else f"/console/{name}"


def test_the_listed_files_are_those_in_the_folder() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(MEDIA)


@pytest.mark.parametrize("name", sorted(MEDIA))
def test_a_file_is_sent_unchanged_with_a_strict_policy(service: Service, name: str) -> None:
    answer = service.get(address(name))
    assert (answer.status_code, answer.text) == (200, text(name))
    assert answer.headers["content-type"] == f"{MEDIA[name]}; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-cache"


def test_a_cached_file_is_not_sent_again(service: Service) -> None:
    tag = service.get("/").headers["etag"]
    for known in (tag, f'"other", {tag}', f"W/{tag}"):
        again = service.get("/", headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert service.get("/", headers={"if-none-match": '"other"'}).status_code == 200
    assert service.get("/console/console.css").headers["etag"] != tag


@pytest.mark.parametrize(
    "name", ["nothing.js", "..%2fapp.py", "%2e%2e%2f__init__.py", "console.js%00", "Console.js"]
)
def test_other_files_are_not_sent(service: Service, name: str) -> None:
    answer = service.get(f"/console/{name}")
    assert answer.status_code == 404
    assert error_of(answer)["code"] == "unknown_path"


@pytest.mark.parametrize("name", sorted(MEDIA))
def test_a_file_names_no_other_host(name: str) -> None:
    content = text(name).replace(NAMESPACE, "")
    assert not re.search(r"https?:|[\"'(]//|@import|url\(|\bws:", content)


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_script_turns_text_into_markup_or_code(name: str) -> None:
    made = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser"
    assert not re.search(made, text(name))


@pytest.mark.parametrize("name", sorted(MEDIA))
def test_files_are_short(name: str) -> None:
    assert len(text(name).splitlines()) <= 250


def test_each_imported_script_is_served() -> None:
    for name in PROGRAMS:
        assert set(re.findall(r'from "\./([^"]+)"', text(name))) <= set(MEDIA)


def texts(language: str) -> dict[str, str]:
    """All texts of a language; a key occurs in one of its files."""
    names = [name for name in MEDIA if re.fullmatch(rf"texts_(\w+_)?{language}\.js", name)]
    found = [re.findall(r'^  "([^"]+)": "(.*)",$', text(name), re.MULTILINE) for name in names]
    assert len(names) == 3
    assert len({key for part in found for key, _ in part}) == sum(map(len, found))
    return dict(pair for part in found for pair in part)


def test_both_languages_have_the_same_texts_and_placeholders() -> None:
    english, chinese = texts("en"), texts("zh")
    assert len(english) > 90
    assert english.keys() == chinese.keys()
    for key in english:
        assert set(re.findall(r"\{\w+\}", english[key])) == set(
            re.findall(r"\{\w+\}", chinese[key])
        )
        assert key == "language.other" or re.search(r"[\u4e00-\u9fff]|[→：；]", chinese[key]), key


def test_each_requested_text_exists() -> None:
    requested = {
        key for name in PROGRAMS for key in re.findall(r'\btranslate\("([^"]+)"', text(name))
    }
    assert len(requested) > 50
    assert requested <= texts("en").keys()


def test_a_number_decides_between_singular_and_plural() -> None:
    """A text that counts something has both forms in English; Chinese has none."""
    counted = r"\{(amount|bins|count|days)\} ?(?!\{\1:)[a-z]+s\b"
    for key, english in texts("en").items():
        assert not re.search(counted, english), key
    assert not [key for key, chinese in texts("zh").items() if re.search(r"\{\w+:", chinese)]
