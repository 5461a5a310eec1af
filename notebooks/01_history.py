# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 1 · The history: what the company knew, and when it knew it
#
# Everything Goodwill predicts comes out of four tables: **customers** (what the CRM says), **events**
# (orders, deliveries, payments, visits ...), **surveys** (questions, and the answers that came) and
# **tickets** (complaints and requests).
#
# Each row carries *two* times: when something happened, and when the company came to **know** it.
# For a report the first is enough. For a prediction the second decides: a model that is trained on
# what nobody could have known at the time will look brilliant, until it has to predict.

# %%
# %matplotlib inline
import os

import numpy as np
import pandas as pd
from bars import along_time, bars, dots, heading, tiles
from IPython.display import display
from start import begin, open_tables

from features.contract import TABLES
from features.history_store import Manifest
from models.evaluation.calibration_error import wilson_interval
from models.plots.style import (
    ACTUAL,
    CASE,
    MODEL,
    QUIET,
    RULE,
    canvas,
    legend,
    percent,
)

COMPANY = os.environ.get("GOODWILL_COMPANY", "data/sample.toml")

workspace, company = begin(COMPANY, upto="data")
manifest = Manifest.read(workspace, company.name)
sql = open_tables(workspace, company)
end = pd.Timestamp(manifest.end).tz_localize(None)
title = company.info.title or company.name
print(f"{title}: {manifest.customers:,} customers, {manifest.start:%Y-%m-%d} to {end:%Y-%m-%d}")

# %% [markdown]
# ## The mapping
#
# No two companies name their columns alike. A TOML file maps a company's tables onto the contract,
# one SQL expression a column; a new company needs a new file and no code. These are the events:

# %%
pd.DataFrame(
    company.tables.get("events", next(iter(company.tables.values()))).columns.items(),
    columns=["contract column", "expression over the company's own table"],
).set_index("contract column")

# %% [markdown]
# ## The four tables
#
# The clock is the time axis of a table: windows such as "the last 90 days" look along it.
# `goodwill data` checks every row; what breaks a rule is put aside in `quarantine/`, and counted.

# %%
overview = []
for name, rows in manifest.rows.items():
    clock = TABLES[name].clock
    who, first, last = sql.sql(
        f"select count(distinct customer_id), min({clock}), max({clock}) from {name}"
    ).fetchall()[0]
    quarantined = sum(manifest.quarantined.get(name, {}).values())
    overview.append((name, clock, rows, who, first, last, quarantined))
pd.DataFrame(
    overview,
    columns=["table", "clock", "rows", "customers", "first", "last", "quarantined"],
).set_index("table")

# %% [markdown]
# ## Who is there
#
# Before asking who will leave, ask who *can*. Where there are contracts, the **population** of churn
# is the customers with an open one: somebody who left last year cannot leave again, and a model that
# gets credit for "predicting" it has learnt nothing. Without contracts the population is whoever
# ordered recently.

# %%
monthly = sql.sql("""
    select date_trunc('month', occurred_at) as month,
           count(*) filter (kind = 'contract') as signed,
           count(*) filter (kind = 'cancel') as cancelled,
           count(distinct customer_id) filter (kind = 'order') as ordering
    from events group by 1 order by 1
""").df()
has_contracts = monthly["signed"].sum() > 0
there = (
    (monthly["signed"] - monthly["cancelled"]).cumsum() if has_contracts else monthly["ordering"]
)
what = "customers with an open contract" if has_contracts else "customers who ordered"
figure, (left, right) = canvas(
    f"From {there.iloc[0]:,.0f} to {there.iloc[-1]:,.0f} {what}",
    "By month; the contracts that were there at the start count from the first month",
    (1, 1),
)
left.fill_between(monthly["month"], there, color=MODEL, alpha=0.2, step="mid")
left.step(monthly["month"], there, color=MODEL, lw=2, where="mid")
left.set(ylim=(0, there.max() * 1.1), ylabel=what)
later = monthly.iloc[1:]
right.bar(later["month"], later["signed"], 22, color=ACTUAL, label="signed")
right.bar(later["month"], -later["cancelled"], 22, color=CASE, label="cancelled")
right.axhline(0, color=QUIET, lw=1)
right.set(ylabel="contracts a month", ylim=(None, 1.35 * max(1, later["signed"].max())))
heading(left, "Who is there")
heading(right, "Who comes, who goes")
legend(right, "upper right")
along_time(left)
along_time(right)
figure

