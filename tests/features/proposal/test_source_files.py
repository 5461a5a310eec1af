"""Which files of a folder are one source."""

from pathlib import Path

from features.proposal.source_files import find_sources


def write(folder: Path, *names: str, text: str = "a,b\n1,2\n") -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_files_that_differ_in_numbers_are_one_source_with_a_pattern(tmp_path: Path) -> None:
    write(tmp_path, "orders_2023-01.csv", "orders_2023-02.csv", "orders_2024-01.csv", "people.csv")
    sources, unused = find_sources(tmp_path)
    assert {s.name: s.patterns for s in sources} == {
        "orders": ("orders_*.csv",),
        "people": ("people.csv",),
    }
    assert unused == []


def test_a_pattern_that_other_files_fit_is_not_used(tmp_path: Path) -> None:
    names = ("a_1.csv", "a_2.csv", "a_3.csv", "a_old.csv")
    write(tmp_path, *names)
    sources, _ = find_sources(tmp_path)
    assert {s.patterns for s in sources} == {names[:3], names[3:]}


def test_files_of_other_formats_and_folders_stay_apart(tmp_path: Path) -> None:
    write(tmp_path, "x/sales_1.csv", "y/sales_1.csv")
    write(tmp_path, "x/sales_2.csv", text="a;b\n1;2\n")
    sources, _ = find_sources(tmp_path)
    assert len(sources) == 3
    assert len({s.name for s in sources}) == 3


def test_hidden_files_are_passed_over_and_others_named(tmp_path: Path) -> None:
    write(tmp_path, ".hidden.csv", "a.csv", "b.pdf", "~lock.csv")
    write(tmp_path, "empty.csv", text="")
    sources, unused = find_sources(tmp_path)
    assert [s.name for s in sources] == ["a"]
    assert unused == ["b.pdf: not CSV, Excel, Parquet or JSON lines", "empty.csv: an empty file"]
