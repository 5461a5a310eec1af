"""Health checks, metrics and the description of the API.

The docstring of a handler is its text in the API documentation.
"""

from starlette.responses import Response
from starlette.types import Receive, Scope

from serve.app_state import AppState
from serve.errors import Draining
from serve.http.docs_page import docs_page
from serve.http.middleware import Call, json_response


async def live(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Check that the process is up, with or without models."""
    return json_response({"status": "alive", "missing": {}})


async def ready(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Check that customers can be scored; list the targets and evaluations that are missing.

    503 `draining` when the service is stopping: it still answers calls, but should get no new ones.
    """
    if state.drain.started:
        raise Draining("the service is stopping; send new calls elsewhere")
    scorer = state.loader.ready_scorer()
    missing = {**scorer.missing(), **scorer.evaluated().missing}
    return json_response({"status": "ready", "missing": missing})


async def show_metrics(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Show the metrics for Prometheus, summed over the workers."""
    page = await state.run(state.metrics.exposition, in_thread=True)
    return Response(page, media_type="text/plain; version=0.0.4; charset=utf-8")


async def show_openapi(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Get the OpenAPI 3.1 document of this service."""
    return json_response(state.openapi_document())


async def show_docs(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Show the API documentation as a page."""
    return docs_page(state.openapi_document())
