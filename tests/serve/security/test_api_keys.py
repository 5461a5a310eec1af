"""Keys are stored as hashes, changed atomically and compared in constant time."""

import hashlib
import hmac
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import ConfigRefused
from serve.security import api_keys as module
from serve.security.api_keys import Key, KeyFile, KeyRing, read_keys

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "data" / "keys.json")


def ring(file: KeyFile) -> KeyRing:
    return KeyRing(read_keys(file.path))


def test_a_new_key_is_valid_and_not_in_the_file(file: KeyFile) -> None:
    secret = file.add("crm", ["score", "read"], "acme")
    content = file.path.read_text()
    assert secret.startswith("gw_")
    assert len(secret) == 46  # 256 bits
    assert secret not in content
    assert secret[3:] not in content
    held = ring(file).find_key(secret.encode())
    assert held is not None
    assert (held.client, held.scopes, held.company) == ("crm", ("score", "read"), "acme")


def test_only_the_owner_may_read_the_file(file: KeyFile) -> None:
    file.add("crm", ["score"], "acme")
    file.add("bi", ["read"], "acme")
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [path.name for path in file.path.parent.glob("keys*")] == ["keys.json"]


@pytest.mark.parametrize(
    ("client", "scopes", "message"),
    [
        ("a b", ["score"], "client"),
        ("x" * 65, ["score"], "client"),
        ("crm", [], "scopes"),
        ("crm", ["admin"], r"scopes.*'score', 'read', 'feedback', 'operate'"),
    ],
)
def test_an_invalid_key_is_refused(
    file: KeyFile, client: str, scopes: list[str], message: str
) -> None:
    with pytest.raises(ConfigRefused, match=message):
        file.add(client, scopes, "acme")
    assert not file.path.exists()


def test_a_client_with_a_key_cannot_be_added_again(file: KeyFile) -> None:
    file.add("crm", ["score"], "acme")
    with pytest.raises(ConfigRefused, match="goodwill keys rotate crm"):
        file.add("crm", ["score"], "acme")


def test_both_keys_are_valid_during_the_overlap_and_then_only_the_new_one(file: KeyFile) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        old = file.add("crm", ["score"], "acme", rate=5.0)
        new = file.rotate("crm", overlap_days=7)
        for days, works in ((6.9, [True, True]), (0.2, [False, True])):
            clock.shift(timedelta(days=days))
            found = [ring(file).find_key(secret.encode()) for secret in (old, new)]
            assert [key is not None for key in found] == works
        assert found[1] is not None
        assert (found[1].scopes, found[1].company, found[1].rate) == (("score",), "acme", 5.0)


def test_a_rotation_never_extends_an_old_key(file: KeyFile) -> None:
    with time_machine.travel(NOW, tick=False):
        file.add("crm", ["score"], "acme", days=2)
        file.rotate("crm", overlap_days=7)
        old, new = file.read()
    assert old.expires == NOW + timedelta(days=2)
    assert new.expires == NOW + timedelta(days=2)  # as long as the former was meant to


def test_an_expired_key_is_invalid(file: KeyFile) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        secret = file.add("crm", ["score"], "acme", days=1).encode()
        assert ring(file).find_key(secret) is not None
        clock.shift(timedelta(days=1))
        assert ring(file).find_key(secret) is None


def test_a_key_is_revoked_by_client_or_id(file: KeyFile) -> None:
    file.add("crm", ["score"], "acme")
    file.rotate("crm", 7)
    file.add("bi", ["read"], "acme")
    assert len(file.revoke("crm")) == 2
    (left,) = file.read()
    assert file.revoke(left.id) == [left]
    assert file.read() == ()
    with pytest.raises(ConfigRefused, match="no client or key id crm"):
        file.revoke("crm")
    with pytest.raises(ConfigRefused, match="client crm has no valid key"):
        file.rotate("crm", 7)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=60))
def test_no_other_secret_is_valid(sent: bytes) -> None:
    digest = hashlib.sha256(b"gw_right").hexdigest()
    key = Key(
        id="0" * 8, client="crm", sha256=digest, scopes=("score",), company="acme", created=NOW
    )
    assert (KeyRing([key]).find_key(sent) is not None) == (sent == b"gw_right")
    assert KeyRing([key]).find_key(b"gw_right") == key


def test_all_keys_are_compared_wherever_the_match_is(
    file: KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = [file.add(f"c{n}", ["score"], "acme").encode() for n in range(5)]
    held, compared = ring(file), []

    def counted(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(module, "hmac", type("Counting", (), {"compare_digest": counted}))
    for sent in (secrets[0], secrets[4], b"gw_none", b""):
        compared.clear()
        held.find_key(sent)
        assert compared == [(32, 32)] * 5


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[1]", '[{"id": "x"}]', "\x00", "[", '{"secret-of-a-client": 1}'],
)
def test_a_broken_file_is_refused_without_its_values(file: KeyFile, content: str) -> None:
    file.path.write_text(content)
    with pytest.raises(ConfigRefused, match="is not a valid key file") as refused:
        file.read()
    assert "secret-of-a-client" not in str(refused.value)


def test_an_unknown_field_or_a_repeated_id_is_refused(file: KeyFile) -> None:
    file.add("crm", ["score"], "acme")
    (raw,) = json.loads(file.path.read_text())
    for content, message in (([{**raw, "admin": True}], "admin"), ([raw, raw], "same id")):
        file.path.write_text(json.dumps(content))
        with pytest.raises(ConfigRefused, match=message):
            file.read()


def test_concurrent_changes_lose_no_key(file: KeyFile) -> None:
    def add(n: int) -> Any:
        return KeyFile(file.path).add(f"client-{n}", ["score"], "acme")

    with ThreadPoolExecutor(8) as pool:
        secrets = list(pool.map(add, range(24)))
    held = ring(file)
    assert len(held.keys) == 24
    assert all(held.find_key(secret.encode()) for secret in secrets)
