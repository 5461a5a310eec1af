"""The address of a database: found in the environment, shown without its secrets."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.config.company import load_company
from features.config.postgres_settings import PostgresSettings, find_postgres_address
from features.errors import ConfigRefused

FROM = PostgresSettings(url_from="ACME_URL")
PG = ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGCONNECT_TIMEOUT")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in PG:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p@db.example:6000/shop", ("db.example", "6000", "shop", "u")),
        ("postgres://db.example/shop", ("db.example", "5432", "shop", "(system user)")),
        ("postgresql://u@/shop?host=/var/run&port=5433", ("/var/run", "5433", "shop", "u")),
        ("postgresql://u:p@a:1,b:2/shop?sslmode=require", ("a,b", "1,2", "shop", "u")),
        ("postgresql://u:p@[::1]:6000/shop", ("[::1]", "6000", "shop", "u")),
        ("postgresql://u:p@[fe80::1]/shop", ("[fe80::1]", "5432", "shop", "u")),
        ("postgresql://u:p@db", ("db", "5432", "u", "u")),
        ("postgresql://", ("(local socket)", "5432", "(same name as the user)",
                           "(system user)")),
    ],
)  # fmt: skip
def test_host_port_database_and_user(monkeypatch, url, expected):
    monkeypatch.setenv("ACME_URL", url)
    address = find_postgres_address(FROM, "acme.toml")
    assert (address.host, address.port, address.database, address.user) == expected
    assert address.url.startswith(url)


def test_libpq_variables_are_the_default(monkeypatch):
    for name, value in zip(PG[:4], ("db", "7", "me", "shop"), strict=True):
        monkeypatch.setenv(name, value)
    address = find_postgres_address(PostgresSettings(), "acme.toml")
    assert str(address) == "PostgreSQL at host db, port 7, database shop"
    assert address.user == "me"


def test_default_connection_parameters_are_added(monkeypatch):
    monkeypatch.setenv("ACME_URL", "postgresql://db/shop?connect_timeout=3")
    url = find_postgres_address(FROM, "acme.toml").url
    assert url.count("connect_timeout") == 1
    assert "&application_name=goodwill" in url
    assert "&keepalives_idle=30" in url
    monkeypatch.setenv("ACME_URL", "postgresql://db/shop")
    assert (
        "?application_name=goodwill&connect_timeout=10"
        in find_postgres_address(FROM, "acme.toml").url
    )
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "60")
    assert "connect_timeout" not in find_postgres_address(FROM, "acme.toml").url


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=8, max_size=20))
def test_a_password_is_never_shown(password):
    """Neither percent-encoded nor pasted as it is, whatever its characters."""
    for given_url in (quote(password, safe=""), password):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ACME_URL", f"postgresql://me:{given_url}@db.example/shop")
            refusal, address = "", None
            try:
                address = find_postgres_address(FROM, "acme.toml")
            except ConfigRefused as err:
                refusal = str(err)
        assert address or given_url == password, "a correctly encoded URL is accepted"
        assert password not in f"{refusal} {address} {address!r}"
        if address:
            assert str(address) == "PostgreSQL at host db.example, port 5432, database shop"
            assert password not in address.without_secrets(f"cannot use {password} here")


def test_an_invalid_url_is_refused_without_showing_it(monkeypatch):
    bad = ["db.example", "host=db password=geheim", "mysql://me:geheim@db/shop",
           "postgresql://me:ge/heim@db/shop", "postgresql://me:ge@heim@db/shop",
           "postgresql://me:1234/heim@db/shop", "postgresql://me:12?heim@db/shop",
           "postgresql://me:ge%zzheim@db/shop", "postgresql://me:geheim@db:port/shop"]  # fmt: skip
    for url in bad:
        monkeypatch.setenv("ACME_URL", url)
        with pytest.raises(
            ConfigRefused, match="environment variable ACME_URL does not hold a URL"
        ) as err:
            find_postgres_address(FROM, "acme.toml")
        assert "heim" not in str(err.value)


def test_a_variable_that_is_not_set(monkeypatch):
    monkeypatch.delenv("ACME_URL", raising=False)
    with pytest.raises(
        ConfigRefused, match=r"acme\.toml: .* ACME_URL, which is not set; set it: export"
    ):
        find_postgres_address(FROM, "acme.toml")


TABLE = """
[company]
name = "acme"
[tables.events]
postgres = "orders"
columns = { customer_id = "id", occurred_at = "t", kind = "k" }
[postgres]
"""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('url_from = "postgresql://me:geheim@db/shop"', "name the environment variable that holds"),
        (
            'url = "postgresql://me:geheim@db/shop"',
            "unknown key postgres.url; known: url_from",
        ),
        ('password = "geheim"', "unknown key postgres.password; known: url_from"),
        ("retries = -1", "postgres.retries: Input should be greater than or equal to 0"),
    ],
)
def test_an_invalid_section_is_refused(tmp_path, line, message):
    path = tmp_path / "acme.toml"
    path.write_text(TABLE + line)
    with pytest.raises(ConfigRefused) as refused:
        load_company(path)
    assert message in str(refused.value)
    assert "geheim" not in str(refused.value)
