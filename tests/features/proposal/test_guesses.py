"""Guesses where two readings are possible: each is asked or marked unsure, and never sure and wrong."""

from pathlib import Path

import pytest

from features.progress import silent_steps
from features.proposal.guess import GuessBook, Question, take_safer
from features.proposal.propose import Proposal, propose_folder

ORDERS = "customer_id,ordered_at,amount\n" + "".join(
    f"c{n % 40},2024-{1 + n % 12:02d}-{1 + n % 28:02d},{10 + n % 7}.50\n" for n in range(400)
)


def propose(tmp_path: Path, choose=take_safer, **tables: str) -> Proposal:
    """Propose for CSV files by their names; `choose` answers the questions."""
    folder = tmp_path / "raw"
    folder.mkdir(exist_ok=True)
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return propose_folder(folder, "acme", tmp_path / "spill", silent_steps(), choose)


def dated(form: str) -> str:
    rows = [f"c{n % 40},{form.format(1 + n % 12, 1 + n % 9)},5\n" for n in range(200)]
    return "customer_id,order_date,amount\n" + "".join(rows)


@pytest.mark.parametrize(("answer", "form"), [("day", "%d/%m/%Y"), ("month", "%m/%d/%Y")])
def test_the_order_of_day_and_month_is_asked(tmp_path: Path, answer: str, form: str) -> None:
    asked: list[Question] = []

    def choose(question: Question) -> str:
        asked.append(question)
        return answer

    proposal = propose(tmp_path, choose, orders=dated("{0:02d}/{1:02d}/2024"))
    assert [q.text for q in asked] == [
        "order_date in orders has dates such as 01/01/2024: what comes first?"
    ]
    assert form in proposal.toml
    assert proposal.book.confidence("orders.order_date") == "unsure"


def test_other_dates_decide_the_order_of_day_and_month(tmp_path: Path) -> None:
    other = "customer_id,paid_on,amount\n" + "".join(
        f"c{n},{13 + n % 15}/02/2024,5\n" for n in range(40)
    )
    proposal = propose(tmp_path, orders=dated("{0:02d}/{1:02d}/2024"), payments=other)
    assert proposal.book.decided == []
    assert "%d/%m/%Y" in proposal.toml


def test_a_scale_of_school_marks_is_asked_and_turned_round(tmp_path: Path) -> None:
    answers = "customer_id,antwortdatum,note\n" + "".join(
        f"c{n % 40},2024-03-{1 + n % 28:02d},{1 + n % 6}\n" for n in range(200)
    )
    proposal = propose(tmp_path, orders=ORDERS, umfrage=answers)
    (question, answer), *_ = proposal.book.decided
    assert "is 1 the best (a mark) or the worst?" in question.text
    assert answer == "best"
    assert '(7 - t."note") as score' in proposal.toml
    assert proposal.book.confidence("surveys.umfrage.score") == "unsure"


def test_zero_to_ten_without_a_name_is_asked(tmp_path: Path) -> None:
    answers = "customer_id,answered_at,score\n" + "".join(
        f"c{n % 40},2024-03-{1 + n % 28:02d},{n % 11}\n" for n in range(200)
    )
    proposal = propose(tmp_path, orders=ORDERS, survey=answers)
    assert proposal.book.decided[0][1] == "nps"
    assert "unsure: nps: up to 10, but no name says which" in proposal.toml


def test_a_subscription_that_may_only_be_planned_to_end_is_unsure(tmp_path: Path) -> None:
    rows = [
        f"{n},c{n},2023-01-{1 + n % 28:02d},{'2024-02-01' if n % 3 else ''}\n" for n in range(90)
    ]
    subscriptions = "subscription_id,customer_id,start_date,end_date\n" + "".join(rows)
    proposal = propose(tmp_path, orders=ORDERS, subscriptions=subscriptions)
    assert "'cancel' as kind" in proposal.toml
    assert proposal.book.confidence("events.subscriptions.cancel") == "unsure"


def test_amounts_of_both_signs_are_unsure(tmp_path: Path) -> None:
    signed = "customer_id,ordered_at,amount\n" + "".join(
        f"c{n % 40},2024-05-{1 + n % 28:02d},{-5 if n % 2 else 5}\n" for n in range(200)
    )
    assert propose(tmp_path, orders=signed).book.confidence("events.orders.amount") == "unsure"


def test_what_leaks_or_identifies_is_left_out(tmp_path: Path) -> None:
    header = "customer_id,full_name,email,region,last_order,total_spent,status\n"
    rows = [
        f"c{n},N {n},n{n}@x.invalid,r{n % 3},2024-12-0{1 + n % 9},{n},active\n" for n in range(40)
    ]
    proposal = propose(tmp_path, orders=ORDERS, customers=header + "".join(rows))
    assert set(proposal.tables["customers"].columns) == {"customer_id", "region"}
    left_out = " ".join(proposal.book.left_out["customers"])
    assert all(name in left_out for name in ("full_name", "email", "last_order", "total_spent"))


def test_the_least_sure_of_two_guesses_counts() -> None:
    book = GuessBook(take_safer)
    book.add("a", "sure", "by its name")
    book.add("a", "unsure", "by its values")
    book.add("a", "likely", "by its place")
    assert book.guesses["a"].comment == "unsure: by its name; by its values; by its place"
