"""`goodwill VERB` as a person or a scheduler runs it, without network access."""

import errno
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import pytest
from click.testing import CliRunner
from filelock import FileLock

from features.config.company import Company
from features.errors import EXIT_CODES, GateFailed
from features.formatting import Language
from features.settings import Workspace
from serve.cli import main
from support.offline import Offline
from support.trained_company import PROJECT, copy_of_trained


class Home:
    """A temporary project folder in which the command runs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "data").mkdir(parents=True)
        shutil.copy(PROJECT / "data/sample.toml", path / "data")
        self.offline = Offline(path / "offline")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command in this process, which has the libraries loaded."""
        out, err, code = io.StringIO(), io.StringIO(), 0
        environment = {"GOODWILL_HOME": str(self.path), "GOODWILL_THREADS": "1"}
        with (
            mock.patch.dict(os.environ, environment),
            mock.patch.object(sys, "argv", ["goodwill", *words]),
            chdir(self.path),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            os.environ.pop("GOODWILL_COMPANY", None)
            try:
                main.main()
            except SystemExit as ended:
                code = int(ended.code or 0)
        return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())

    def run_process(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command in a process of its own, without a network."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("GOODWILL_")}
        environment = {
            **inherited,
            "PYTHONPATH": self.offline.path(PROJECT / "src"),
            "GOODWILL_HOME": str(self.path),
            "GOODWILL_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        return subprocess.run(
            [sys.executable, "-W", "error::DeprecationWarning:serve", "-m", "serve.cli", *words],
            env=environment, cwd=self.path, capture_output=True, text=True, timeout=500,
        )  # fmt: skip

    def digests(self, folder: str) -> dict[str, str]:
        files = sorted((self.path / folder).rglob("*.*"))
        return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A project with the data of 700 customers; each test builds on the ones before."""
    made = Home(tmp_path_factory.mktemp("cli") / "home")
    done = made.run("data", "--customers", "700")
    assert done.returncode == 0, done.stderr
    assert "700 customers, data from 2024-07-01 to 2026-07-01, fingerprint" in done.stderr
    return made


@pytest.fixture(scope="module")
def retrained(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The company that was trained once for all tests, in a project folder of its own."""
    made = Home.__new__(Home)
    made.path = tmp_path_factory.mktemp("cli_trained") / "home"
    copy_of_trained(made.path)
    return made


def test_help_lists_the_verbs(home: Home) -> None:
    done = home.run_process("--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: goodwill ")
    for verb in main.cli.commands:
        assert f"\n  {verb} " in done.stdout
    shown = home.run("retrain", "-h").stdout
    assert all(f"{code}  {why[:40]}" in shown for code, why in EXIT_CODES.items())


def test_the_verbs_have_the_headings_of_make() -> None:
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    of_make = {
        target: heading
        for section in makefile.split("##@ ")[1:]
        for heading in [section.split("\n", 1)[0]]
        for target in re.findall(r"^([a-z-]+):.*## ", section, re.MULTILINE)
    }
    ours = {verb: heading for heading, verbs in main.SECTIONS.items() for verb in verbs}
    assert ours.keys() == main.cli.commands.keys()
    both = ours.keys() & of_make.keys()
    assert len(both) > 12
    assert {verb: ours[verb] for verb in both} == {verb: of_make[verb] for verb in both}
    assert [v for v in ours if v in both] == sorted(both, key=list(of_make).index)


@pytest.mark.parametrize(("old", "new"), [("court", "leakage"), ("population", "nonresponse")])
def test_an_old_verb_works_with_a_note(old: str, new: str) -> None:
    done = CliRunner().invoke(main.cli, [old, "--help"])
    assert done.exit_code == 0
    assert done.stderr == (
        f"goodwill: `{old}` is now `{new}`; the next release drops the old name\n"
    )
    assert (
        done.stdout.splitlines()[2:]
        == CliRunner().invoke(main.cli, [new, "--help"]).stdout.splitlines()[2:]
    )
    assert f"\n  {old} " not in CliRunner().invoke(main.cli, ["--help"]).stdout


def test_help_imports_no_heavy_library() -> None:
    code = "import serve.cli.main, sys; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"pandas", "duckdb", "pyarrow", "numpy", "mlflow", "lightgbm", "bentoml", "pydantic"}
    assert heavy.isdisjoint(loaded)


def test_quality_prints_findings_and_writes_the_page(home: Home) -> None:
    done = home.run("quality")
    assert (done.returncode, done.stdout) == (0, "")
    assert "sample: 0 errors" in done.stderr
    for name in ("data-quality.json", "data-quality.html"):
        assert f"wrote data/sample/{name}" in done.stderr
        assert (home.path / "data/sample" / name).stat().st_size > 5000


def test_quality_exits_with_3_and_writes_the_page_for_refused_tables(home: Home) -> None:
    toml = (home.path / "data/sample.toml").read_text()
    early = toml.replace('name = "sample"', 'name = "early"').replace("2026-07-01", "2025-07-01")
    (home.path / "data/early.toml").write_text(early)
    done = home.run("quality", "--company", str(home.path / "data/early.toml"))
    (home.path / "data/early.toml").unlink()
    assert (done.returncode, done.stdout) == (3, "")
    assert "DataRefused: an import would be refused:\n" in done.stderr
    assert "future dates, after 2025-07-01" in done.stderr
    assert (home.path / "data/early/data-quality.html").exists()
    assert not (home.path / "data/early/history").exists()


@pytest.mark.parametrize(
    ("words", "asked", "written"),
    [(["--lang", "zh"], "zh", "report.zh.html"), (["--lang", "en"], "en", "report.html"),
     ([], None, "report.html")],
)  # fmt: skip
def test_report_takes_a_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], asked: str, written: str
) -> None:
    wanted = []

    def write(company: Company, workspace: Workspace, _: object, language: Language) -> list[Path]:
        wanted.append(language)
        path = workspace.report(company.name, language or "en")
        path.write_text("the report", encoding="utf-8")
        return [path]

    monkeypatch.setattr("insight.business_report.business_report_page.write_report", write)
    home = Home(tmp_path / "home")
    done = home.run("report", *words)
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "",
        f"  wrote data/sample/{written}\n",
    )
    assert wanted == [asked]
    assert (home.path / "data/sample" / written).read_text("utf-8") == "the report"
    assert "'fr' is not one of 'en', 'zh'" in home.run("report", "--lang", "fr").stderr


