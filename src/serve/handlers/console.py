"""Serves the console, a web page: a fixed set of files that load nothing from other sites."""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope

from serve.app_state import AppState
from serve.errors import UnknownPath
from serve.http.middleware import Call

PAGE = "index.html"
#: Only files that are listed here are served.
MEDIA = {
    PAGE: "text/html",
    **dict.fromkeys(("console.css", "call_list.css", "figures.css"), "text/css"),
    **dict.fromkeys(
        (
            "addresses.js",
            "api.js",
            "call_list.js",
            "call_tables.js",
            "charts.js",
            "console.js",
            "customer.js",
            "customer_groups.js",
            "figure_table.js",
            "customer_status.js",
            "dom.js",
            "errors.js",
            "evaluation.js",
            "i18n.js",
            "key.js",
            "markdown.js",
            "messages_en.js",
            "messages_zh.js",
            "models.js",
            "next_step.js",
            "predictions.js",
            "score_history.js",
            "search.js",
            "texts_calls_en.js",
            "texts_calls_zh.js",
            "texts_en.js",
            "texts_evaluation_en.js",
            "texts_evaluation_zh.js",
            "texts_zh.js",
            "whatif.js",
        ),
        "text/javascript",
    ),
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True)
class ConsoleFile:
    """A file of the console as it is sent; `tag` is its ETag."""

    content: bytes
    media: str
    tag: str


@lru_cache(maxsize=len(MEDIA))
def console_file(name: str) -> ConsoleFile:
    """Read a file of the console."""
    content = files("serve").joinpath("console", name).read_bytes()
    return ConsoleFile(content, MEDIA[name], f'"{sha256(content).hexdigest()[:32]}"')


async def show_console(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Show the console, a web page.

    Customers to call, predictions with reasons, what-ifs, the evaluation, the model cards; in English
    and Chinese.
    """
    return _file_response(PAGE, scope)


async def show_console_file(
    state: AppState, call: Call, scope: Scope, receive: Receive
) -> Response:
    """Get a file of the console: its style sheet or a script."""
    name: str = scope["path_params"]["file"]
    if name not in MEDIA:
        raise UnknownPath("unknown path; see /docs")
    return _file_response(name, scope)


def _file_response(name: str, scope: Scope) -> Response:
    """Send the file, or 304 when the browser's copy is current."""
    file = console_file(name)
    headers = {**_HEADERS, "ETag": file.tag}
    cached = Headers(scope=scope).get("if-none-match", "")
    if file.tag in (tag.strip().removeprefix("W/") for tag in cached.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers=headers, media_type=file.media)
