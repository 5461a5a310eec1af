"""The sample company replayed night by night: no false refusals, and every planted loss is refused."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]


@pytest.mark.slow
def test_ordinary_nights_are_imported_and_planted_losses_refused(
    tmp_path, make_company, monkeypatch
):
    monkeypatch.syspath_prepend(str(PROJECT))
    from benchmarks.ordinary_nights import planted_losses, replay_nights

    company, workspace = make_company(tmp_path, 1500)
    nights = list(replay_nights(workspace.history(company.name), company))
    refused = [night for night in nights if night.losses()]
    assert len(nights) > 700
    assert len(refused) <= 1, [str(night.losses()[0]) for night in refused]
    missed = []
    for night in nights[-100::20]:
        for what, tables in planted_losses(night, tuple(night.now)):
            name = what.split(":")[0]
            single_day = "yesterday" in what and name != "events"  # too few rows a day to be sure
            if not single_day and not any(x.table == name for x in night.losses(tables)):
                missed.append((night.day, what))
    assert not missed