# %% [markdown]
# ## What the CRM knew, and when
#
# A customer's record changes: another plan, another account owner, another credit limit. The table
# holds every **version** with the moment it became valid, so that a prediction as of last year sees
# last year's record. An "as of today" export cannot do that: the customer who was moved to the
# cheapest plan *because* he was about to leave would carry that plan in all his past.

# %%
attributes = [a for a in manifest.schema.attributes if a in manifest.schema.tables["customers"]]
latest = end - pd.Timedelta(days=1)
year_ago = end - pd.Timedelta(days=365)


def as_of(moment: pd.Timestamp) -> pd.DataFrame:
    """Each customer's record as the CRM had it at a moment."""
    return sql.execute(
        "select distinct on (customer_id) * from customers where valid_from is null or "
        "valid_from < ? order by customer_id, valid_from desc",
        [moment],
    ).df().set_index("customer_id")[attributes]  # fmt: skip


before = as_of(year_ago)
today = as_of(latest).loc[before.index]
moved = ((before != today) & ~(before.isna() & today.isna())).mean().sort_values(ascending=False)
versions = sql.sql("select count(*) as versions from customers group by customer_id").df()

figure, (left, right) = canvas(
    f"Within a year, {moved.iloc[0]:.0%} of the customers got another "
    f"{moved.index[0].replace('_', ' ')}",
    "What an export of today would have told a model about a year ago, wrongly",
    (1, 1.25),
)
heading(left, "Versions of a customer's record")
counts = versions["versions"].clip(upper=8).value_counts(normalize=True).sort_index()
left.bar(counts.index, counts, color=MODEL, width=0.75)
left.set_xticks(counts.index, [f"{v}" if v < 8 else "8+" for v in counts.index])
left.set(ylabel="share of customers", xlabel="versions")
percent(left, "y")
heading(right, "Other value today than a year ago")
bars(right, [a.replace("_", " ") for a in moved.index], list(moved), "{:.0%}")
percent(right, "x")
figure

# %% [markdown]
# One customer's versions, oldest first. Only what changed is shown again:

# %%
busiest = sql.sql(
    "select customer_id from customers group by 1 order by count(*) desc, 1 limit 1"
).fetchall()[0][0]
record = sql.execute(
    "select * from customers where customer_id = ? order by valid_from", [busiest]
).df().set_index("valid_from")[attributes]  # fmt: skip
record.astype(object).where(record.ne(record.shift()), "").head(12)

# %% [markdown]
# ## What happens
#
# Events by kind and week. Look for three things: a **season** (here orders peak before the end of the
# year), a **break** (a kind that starts or stops, because a system was replaced), and the **edge**: the
# last weeks of a kind that is booked late always look too low.

# %%
weekly = sql.sql("""
    select kind, date_trunc('week', occurred_at) as week, count(*) as n
    from events group by all order by all
""").df()
weekly = weekly[weekly["week"] < weekly["week"].max()]
kinds = weekly.groupby("kind")["n"].sum().sort_values(ascending=False).index[:9]
orders = weekly[weekly["kind"] == "order"].set_index("week")["n"].rolling(8).mean()
peak = orders.loc[orders.index > orders.index[0] + pd.Timedelta(days=300)].idxmax()
figure, axes = tiles(
    f"{manifest.rows['events']:,} events; orders are at their highest around {peak:%B %Y}",
    "Records a week by kind; the line is the mean of eight weeks",
    len(kinds),
)
for axis, kind in zip(axes, kinds, strict=True):
    part = weekly[weekly["kind"] == kind].set_index("week")["n"]
    axis.bar(part.index, part, 6, color=MODEL, alpha=0.3)
    axis.plot(part.rolling(8, center=True, min_periods=4).mean(), color=MODEL, lw=2)
    axis.set_ylim(0, part.quantile(0.95) * 1.35)
    along_time(axis)
    heading(axis, kind)