def test_an_unknown_verb_or_option_exits_with_2(home: Home) -> None:
    for words in (["fly"], ["data", "--customer", "3"], ["data", "--customers", "many"]):
        done = home.run(*words)
        assert done.returncode == 2
        assert done.stdout == ""
        assert "Error: " in done.stderr


def test_an_unknown_company_exits_with_3_and_lists_the_known_ones(home: Home) -> None:
    done = home.run("score", "--company", str(home.path / "data/nobody.toml"))
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("goodwill: ConfigRefused: no company file ")
    assert done.stderr.endswith("TOML files in that folder: sample.toml\n")
    assert "Traceback" not in done.stderr


def test_an_invalid_setting_ends_in_a_message(home: Home) -> None:
    done = home.run("data", "--customers", "3")
    assert (done.returncode, done.stdout) == (3, "")
    assert "customers = 3: the sample company can have 100 to" in done.stderr


@pytest.mark.slow
def test_data_is_reproducible(home: Home, tmp_path: Path) -> None:
    again = Home(tmp_path / "again")
    done = again.run_process("data", "--customers", "700")
    assert done.returncode == 0, done.stderr
    for folder in ("data/sample/raw", "data/sample/truth"):
        assert home.digests(folder) == again.digests(folder)
        assert len(home.digests(folder)) >= 2

    def fingerprint(of: Home) -> str:
        text = (of.path / "data/sample/history/history.json").read_text()
        return str(json.loads(text)["fingerprint"])

    assert fingerprint(home) == fingerprint(again)


def test_a_held_lock_exits_with_5(home: Home) -> None:
    lock = home.path / "mlruns/locks/sample.lock"
    with FileLock(lock):
        done = home.run("features")
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith("goodwill: AlreadyRunning: another command for sample holds ")


