"""The newcomer's tour: from nothing to three customers' scores over HTTP."""

from contextlib import ExitStack
from typing import Any

import httpx
import pyarrow.parquet as pq
from rich.table import Table

from features.settings import Settings
from serve.cli.command_context import CommandContext, make_sample
from serve.process.server import LaunchOptions, check_port_free, running_service, interrupt_on_sigterm


def run_demo(run: CommandContext, customers: int, seed: int, port: int | None, stay: bool) -> None:
    """Make data, retrain, report, serve, ask for three customers, print; keep serving if asked."""
    from models.pipeline.retrain import check_gate
    from serve.cli.nightly import run_nightly

    settings = Settings()
    check_port_free(port or settings.port)  # before the work, not after it
    if run.company.name == "sample":
        make_sample(run, customers, seed)
    outcomes, paths = run_nightly(run)
    run.wrote(*paths)
    launch = LaunchOptions(
        run.company.path,
        run.workspace,
        port or settings.port,
        workers=settings.workers,
        output=run.workspace.mlruns / "logs" / "service.log",
    )
    try:
        _serve(run, launch, stay)
    except KeyboardInterrupt:
        run.steps.note("  stopped")
    check_gate(outcomes)


def _serve(run: CommandContext, launch: LaunchOptions, stay: bool) -> None:
    """Start the service, show three answers and the addresses; stop it in the end."""
    with ExitStack() as running:
        running.enter_context(interrupt_on_sigterm())
        with run.steps.step("start the service"):
            server = running.enter_context(running_service(launch))
        _ask(run, server.url)
        _addresses(run, server.url)
        if stay:
            run.steps.note("  serving until Ctrl-C ...")
            server.process.wait()


def pick_three_customers(run: CommandContext) -> list[str]:
    """The likeliest to leave, the most valuable and one in the middle (by the scores file)."""
    scores = pq.read_table(run.workspace.scores(run.company.name)).to_pandas()
    picks: list[str] = []
    for column in ("churn_probability", "value_expected", "satisfaction_score"):
        if column in scores:
            inside = scores
            if column == "churn_probability":
                inside = scores[scores["churn_in_population"]]
            picks.append(str(inside.sort_values(column)["customer_id"].iloc[-1]))
    picks += scores["customer_id"].iloc[[len(scores) // 2, 0, -1]].astype(str).tolist()
    return list(dict.fromkeys(picks))[:3]


def _ask(run: CommandContext, url: str) -> None:
    """Ask the running service for three customers and print its answer as a table."""
    ids = pick_three_customers(run)
    with httpx.Client(base_url=url, trust_env=False, timeout=30.0) as client:
        answer = client.post("/v1/scores", json={"customer_ids": ids, "reasons": 2})
        answer.raise_for_status()
    run.steps.console.print(answer_table(answer.json(), run.company.info.currency))


def answer_table(answer: dict[str, Any], currency: str) -> Table:
    """The answer of `POST /v1/scores`, a row a customer, as it fits a terminal."""
    table = Table(title=f"POST /v1/scores, as of {answer['as_of'][:10]}", title_justify="left")
    for name in ("customer", "satisfaction", "NPS class", "churn", f"value {currency}", "why"):
        table.add_column(name, overflow="fold")
    for score in answer["scores"]:
        p, reasons = score["predictions"], score.get("reasons") or {}
        why: list[dict[str, Any]] = next(
            (reasons[t] for t in ("churn", "satisfaction", "value") if t in reasons), []
        )
        table.add_row(
            score["customer_id"],
            _shown(p, "satisfaction", "score", "{:.0f} of 100"),
            _shown(p, "nps", "class", "{}"),
            _shown(p, "churn", "probability", "{:.1%}"),
            f"{_shown(p, 'value', 'expected', '{:,.0f}')} ({_shown(p, 'value', 'segment', '{}')})",
            "; ".join(r["text"] for r in why),
        )
    return table


def _shown(predictions: dict[str, Any], target: str, output: str, form: str) -> str:
    value = predictions.get(target, {}).get(output)
    return "–" if value is None else form.format(value)


def _addresses(run: CommandContext, url: str) -> None:
    lines = {
        "service": url,
        "its documentation": f"{url}/docs",
        "report": run.workspace.report(run.company.name).as_uri(),
        "experiments": "make mlflow  (then http://127.0.0.1:5000)",
    }
    for what, where in lines.items():
        run.steps.note(f"  {what:<18} {where}")
