"""`python -m benchmarks [--before] [NAME ...]`: run the measurements and write their tables."""

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.before_column import add_before
from features.errors import GoodwillError
from features.settings import disable_telemetry

RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Run the named measurements (default: all) and write `results/<name>.md`.

    With `--before`, each table gets the values of the one that is stored in a column of its own.
    """
    disable_telemetry()
    from benchmarks import (
        actions,
        alerts,
        bootstrap_metrics,
        calibration,
        champion_swaps,
        evaluation,
        feature_engine,
        feature_scale,
        featuretools_peer,
        histograms,
        imports,
        init_scorer,
        large_files,
        league,
        load,
        million,
        nightly,
        nights_with_faults,
        one_customer,
        oracle,
        ordinary_nights,
        origins,
        reasons,
        serving,
        value_forms,
        who_answers,
        wide_tables,
    )

    known: dict[str, Callable[[], str]] = {
        "actions": actions.measure,
        "alerts": alerts.measure,
        "bootstrap_metrics": bootstrap_metrics.measure,
        "calibration": calibration.measure,
        "champion_swaps": champion_swaps.measure,
        "evaluation": evaluation.measure,
        "feature_engine": feature_engine.measure,
        "feature_scale": feature_scale.measure,
        "featuretools_peer": featuretools_peer.measure,
        "histograms": histograms.measure,
        "imports": imports.measure,
        "init": init_scorer.measure,
        "nightly": nightly.measure,
        "nights_with_faults": nights_with_faults.measure,
        "one_customer": one_customer.measure,
        "large_files": large_files.measure,
        "oracle": oracle.measure,
        "ordinary_nights": ordinary_nights.measure,
        "origins": origins.measure,
        "league": league.measure,
        "value_forms": value_forms.measure,
        "reasons": reasons.measure,
        "who_answers": who_answers.measure,
        "wide_tables": wide_tables.measure,
        "serving": serving.measure,
        "load": load.measure,
        "million": million.measure,
    }
    given = [name for name in sys.argv[1:] if name != "--before"]
    compare, wanted = "--before" in sys.argv[1:], given or list(known)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        sys.stderr.write(f"no measurement {unknown[0]!r}; known: {', '.join(known)}\n")
        return 2
    RESULTS.mkdir(exist_ok=True)
    for name in wanted:
        sys.stderr.write(f"measuring {name} ...\n")
        try:
            table = known[name]()
        except GoodwillError as err:
            sys.stderr.write(f"{name}: {err}\n")
            return err.exit_code
        path = RESULTS / f"{name}.md"
        if compare and path.is_file():
            table = add_before(table, path.read_text(encoding="utf-8"))
        path.write_text(table, encoding="utf-8")
        sys.stdout.write(f"{table}\nwrote benchmarks/results/{name}.md\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