def test_a_full_disk_exits_with_9(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/data/scores.parquet")

    monkeypatch.setattr(main.cli.commands["score"], "callback", fail)
    monkeypatch.setattr(sys, "argv", ["goodwill", "score"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 9
    assert capsys.readouterr().err == (
        "goodwill: EnvironmentFailed: /data/scores.parquet could not be read or written (No space left "
        "on device); make sure that the disk is neither full, read-only nor failing, then run the "
        "command again\n"
    )


def test_a_damaged_tracking_database_exits_with_9(retrained: Home) -> None:
    database = retrained.path / "mlruns/mlflow.db"
    content = database.read_bytes()
    database.write_bytes(content[: len(content) // 2])
    done = retrained.run("train")
    database.write_bytes(content)
    assert (done.returncode, done.stdout) == (9, "")
    assert f"EnvironmentFailed: the tracking database {database} is damaged; move it" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_failed_gate_exits_with_4(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise GateFailed("no model is fit to serve")

    monkeypatch.setattr(main.cli.commands["score"], "callback", fail)
    monkeypatch.setattr(sys, "argv", ["goodwill", "score"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 4
    assert capsys.readouterr() == ("", "goodwill: GateFailed: no model is fit to serve\n")


@pytest.fixture(scope="module")
def retrained_offline(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A project in which one process imported and another retrained, both without a network."""
    made = Home(tmp_path_factory.mktemp("cli_offline") / "home")
    for words in (("data", "--customers", "700"), ("retrain",)):
        done = made.run_process(*words)
        assert done.returncode == 0, done.stderr
        assert done.stdout == ""
    assert "churn promoted" in done.stderr
    return made


@pytest.mark.slow
def test_retrain_and_score_need_no_network(retrained_offline: Home) -> None:
    retrained = retrained_offline
    scores = retrained.path / "data/sample/scores/scores.parquet"
    first = scores.read_bytes()
    for _ in range(2):
        scores.unlink()
        done = retrained.run_process("score")
        assert done.returncode == 0, done.stderr
        assert "wrote data/sample/scores/scores.parquet" in done.stderr
        assert scores.read_bytes() == first
    assert retrained.offline.tried() == ""


def test_reasons_are_written_next_to_the_scores(retrained: Home) -> None:
    file = retrained.path / "data/sample/scores/reasons.parquet"
    done = retrained.run("reasons", "--top", "2")
    assert (done.returncode, done.stdout) == (0, "")
    assert "wrote data/sample/scores/reasons.parquet" in done.stderr
    assert file.stat().st_size > 1000
    assert "0 is not in the range 1<=x<=10" in retrained.run("reasons", "--top", "0").stderr


@pytest.mark.slow
def test_reasons_are_reproducible(retrained: Home) -> None:
    file = retrained.path / "data/sample/scores/reasons.parquet"
    assert retrained.run("reasons", "--top", "2").returncode == 0
    first = file.read_bytes()
    assert retrained.run("reasons", "--top", "2").returncode == 0
    assert file.read_bytes() == first


@pytest.mark.slow  # tests/models/nonresponse/test_nonresponse_results.py covers the files
def test_nonresponse_writes_estimates_and_next_invitations(retrained: Home) -> None:
    folder = retrained.path / "data/sample"
    first = [(folder / name).read_bytes() for name in ("nonresponse.json", "ask_next.csv")]
    done = retrained.run("nonresponse")
    assert (done.returncode, done.stdout) == (0, "")
    for name, before in zip(("nonresponse.json", "ask_next.csv"), first, strict=True):
        assert f"wrote data/sample/{name}" in done.stderr
        assert (folder / name).read_bytes() == before


@pytest.mark.slow
def test_retrain_leaves_nothing_outside_its_folders(retrained_offline: Home) -> None:
    retrained = retrained_offline
    assert {p.name for p in retrained.path.iterdir()} == {"data", "mlruns", "offline"}
    page = (retrained.path / "data/sample/models.html").read_text(encoding="utf-8")
    assert "Non-response-corrected satisfaction and NPS" in page
    made = {p.name for p in (retrained.path / "mlruns").iterdir()}
    assert made <= {
        "mlflow.db", "mlflow.lock", "artifacts", "serving", "versions", "logs", "locks",
    }  # fmt: skip
