"""Verbs for operating the service: keys are shown once, errors end in messages."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from features.errors import ConfigRefused, DataRefused, EnvironmentFailed
from serve.cli.main import cli
from serve.security.api_keys import KeyRing, read_keys

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data").mkdir()
    shutil.copy(PROJECT / "data/sample.toml", tmp_path / "data")
    monkeypatch.delenv("GOODWILL_KEYS", raising=False)
    monkeypatch.delenv("GOODWILL_COMPANY", raising=False)
    monkeypatch.setenv("GOODWILL_HOME", str(tmp_path))
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, words, catch_exceptions=False)


def test_a_key_from_creation_to_revocation(home: Path) -> None:
    added = run("keys", "add", "crm", "--scopes", "score, read", "--days", "30", "--rate", "5")
    assert added.exit_code == 0
    secret = added.stdout.strip()
    assert "shown only once" in added.stderr
    key = KeyRing(read_keys(home / "data/keys.json")).find_key(secret.encode())
    assert key is not None
    assert (key.company, key.scopes, key.rate) == ("sample", ("score", "read"), 5.0)
    assert key.expires is not None
    assert (key.expires - key.created).days == 30
    rotated = run("keys", "rotate", "crm", "--overlap-days", "1").stdout.strip()
    assert rotated != secret
    listed = run("keys", "list").stdout
    assert listed.count("crm") == 2
    assert listed.count("    scopes score,read; 5 calls per second\n") == 2
    assert max(map(len, listed.splitlines())) <= 80
    for hidden in (secret, rotated, key.sha256):
        assert hidden not in listed
    revoked = run("keys", "revoke", key.id)
    assert f"revoked {key.id} of crm" in revoked.stderr
    assert run("keys", "list").stdout.count("crm") == 1


def test_errors_end_in_messages(home: Path) -> None:
    with pytest.raises(ConfigRefused, match="scopes are"):
        run("keys", "add", "crm", "--scopes", "everything")
    with pytest.raises(ConfigRefused, match="clients: none yet"):
        run("keys", "revoke", "crm")
    assert run("keys", "add", "crm", "--scopes", "score", "--days", "0").exit_code == 2
    assert run("keys", "add", "crm").exit_code == 2
    with pytest.raises(DataRefused, match="no version of 'churn' serves sample"):
        run("rollback", "churn")
    with pytest.raises(DataRefused, match="give either --customer, or"):
        run("replay")
    with pytest.raises(DataRefused, match="has no call about this customer"):
        run("replay", "--customer", "C-1")


@pytest.mark.parametrize(("before", "named"), [(0, "of 127.0.0.1"), (1, "for the admin API")])
def test_serve_announces_nothing_when_a_port_is_in_use(home: Path, before: int, named: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "serve.cli", "serve", "--port", str(port - before)],
            env={**os.environ, "PYTHONPATH": str(PROJECT / "src"), "GOODWILL_LOG_FORMAT": "json"},
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    (line,) = (done.stdout + done.stderr).splitlines()
    assert done.returncode == 9
    said = json.loads(line)["message"]
    assert said.startswith(f"EnvironmentFailed: port {port} of 127.0.0.1")
    assert named in said
    assert "is in use; choose a free one with " in said
    assert "--port" in said
    assert not (home / "mlruns").exists()


def test_the_demo_makes_nothing_when_its_port_is_in_use(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        with pytest.raises(EnvironmentFailed, match=f"port {port} of 127.0.0.1 is in use; choose"):
            run("demo", "--port", port)
    assert [path.name for path in home.rglob("*")] == ["data", "sample.toml"]


@pytest.mark.parametrize("port", ["0", "70000"])
def test_a_port_that_cannot_be_is_refused(home: Path, port: str) -> None:
    assert "is not in the range 1<=x<=65535" in run("serve", "--port", port).stderr


def test_the_verbs_are_in_the_help() -> None:
    text = run("--help").stdout
    for verb in ("keys", "rollback", "replay"):
        assert f"\n  {verb} " in text
