"""The demo: from an empty project to the scores of three customers over HTTP."""

from contextlib import ExitStack
from typing import Any

import httpx
import pyarrow.parquet as pq
from rich.console import Group
from rich.text import Text

from features.formatting import Language
from features.settings import Settings
from features.terminal_table import Indented, TextTable
from serve.cli.command_context import CommandContext, make_sample
from serve.process.server import (
    LaunchOptions,
    check_port_free,
    interrupt_on_sigterm,
    running_service,
)

#: The runs of the first company of a project in MLflow's view for trained models (`make mlflow`).
EXPERIMENTS = "http://127.0.0.1:5000/#/experiments/1/runs?workflowType=machine_learning"


def run_demo(
    context: CommandContext,
    customers: int,
    seed: int,
    language: Language | None,
    port: int | None,
    stay: bool,
) -> None:
    """Make data, retrain, report, serve, print the scores of three customers; `stay` keeps serving."""
    from insight.business_report.translations import report_language
    from models.pipeline.retrain import check_gate
    from serve.cli.nightly import run_nightly

    settings = Settings()
    check_port_free(port or settings.port)  # before the long work, as is the language
    language = language or report_language()
    simulated = None
    if context.company.name == "sample":
        simulated = make_sample(context, customers, seed)
    outcomes, paths = run_nightly(context, simulated, language)
    context.report_written(*paths)
    launch = LaunchOptions(
        context.company.path,
        context.workspace,
        port or settings.port,
        workers=settings.workers,
        output=context.workspace.mlruns / "logs" / "service.log",
    )
    try:
        _serve(context, launch, language, stay)
    except KeyboardInterrupt:
        context.steps.note("  stopped")
    check_gate(outcomes)


def _serve(context: CommandContext, launch: LaunchOptions, language: Language, stay: bool) -> None:
    """Start the service, print three scores and the addresses; stop it at the end."""
    with ExitStack() as running:
        running.enter_context(interrupt_on_sigterm())
        with context.steps.step("start the service"):
            server = running.enter_context(running_service(launch))
        _ask(context, server.url)
        _addresses(context, server.url, language)
        if stay:
            context.steps.note("  serving until Ctrl-C ...")
            server.process.wait()


def pick_three_customers(context: CommandContext) -> list[str]:
    """Pick a customer with a high churn risk, one with a high value and a satisfied one."""
    scores = pq.read_table(context.workspace.scores(context.company.name)).to_pandas()
    picks: list[str] = []
    for column in ("churn_probability", "value_expected", "satisfaction_score"):
        if column in scores:
            candidates = scores
            if column == "churn_probability":
                candidates = scores[scores["churn_in_population"]]
            picks.append(str(candidates.sort_values(column)["customer_id"].iloc[-1]))
    picks += scores["customer_id"].iloc[[len(scores) // 2, 0, -1]].astype(str).tolist()
    return list(dict.fromkeys(picks))[:3]


def _ask(context: CommandContext, url: str) -> None:
    """Request the scores of three customers and print them as a table."""
    ids = pick_three_customers(context)
    with httpx.Client(base_url=url, trust_env=False, timeout=30.0) as client:
        answer = client.post("/v1/scores", json={"customer_ids": ids, "reasons": 2})
        answer.raise_for_status()
    shown = describe_answer(answer.json(), context.company.info.currency)
    context.steps.console.print(shown, crop=False)


def describe_answer(answer: dict[str, Any], currency: str) -> Group:
    """The answer of `POST /v1/scores` for a terminal: a row per customer, with the reasons below it."""
    value = f"value {currency}"
    columns = ("customer", "satisfaction", "NPS class", "churn", value, "segment")
    title = Text(f"POST /v1/scores, as of {answer['as_of'][:10]}", "bold")
    rows = [_row(score) for score in answer["scores"]]
    return Group(Indented(title), TextTable(columns, rows, numbers=("churn", value)))


def _row(score: dict[str, Any]) -> tuple[tuple[str, ...], str]:
    p, reasons = score["predictions"], score.get("reasons") or {}
    why: list[dict[str, Any]] = next(
        (reasons[t] for t in ("churn", "satisfaction", "value") if t in reasons), []
    )
    cells = (
        score["customer_id"],
        _shown(p, "satisfaction", "score", "{:.0f} of 100"),
        _shown(p, "nps", "class", "{}"),
        _shown(p, "churn", "probability", "{:.1%}"),
        _shown(p, "value", "expected", "{:,.0f}"),
        _shown(p, "value", "segment", "{}"),
    )
    return cells, "\n".join(f"- {reason['text']}" for reason in why)


def _shown(predictions: dict[str, Any], target: str, output: str, form: str) -> str:
    value = predictions.get(target, {}).get(output)
    return "–" if value is None else form.format(value)


def _addresses(context: CommandContext, url: str, language: Language) -> None:
    lines = {
        "service": url,
        "API documentation": f"{url}/docs",
        "report": context.workspace.report(context.company.name, language).as_uri(),
        "make mlflow": EXPERIMENTS,
    }
    for what, where in lines.items():
        context.steps.note(f"  {what:<18} {where}")