figure

# %% [markdown]
# ## What was known late
#
# An event has `occurred_at` and `known_at`. A field representative books Friday's visit on Monday; a
# return is entered when the warehouse has looked at it. At a **cutoff** (the instant a prediction is
# made) a row counts only if it happened *and* was known before.
#
# The picture asks: of what happened so many days before a cutoff, how much is in the tables? Whoever
# trains on the finished tables trains on the dashed line, and predicts on the others.

# %%
late = sql.sql("""
    select kind, count(*) as n, avg((known_at > occurred_at)::int) as late,
           list(date_diff('hour', occurred_at, known_at) / 24.0) filter (known_at > occurred_at) as days
    from events group by kind having count(*) > 20 order by late desc
""").df()
slow = late[late["late"] > 0].head(5)
ages = np.linspace(0, 7, 60)
title = "Every event was known at once"
if len(slow):
    title = f"One {slow['kind'].iloc[0]} in {1 / slow['late'].iloc[0]:.0f} is known late"
figure, (left, right) = canvas(
    title, "Late: known after it happened; an hour to several days", (1.2, 1)
)
for (_, row), colour in zip(slow.iterrows(), (CASE, RULE, ACTUAL, MODEL, QUIET), strict=False):
    known = [1 - row["late"] * np.mean(np.asarray(row["days"]) >= age) for age in ages]
    left.plot(ages, known, lw=2.2, color=colour, label=row["kind"])
left.axhline(1, color=QUIET, ls=(0, (4, 3)), lw=1, label="in the finished tables")
left.set(xlabel="days before the cutoff", ylabel="share already known")
left.invert_xaxis()
percent(left, "y")
heading(left, "What the company knows of the last week")
legend(left, "lower left")
shown = late.head(8)
bars(right, list(shown["kind"]), list(shown["late"]), "{:.0%}")
percent(right, "x")
heading(right, "Share of records known late")
figure

# %% [markdown]
# ## Who answers, and what they say
#
# A survey row is a *question*; most get no answer. The score of a question sent before the cutoff and
# answered after it is hidden at the cutoff, like everything that becomes known later.
#
# Answers are not a fair sample. The last panel sorts the questions by what the same customer had said
# the time before: if contented customers answer more often, the average of those who answered
# flatters the company. A model that predicts satisfaction for *everybody* is worth having just
# because most do not answer.

# %%
has_surveys = manifest.rows.get("surveys", 0) > 0
if has_surveys:
    asked = sql.sql("""
        select instrument, date_trunc('month', sent_at) as month, count(*) as n,
               avg((answered_at is not null)::int) as answered
        from surveys where sent_at < (select max(sent_at) from surveys) - interval 28 day
        group by all having count(*) >= 30 order by all
    """).df()
    scores = sql.sql("""
        select instrument, (score - scale_low) / (scale_high - scale_low) as score, count(*) as n,
               max(scale_high) as high from surveys
        where score is not null and coalesce(dimension, 'overall') = 'overall'
        group by all order by all
    """).df()
    again = sql.sql("""
        with asked as (
            select answered_at is not null as answered,
                   last_value((score - scale_low) / (scale_high - scale_low) ignore nulls) over (
                       partition by customer_id, instrument order by sent_at
                       rows between unbounded preceding and 1 preceding) as before
            from surveys where coalesce(dimension, 'overall') = 'overall'
        )
        select least(floor(before * 4), 3)::int as quarter, count(*) as n, avg(answered::int) as answered
        from asked where before is not null group by 1 order by 1
    """).df()

