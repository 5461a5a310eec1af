"""A company's TOML file: the shipped files load, and errors name each mistake and its remedy."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.config.company import as_utc, load_company
from features.errors import ConfigRefused
from features.import_history.run_import import import_history
from features.progress import silent_steps
from features.settings import Workspace

DATA = Path(__file__).parents[3] / "data"
SHIPPED = sorted(DATA.glob("*.toml"))
ABOUT = '[company]\nname = "shop"\n'
EVENTS = """
[tables.events]
files = "events.csv"
[tables.events.columns]
customer_id = "who"
occurred_at = "moment"
kind = "'order'"
"""
CUSTOMERS = '[tables.customers]\nfiles = "customers.csv"\n'


def load(folder: Path, text: str):
    path = folder / "shop.toml"
    path.write_text(text, encoding="utf-8")
    return load_company(path)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigRefused) as refused:
        load(folder, text)
    assert refused.value.exit_code == 3
    assert "shop.toml" in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_files_load(path):
    company = load_company(path)
    assert company.name == path.stem
    assert company.info.title


def test_the_sample_is_shipped():
    assert "sample" in {path.stem for path in SHIPPED}


def test_a_small_file_is_enough(tmp_path):
    company = load(tmp_path, ABOUT + EVENTS)
    assert (company.info.time_zone, company.info.max_bad_share) == ("UTC", 0.0)
    assert company.target("churn").horizon_days == 90
    assert company.target("nps").horizon_days == 30
    assert company.path == tmp_path / "shop.toml"


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("calender = 1\n" + ABOUT + EVENTS, ["unknown key calender", "did you mean calendar"]),
        (ABOUT + 'timezone = "UTC"\n' + EVENTS, ["unknown key company.timezone", "time_zone"]),
        (ABOUT + EVENTS.replace("files =", "file ="), ["unknown key tables.events.file", "files"]),
        (ABOUT + EVENTS.replace("kind =", "kinds ="),
         ["unknown key tables.events.columns.kinds", "did you mean kind?",
          "tables.events.columns lacks kind, which is required"]),
        (ABOUT + EVENTS.replace("events", "evnets"), ["tables.evnets", "'events'"]),
        (ABOUT + EVENTS + '[calendar]\nevery = "month"\nwarmup = 9\n',
         ["unknown key calendar.warmup", "did you mean warmup_days"]),
        (ABOUT + EVENTS + "[calendar]\nxyz = 9\n", ["unknown key calendar.xyz; known: every, warmup"]),
        (ABOUT + EVENTS + "[targets.churn]\nhorizon = 9\n",
         ["unknown key targets.churn.horizon", "did you mean horizon_days"]),
        (ABOUT + EVENTS + '[[references]]\ntarget = "nps"\nmetric = "x"\nvalue = 1\nwhta = "y"\n',
         ["unknown key references.0.whta; did you mean what?", "references.0.what: Field required"]),
        (ABOUT + EVENTS + "[asking]\nrest = 9\n", ["unknown key asking.rest", "rest_days"]),
    ],
)  # fmt: skip
def test_unknown_keys_are_named_with_similar_ones(tmp_path, text, messages):
    message = refusal(tmp_path, text)
    for expected in messages:
        assert expected in message


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("", ["company: Field required"]),
        (ABOUT, ["tables: Field required"]),
        (ABOUT.replace("shop", "My Shop") + EVENTS, ["company.name", "got 'My Shop'"]),
        (ABOUT + 'max_bad_share = "some"\n' + EVENTS, ["company.max_bad_share", "got 'some'"]),
        (ABOUT + "max_bad_share = 1.5\n" + EVENTS, ["company.max_bad_share", "got 1.5"]),
        (ABOUT + 'currency = "euro"\n' + EVENTS, ["company.currency", "got 'euro'"]),
        (ABOUT + 'data_end = "soon"\n' + EVENTS, ["company.data_end", "got 'soon'"]),
        (ABOUT + EVENTS.replace('"who"', "5"), ["tables.events.columns.customer_id", "got 5"]),
        (ABOUT + EVENTS + '[calendar]\nevery = "day"\n', ["calendar.every", "'day' is not one of"]),
        (ABOUT + EVENTS + "[targets.churn]\nhorizon_days = 0\n",
         ["targets.churn.horizon_days", "got 0"]),
        (ABOUT + EVENTS + '[targets.churn]\ndefinition = "gone"\n',
         ["targets.churn.definition: 'gone' is not one of 'cancel' or 'silence'"]),
        (ABOUT + EVENTS + "[company]\n", ["not valid TOML"]),
    ],
)  # fmt: skip
def test_wrong_types_and_values(tmp_path, text, messages):
    message = refusal(tmp_path, text)
    for expected in messages:
        assert expected in message


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../UTC", "UTC\u0000", "Europe"])
def test_a_bad_time_zone(tmp_path, zone):
    about = ABOUT + f"time_zone = {zone!r}\n".replace("'", '"').replace("\\x00", "\\u0000")
    assert "is not a time zone; an example is 'Europe/London'" in refusal(tmp_path, about + EVENTS)


def test_every_problem_is_reported_at_once(tmp_path):
    surveys = '[tables.surveys]\nfiles = "s.csv"\n[tables.surveys.columns]\ncustomer_id = "who"\n'
    message = refusal(
        tmp_path, ABOUT + EVENTS.replace("moment", "m").replace("kind", "kin") + surveys
    )
    for column in ("sent_at", "answered_at", "instrument", "score", "scale_low", "scale_high"):
        assert f"tables.surveys.columns lacks {column}, which is required" in message
    assert "unknown key tables.events.columns.kin" in message


def test_a_company_needs_something_to_learn_from(tmp_path):
    message = refusal(
        tmp_path, ABOUT + CUSTOMERS + '[tables.customers.columns]\ncustomer_id = "who"\n'
    )
    assert "needs at least events or surveys" in message


@pytest.mark.parametrize(
    "where",
    [
        "", 'files = "a.csv"\nsources = { a = "a.csv" }\nquery = "from a"\n', "files = []\n",
        'sources = { a = [] }\nquery = "from a"\n',
    ],
)  # fmt: skip
def test_a_table_has_files_or_sources(tmp_path, where):
    message = refusal(tmp_path, ABOUT + EVENTS.replace('files = "events.csv"\n', where))
    assert "give either files or sources" in message


def test_several_sources_need_a_query(tmp_path):
    sources = 'sources = { a = "a.csv", b = "b.csv" }\n'
    message = refusal(tmp_path, ABOUT + EVENTS.replace('files = "events.csv"\n', sources))
    assert "named sources need a query" in message


def test_a_constant_must_be_a_mapped_column(tmp_path):
    columns = '[tables.customers.columns]\ncustomer_id = "who"\nregion = "region"\n'
    message = refusal(tmp_path, ABOUT + EVENTS + CUSTOMERS + 'constant = ["regoin"]\n' + columns)
    assert (
        "tables.customers.constant: regoin is not a mapped column; did you mean region" in message
    )


def test_a_missing_file_lists_the_existing_ones(tmp_path):
    load(tmp_path, ABOUT + EVENTS)
    with pytest.raises(ConfigRefused, match=r"no company file .*shpo.toml; .*: shop.toml"):
        load_company(tmp_path / "shpo.toml")
    with pytest.raises(ConfigRefused, match="in that folder: none"):
        load_company(tmp_path / "elsewhere" / "shop.toml")


def test_bytes_that_are_not_text(tmp_path):
    path = tmp_path / "shop.toml"
    path.write_bytes(b"\xff\xfe[company]")
    with pytest.raises(ConfigRefused, match=r"shop.toml is not valid TOML"):
        load_company(path)


def test_changing_attributes_need_valid_from(tmp_path):
    """Today's CRM state, shown in the past, would leak."""
    (tmp_path / "events.csv").write_text("who,moment\nA,2024-01-01\n")
    (tmp_path / "customers.csv").write_text("who,region,plan\nA,north,pro\n")
    columns = '[tables.customers.columns]\ncustomer_id = "who"\nregion = "region"\nplan = "plan"\n'
    company = load(tmp_path, ABOUT + EVENTS + CUSTOMERS + 'constant = ["region"]\n' + columns)
    with pytest.raises(ConfigRefused) as refused:
        import_history(company, Workspace(tmp_path), silent_steps())
    assert "customers has no valid_from, so plan would show today's state" in str(refused.value)
    assert "tables.customers.constant" in str(refused.value)
    both = load(tmp_path, ABOUT + EVENTS + CUSTOMERS + 'constant = ["region", "plan"]\n' + columns)
    assert import_history(both, Workspace(tmp_path), silent_steps()).schema.attributes == {
        "region": "text", "plan": "text",
    }  # fmt: skip


def test_placeholders_in_the_root(tmp_path, monkeypatch):
    workspace = Workspace(tmp_path / "home")

    def root(text: str) -> Path:
        return load(tmp_path, ABOUT + f'root = "{text}"\n' + EVENTS).root(workspace)

    assert root("{here}/raw") == tmp_path / "raw"
    assert root("/absolute") == Path("/absolute")
    monkeypatch.delenv("GOODWILL_REAL_DATA", raising=False)
    assert root("{real_data}/olist") == tmp_path / "shared/data/olist"
    monkeypatch.setenv("GOODWILL_REAL_DATA", str(tmp_path / "real"))
    assert root("{real_data}") == tmp_path / "real"
    import features

    assert root("{package:features}/data") == Path(features.__path__[0]) / "data"
    with pytest.raises(
        ConfigRefused, match="package no_such_data, which is not installed; install"
    ):
        root("{package:no_such_data}/x")


def test_times_without_a_zone_are_utc():
    noon = datetime(2024, 7, 1, 12, tzinfo=UTC)
    assert as_utc(datetime(2024, 7, 1, 12)) == noon  # noqa: DTZ001
    assert as_utc(datetime.fromisoformat("2024-07-01T14:00:00+02:00")) == noon
