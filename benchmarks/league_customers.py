"""BG/NBD and Gamma-Gamma, the field's classic for customers without contracts, by `lifetimes`."""

import warnings
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from lifetimes import BetaGeoFitter, GammaGammaFitter

#: Days of a unit of time; the fit is better behaved in weeks.
WEEK = 7.0


def expected(
    history: Path, ids: list[str], cutoff: datetime, horizon_days: int, time_zone: str
) -> tuple[np.ndarray, np.ndarray]:
    """Of each customer, as of the cutoff: expected purchases, and money, over the horizon.

    Fitted on all customers who ordered before the cutoff; who never did gets 0. Days are those of the
    company's time zone.
    """
    known = _summary(history, cutoff, time_zone)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # overflows on the way to the optimum
        buys = BetaGeoFitter(penalizer_coef=0.001)
        buys.fit(known.frequency, known.recency, known["T"])
        count = buys.conditional_expected_number_of_purchases_up_to_time(
            horizon_days / WEEK, known.frequency, known.recency, known["T"]
        )
        again = known[(known.frequency > 0) & (known.mean_value > 0)]
        spends = GammaGammaFitter(penalizer_coef=0.01)
        spends.fit(again.frequency, again.mean_value)
        money = spends.conditional_expected_average_profit(
            known.frequency, known.mean_value.clip(lower=0.01)
        )
    found = pd.DataFrame({"count": count, "money": count * money}, index=known.index)
    found = found.reindex(ids).fillna(0.0)
    return found["count"].to_numpy(), found["money"].to_numpy()


def _summary(history: Path, cutoff: datetime, time_zone: str) -> pd.DataFrame:
    """Repeat days with an order, weeks to the last and to the cutoff, mean value of a day."""
    con = duckdb.connect()
    con.execute(f"SET TimeZone = '{time_zone}'")
    found = con.sql(f"""
        with days as (
            select customer_id, date_trunc('day', occurred_at) as bought, sum(amount) as amount
            from read_parquet('{history / "events.parquet"}')
            where kind = 'order' and greatest(occurred_at, known_at) < timestamptz '{cutoff.isoformat()}'
            group by all
        )
        select customer_id, count(*) - 1 as frequency,
               epoch(max(bought) - min(bought)) / 86400 / {WEEK} as recency,
               epoch(timestamptz '{cutoff.isoformat()}' - min(bought)) / 86400 / {WEEK} as "T",
               avg(amount) as mean_value
        from days group by 1
    """).df()
    con.close()
    return found.set_index("customer_id").astype(np.float64)