# %%
if has_surveys:
    rate = np.average(asked["answered"], weights=asked["n"])
    more = again["answered"].iloc[-1] - again["answered"].iloc[0]
    figure, axes = tiles(
        f"{rate:.0%} of the questions are answered; the contented answer "
        f"{abs(more) * 100:.0f} points {'more' if more > 0 else 'less'}",
        "Whiskers: 95 % intervals of the share (Wilson)", 3, height=3.6,
    )  # fmt: skip
    for (name, part), colour in zip(
        asked.groupby("instrument"), (MODEL, RULE, ACTUAL), strict=False
    ):
        axes[0].plot(part["month"], part["answered"], color=colour, lw=2, label=name.upper())
    axes[0].set(ylim=(0, max(asked["answered"]) * 1.35))
    along_time(axes[0])
    percent(axes[0], "y")
    heading(axes[0], "Answered, by month sent")
    legend(axes[0], "upper right")
    for (name, part), colour in zip(
        scores.groupby("instrument"), (MODEL, RULE, ACTUAL), strict=False
    ):
        axes[1].plot(part["score"], part["n"] / part["n"].sum(), "o-", color=colour,
                     lw=2, ms=5, label=f"{name.upper()}, of {part['high'].iloc[0]:.0f}")  # fmt: skip
    axes[1].set(ylim=(0, None), xlabel="answer, from the lowest to the highest")
    percent(axes[1], "xy")
    heading(axes[1], "What they say")
    legend(axes[1], "upper left")
    low, high = wilson_interval(again["answered"].to_numpy(), again["n"].to_numpy())
    named = ["lowest quarter", "below middle", "above middle", "highest quarter"]
    triples = list(zip(again["answered"], low, high, strict=True))
    dots(axes[2], [named[q] for q in again["quarter"]], triples)
    percent(axes[2], "x")
    heading(axes[2], "Answered, by the answer before")
    display(figure)
else:
    print("this company has no surveys")

# %% [markdown]
# ## How complaints were handled
#
# A ticket is opened, replied to and closed, at three different times. On the day it is opened nobody
# knows how long it will take: `closed_at`, and whether it was reopened, are hidden until the moment
# they happen. A ticket that is still open is no "fast" one either; it is simply not closed *yet*.

# %%
has_tickets = manifest.rows.get("tickets", 0) > 0
if has_tickets:
    tickets = sql.sql("""
        select kind, date_diff('minute', opened_at, first_reply_at) / 60 as reply,
               date_diff('minute', opened_at, closed_at) / 60 as closed, opened_at, closed_at
        from tickets
    """).df()
    open_now = tickets["closed_at"].isna().sum()
    slow_reply = (tickets["reply"] > 48).mean()
    figure, (left, right) = canvas(
        f"{slow_reply:.0%} wait more than two days for a first reply",
        f"{len(tickets):,} tickets, {open_now:,} of them open at the end of the data", (1.2, 1),
    )  # fmt: skip
    for column, colour, label in (("reply", MODEL, "first reply"), ("closed", RULE, "closed")):
        hours = np.sort(tickets[column].fillna(np.inf).to_numpy())
        left.step(
            hours, np.arange(1, len(hours) + 1) / len(hours), color=colour, lw=2.2, label=label
        )
    left.set_xscale("log")
    left.set_xticks([1, 6, 24, 48, 168, 720], ["1 h", "6 h", "1 day", "2", "1 week", "30 days"])
    left.minorticks_off()
    left.set(xlim=(0.5, 1500), ylim=(0, 1.02), ylabel="share of tickets")
    left.axvline(48, color=QUIET, lw=1, ls=(0, (4, 3)))
    percent(left, "y")
    heading(left, "Time since the ticket was opened")
    legend(left, "upper left")
    by_month = tickets.groupby([tickets["opened_at"].dt.to_period("M"), "kind"]).size().unstack()
    for kind, colour in zip(by_month.columns[:4], (CASE, MODEL, ACTUAL, RULE), strict=False):
        months = by_month.index.to_timestamp()
        right.plot(months, by_month[kind], "o-", ms=4, color=colour, lw=2, label=kind)
    right.set(ylim=(0, by_month.max().max() * 1.25), ylabel="tickets a month")
    along_time(right)
    heading(right, "Opened")
    legend(right, "upper right")
    display(figure)
else:
    print("this company has no tickets")

# %% [markdown]
# ## What to remember
#
# - Two times a row: when it happened, when it was known. Only the second one may feed a prediction.
# - The CRM is a film, not a photograph: keep the versions.
# - Silence is data: who was asked and did not answer is not the same as who was never asked.
#
# Next, [02_features](02_features.ipynb) turns this history into columns, as of any instant.
