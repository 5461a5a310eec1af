"""`goodwill feedback`: what was sent and what became of it, and how a call is withdrawn."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from features.errors import DataRefused
from features.ingest.feedback import Feedback, feedback_digest, feedback_files, store_feedback
from features.ingest.feedback_calls import read_calls
from serve.cli.main import cli
from support.company_builders import Shop


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop(tmp_path)
    shop.about["data_end"] = "2024-04-01T00:00:00Z"
    monkeypatch.setenv("GOODWILL_HOME", str(tmp_path))
    monkeypatch.setenv("GOODWILL_COMPANY", str(shop.toml()))
    return shop


def send(shop: Shop, key: str, client: str, *events: dict[str, Any]) -> str:
    """Store a call and return its id."""
    usual = {"occurred_at": "2024-03-02T09:00:00+00:00", "kind": "order", "amount": 30.0}
    folder = shop.workspace.feedback("shop")
    before = set(feedback_files(folder))
    feedback = Feedback(key, [{"customer_id": "A"} | usual | e for e in events], client, f"r-{key}")
    store_feedback(folder, feedback)
    (path,) = set(feedback_files(folder)) - before
    return path.stem


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ("feedback", *words), catch_exceptions=False)


def listed(*words: str) -> list[str]:
    """The calls: each with its cells and the text below them, as one line."""
    calls: list[str] = []
    for line in run("list", *words).stdout.splitlines()[1:]:
        assert len(line) <= 80
        if line.startswith("    "):
            calls[-1] += f" | {line.strip()}" if " | " not in calls[-1] else f" {line.strip()}"
        else:
            calls.append(" ".join(line.split()))
    return calls


def test_the_list_shows_the_outcome_of_each_call(shop: Shop) -> None:
    order = {"occurred_at": "2024-02-01T08:00:30+00:00", "customer_id": "B", "amount": 20.0}
    ids = [
        send(shop, "1", "crm", {}, {"kind": "campaign"}),
        send(shop, "2", "erp", {"customer_id": "Z"}, {"amount": 1e308}),
        send(shop, "3", "", order),
    ]
    assert [call.split(" | ")[1] for call in listed()] == [
        f"request r-{number}: new: for the next import" for number in (1, 2, 3)
    ]
    shop.run()
    one, two, three = listed()
    assert [line.split()[0] for line in (one, two, three)] == [i[:8] for i in ids]
    assert one.endswith("crm 2 1 campaign, order | request r-1: imported")
    assert " erp " in two
    assert two.endswith(
        "1 quarantined (amount: implausibly large, 1e+308), 1 waiting: unknown customer"
    )
    assert three.endswith("– 1 1 order | request r-3: in the table")


def test_the_list_is_filtered(shop: Shop) -> None:
    send(shop, "1", "crm", {})
    send(shop, "2", "erp", {"customer_id": "B"})
    assert len(listed()) == 2
    assert len(listed("--client", "crm")) == len(listed("--customer", "B")) == 1
    assert run("list", "--client", "crm", "--customer", "B").stdout == ""
    assert len(listed("--since", "2024-01-01")) == 2
    assert run("list", "--since", "2190-01-01").stderr == "0 of 2 calls\n"


def test_a_withdrawn_call_stays_stored_and_leaves_the_history(shop: Shop) -> None:
    call = send(shop, "1", "crm", {})
    assert shop.run().rows["events"] == 5
    folder = shop.workspace.feedback("shop")
    content, digest = (folder / f"{call}.json").read_bytes(), feedback_digest(folder)
    done = run("withdraw", call[:8], "--reason", "a test call", "--by", "ada")
    assert f"withdrew {call[:8]} of crm" in done.stderr
    assert (folder / f"{call}.json").read_bytes() == content
    assert feedback_digest(folder) != digest
    record = json.loads((folder / f"{call}.withdrawn").read_text("utf-8"))
    assert (record["by"], record["reason"]) == ("ada", "a test call")
    assert "withdrawn (leaves at the next import)" in listed()[0]
    assert shop.run().rows["events"] == 4
    assert listed()[0].endswith("by ada: a test call")
    assert not list(folder.glob("*.new"))


def test_the_user_is_recorded(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "grace")
    run("withdraw", send(shop, "1", "crm", {}), "--reason", "twice")
    (call,) = read_calls(shop.workspace.feedback("shop"))
    assert call.withdrawal is not None
    assert call.withdrawal.by == "grace"


def test_what_cannot_be_withdrawn_is_an_error(shop: Shop) -> None:
    with pytest.raises(DataRefused, match="no feedback call with the id 'abc' among 0"):
        run("withdraw", "abc", "--reason", "x")
    ids = [send(shop, str(number), "crm", {}) for number in range(17)]  # two begin equally
    first = next(i[0] for i in ids if sum(other[0] == i[0] for other in ids) > 1)
    with pytest.raises(DataRefused, match=f"feedback calls begin with '{first}', such as"):
        run("withdraw", first, "--reason", "x")
    with pytest.raises(DataRefused, match="say why in 1 to 500 characters"):
        run("withdraw", ids[0], "--reason", "  ")
    assert run("withdraw", ids[0]).exit_code == 2
    run("withdraw", ids[0], "--reason", "x", "--by", "ada")
    with pytest.raises(DataRefused, match=r"was withdrawn before: .* by ada, 'x'"):
        run("withdraw", ids[0], "--reason", "again")


def test_an_unreadable_file_is_named(shop: Shop) -> None:
    call = send(shop, "1", "crm", {})
    path = shop.workspace.feedback("shop") / f"{call}.json"
    path.write_text('{"received_at"', "utf-8")
    with pytest.raises(DataRefused, match=f"{call}.json cannot be read"):
        run("list")
    path.write_text('{"format": 3}', "utf-8")
    with pytest.raises(DataRefused, match="has format 3, this version of goodwill reads up to 2"):
        run("list")
