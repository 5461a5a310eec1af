"""`goodwill init`: what it writes, what it never writes, and what it refuses."""

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from serve.cli import main
from support.made_up_companies import survey_lines
from support.postgres_server import Server


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GOODWILL_HOME", str(tmp_path))
    survey_lines(tmp_path / "My Export")
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(main.cli, ["init", *words])


def test_it_writes_the_file_checks_the_data_and_says_what_there_is_to_learn_from(
    home: Path,
) -> None:
    done = run("--from", str(home / "My Export"))
    assert done.exception is None, done.output
    toml = tomllib.loads((home / "data" / "my_export.toml").read_text("utf-8"))
    assert toml["company"]["name"] == "my_export"
    assert "churn: 5,228 events of kind order of 200 customers" in done.stderr
    assert "satisfaction: 1,575 answers" in done.stderr
    assert (home / "data" / "my_export" / "data-quality.html").is_file()
    assert not (home / "data" / "my_export" / "history").exists()


def test_it_never_overwrites_without_force(home: Path) -> None:
    path = home / "data" / "acme.toml"
    path.parent.mkdir()
    path.write_text("mine")
    done = run("--from", str(home / "My Export"), "--name", "acme")
    assert "--force to replace it" in str(done.exception)
    assert path.read_text() == "mine"
    assert run("--from", str(home / "My Export"), "--name", "acme", "--force").exception is None
    assert path.read_text() != "mine"


def test_a_folder_beside_the_file_is_named_relative_to_it(home: Path) -> None:
    survey_lines(home / "data" / "shop" / "raw")
    assert run("--from", str(home / "data/shop/raw"), "--name", "shop").exception is None
    toml = tomllib.loads((home / "data" / "shop.toml").read_text("utf-8"))
    assert toml["company"]["root"] == "{here}/shop/raw"


@pytest.mark.parametrize("name", ["Acme", "1st", "a b", "x" * 41])
def test_a_name_that_no_company_may_have_is_refused(home: Path, name: str) -> None:
    done = run("--from", str(home / "My Export"), "--name", name)
    assert "give one with --name" in str(done.exception)


def test_a_database_is_read_and_its_password_is_in_no_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server()
    try:
        server.run(
            "create table clients (client_id text primary key, region text, contact_email text)",
            "create table purchase_orders (order_no int primary key, client_id text, "
            "ordered_at timestamptz, net_total numeric(10, 2))",
            "insert into clients select 'c' || i, case when i % 2 = 0 then 'north' else 'south' end, "
            "'x' || i || '@mail.invalid' from generate_series(1, 60) i",
            "insert into purchase_orders select i, 'c' || 1 + i % 60, "
            "timestamptz '2023-01-01 10:00+00' + i * interval '9 hours', 10 + i % 7 "
            "from generate_series(1, 2000) i",
            "grant select on clients, purchase_orders to reader",
        )
        monkeypatch.delenv("DB_DATABASE_URL", raising=False)
        done = run("--from", server.url(), "--name", "db")
    finally:
        server.remove()
    assert done.exception is None, done.output
    text = (home / "data" / "db.toml").read_text("utf-8")
    toml = tomllib.loads(text)
    assert toml["postgres"] == {"url_from": "DB_DATABASE_URL"}
    assert toml["tables"]["events"]["postgres"] == {"purchase_orders": "purchase_orders"}
    assert "contact_email of clients: identifies the customer" in text
    for path in (p for p in home.rglob("*") if p.is_file()):
        content = path.read_bytes()
        assert server.password.encode() not in content
        assert b"%23" not in content, path  # as the password is written in the address
    assert server.password not in done.output
