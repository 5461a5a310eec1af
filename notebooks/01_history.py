# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 1 · History: what the company knew, and when
#
# All predictions are made from four tables: **customers** (CRM records), **events** (orders,
# deliveries, payments, visits and so on), **surveys** (invitations and their answers) and
# **tickets** (complaints and requests).
#
# Each row carries *two* times: when something happened, and when the company **knew** about it. A
# report needs only the first. A prediction needs the second: a model trained on information that
# was not yet known at the time looks excellent in evaluation and fails in use.

# %%
# %matplotlib inline
import os

import numpy as np
import pandas as pd
from bars import along_time, bars, dots, heading, tiles
from figures import show
from readable_tables import headed
from start import open_company, open_tables

from features.calendar_periods import bucket_sql
from features.contract import TABLES
from features.history_store import Manifest
from models.evaluation.calibration_error import wilson_interval
from models.plots.style import (
    ACTUAL,
    INK,
    MODEL,
    QUIET,
    RULE,
    canvas,
    legend,
    percent,
)

COMPANY = os.environ.get("GOODWILL_COMPANY", "data/sample.toml")

workspace, company = open_company(COMPANY, upto="data")
zone = company.info.time_zone
manifest = Manifest.read(workspace, company.name)
sql = open_tables(workspace, company)
end = pd.Timestamp(manifest.end).tz_localize(None)
title = company.info.title or company.name
print(f"{title}: {manifest.customers:,} customers, {manifest.start:%Y-%m-%d} to {end:%Y-%m-%d}")

# %% [markdown]
# ## The mapping
#
# Companies name their columns differently. A TOML file maps a company's tables onto the data
# contract, one SQL expression per column. A new company needs a new file and no code. This is the
# mapping of the events:

# %%
pd.DataFrame(
    company.tables.get("events", next(iter(company.tables.values()))).columns.items(),
    columns=["contract column", "SQL expression over the company's table"],
).set_index("contract column")

# %% [markdown]
# ## The four tables
#
# The *clock* is the column that orders a table in time; windows such as "the last 90 days" use it.
# `goodwill data` checks each row. Rows that break a rule are moved to `quarantine/` and counted.

# %%
overview = []
for name, rows in manifest.rows.items():
    clock = TABLES[name].clock
    who, first, last = sql.sql(
        f"select count(distinct customer_id), min({clock}), max({clock}) from {name}"
    ).fetchall()[0]
    quarantined = sum(manifest.quarantined.get(name, {}).values())
    period = f"{first:%d %B %Y} to {last:%d %B %Y}"
    overview.append((name, clock, period, rows, who, quarantined))
pd.DataFrame(
    overview,
    columns=["table", "clock", "period", "rows", "customers", "rows in quarantine"],
).set_index("table")

# %% [markdown]
# ## Customers at risk of churn
#
# Only an active customer can churn. Where customers have contracts, the **population** of the churn
# model is the customers with an open contract: a customer who left last year cannot leave again,
# and predicting that they will not is no achievement. Without contracts, the population is the
# customers with a recent order.

# %%
monthly = sql.sql(f"""
    select {bucket_sql("month", "occurred_at::timestamptz", zone)} as month,
           count(*) filter (kind = 'contract') as signed,
           count(*) filter (kind = 'cancel') as cancelled,
           count(distinct customer_id) filter (kind = 'order') as ordering
    from events group by 1 order by 1
""").df()
has_contracts = monthly["signed"].sum() > 0
population = (
    (monthly["signed"] - monthly["cancelled"]).cumsum() if has_contracts else monthly["ordering"]
)
what = "customers with an open contract" if has_contracts else "customers who ordered"
figure, (left, right) = canvas(
    f"From {population.iloc[0]:,.0f} to {population.iloc[-1]:,.0f} {what}",
    "By month; contracts that were open at the start of the data count from the first month",
    (1, 1),
)
left.fill_between(monthly["month"], population, color=MODEL, alpha=0.2, step="mid")
left.step(monthly["month"], population, color=MODEL, lw=2, where="mid")
left.set(ylim=(0, population.max() * 1.1), ylabel=what)
later = monthly.iloc[1:]
right.bar(later["month"], later["signed"], 22, color=MODEL, label="signed (up)")
right.bar(later["month"], -later["cancelled"], 22, color=RULE, label="cancelled (down)")
right.axhline(0, color=QUIET, lw=1)
right.set(ylabel="contracts per month", ylim=(None, 1.6 * max(1, later["signed"].max())))
heading(left, "Population")
heading(right, "Contracts signed and cancelled")
legend(right, "upper right")
along_time(left)
along_time(right)
show(
    figure,
    f"Left: step line of the {what}, by month. Right: bars by month, contracts signed upwards and "
    "cancelled downwards",
)

# %% [markdown]
# ## CRM records over time
#
# A customer's record changes: a new plan, another account owner, a different credit limit. The
# table keeps each **version** with the time from which it is valid, so that a prediction as of last
# year uses last year's record. An export of the current state cannot do that: a customer who was
# moved to the cheapest plan *because* they were about to leave would have that plan in all of their
# past.

# %%
attributes = [a for a in manifest.schema.attributes if a in manifest.schema.tables["customers"]]
latest = end - pd.Timedelta(days=1)
year_ago = end - pd.Timedelta(days=365)


def as_of(moment: pd.Timestamp) -> pd.DataFrame:
    """Each customer's CRM record as of a time."""
    return sql.execute(
        "select distinct on (customer_id) * from customers where valid_from is null or "
        "valid_from < ? order by customer_id, valid_from desc",
        [moment],
    ).df().set_index("customer_id")[attributes]  # fmt: skip


before = as_of(year_ago)
today = as_of(latest).loc[before.index]
changed = ((before != today) & ~(before.isna() & today.isna())).mean().sort_values(ascending=False)
versions = sql.sql("select count(*) as versions from customers group by customer_id").df()

figure, (left, right) = canvas(
    f"Within a year, the {changed.index[0].replace('_', ' ')} of "
    f"{changed.iloc[0]:.0%} of the customers changed",
    "With today's values, a model would see wrong values for a cutoff a year ago",
    (1, 1.25),
)
heading(left, "Versions of a customer's record")
counts = versions["versions"].clip(upper=8).value_counts(normalize=True).sort_index()
left.bar(counts.index, counts, color=MODEL, width=0.75)
left.set_xticks(counts.index, [f"{v}" if v < 8 else "8+" for v in counts.index])
left.set(ylabel="share of customers", xlabel="versions of the record")
percent(left, "y")
heading(right, "Share of customers with a changed value")
names = [a.replace("_", " ") for a in changed.index]
bars(right, names, list(changed), "share of customers, within a year", "{:.0%}")
percent(right, "x")
show(
    figure,
    "Left: bars, share of customers by the number of versions of their record. Right: bars, share of "
    "customers whose value changed within a year, by attribute",
)

# %% [markdown]
# The versions of one customer's record, oldest first. Only changed values are shown:

# %%
busiest = sql.sql(
    "select customer_id from customers group by 1 order by count(*) desc, 1 limit 1"
).fetchall()[0][0]
record = sql.execute(
    "select * from customers where customer_id = ? order by valid_from", [busiest]
).df().set_index("valid_from")[attributes]  # fmt: skip
record.index = record.index.strftime("%d %B %Y")
changes = record.astype(object).where(record.ne(record.shift()), "").head(12)
headed(changes, {a: a.replace("_", " ") for a in attributes}, "valid from")

# %% [markdown]
# ## Events
#
# Events by kind and week. Look for three patterns: **seasonality** (here, orders peak before the
# end of the year), **breaks** (a kind that starts or stops because a system was replaced), and the
# **edge** of the data: the last weeks of a kind that is recorded late always look too low.

# %%
weekly = sql.sql(f"""
    select kind, {bucket_sql("week", "occurred_at::timestamptz", zone)} as week, count(*) as n
    from events group by all order by all
""").df()
weekly = weekly[weekly["week"] < weekly["week"].max()]
kinds = weekly.groupby("kind")["n"].sum().sort_values(ascending=False).index[:9]
orders = weekly[weekly["kind"] == "order"].set_index("week")["n"].rolling(8).mean()
peak = orders.loc[orders.index > orders.index[0] + pd.Timedelta(days=300)].idxmax()
figure, axes = tiles(
    f"{manifest.rows['events']:,} events; orders peak around {peak:%B %Y}",
    "Events per week by kind; line: mean over eight weeks",
    len(kinds),
)
for axis, kind in zip(axes, kinds, strict=True):
    part = weekly[weekly["kind"] == kind].set_index("week")["n"]
    axis.bar(part.index, part, 6, color=MODEL, alpha=0.3)
    axis.plot(part.rolling(8, center=True, min_periods=4).mean(), color=MODEL, lw=2)
    axis.set_ylim(0, part.quantile(0.95) * 1.35)
    axis.set_ylabel("per week")
    along_time(axis)
    heading(axis, kind)
show(
    figure,
    f"One panel for each kind of event ({', '.join(kinds)}): bars of the events per week, and a line of "
    "their mean over eight weeks",
)

# %% [markdown]
# ## Delayed records
#
# An event has `occurred_at` and `known_at`. A sales representative records Friday's visit on
# Monday; a return is recorded after the warehouse has inspected it. At a **cutoff** (the time at
# which a prediction is made), a row counts only if it happened *and* was known before the cutoff.
#
# The plot shows how much of what happened a given number of days before a cutoff was known at the
# cutoff. A model trained on the complete tables sees the thin line at 100%; in use, it gets the
# others.

# %%
late = sql.sql("""
    select kind, count(*) as n, avg((known_at > occurred_at)::int) as late,
           list(date_diff('hour', occurred_at, known_at) / 24.0) filter (known_at > occurred_at) as days
    from events group by kind having count(*) > 20 order by late desc
""").df()
delayed = late[late["late"] > 0].head(5)
ages = np.linspace(0, 7, 60)
title = "All events were known immediately"
if len(delayed):
    latest_kind = delayed.iloc[0]
    title = f"{latest_kind['late']:.0%} of the events of kind {latest_kind['kind']} are known late"
figure, (left, right) = canvas(
    title, "Late: known an hour to several days after it happened", (1.2, 1)
)
styles = zip((MODEL, RULE, ACTUAL, INK, QUIET), ("-", "--", "-.", ":", "-"), strict=True)
for (_, row), (colour, line) in zip(delayed.iterrows(), styles, strict=False):
    known = [1 - row["late"] * np.mean(np.asarray(row["days"]) >= age) for age in ages]
    left.plot(ages, known, line, lw=2.2, color=colour, label=row["kind"])
left.axhline(1, color=QUIET, lw=1, label="in the complete tables")
left.set(xlabel="days before the cutoff", ylabel="share known at the cutoff")
left.invert_xaxis()
percent(left, "y")
heading(left, "Known events of the last week")
legend(left, "lower left")
shown = late.head(8)
bars(right, list(shown["kind"]), list(shown["late"]), "share of the events", "{:.0%}")
percent(right, "x")
heading(right, "Share of events known late")
show(
    figure,
    "Left: one line for each kind of event, share known at the cutoff by days before the cutoff, "
    "from seven to none. Right: bars, share of the events known late, by kind",
)

# %% [markdown]
# ## Survey response
#
# A survey row is an *invitation*; most are not answered. The answer to an invitation that was sent
# before the cutoff and answered after it is hidden at the cutoff, like everything that becomes
# known later.
#
# Respondents are not a representative sample. The last panel groups invitations by the customer's
# previous answer: if satisfied customers respond more often, the mean of the answers is too high.
# This is why predicting satisfaction for *all* customers, including those who do not respond, is
# useful.

# %%
has_surveys = manifest.rows.get("surveys", 0) > 0
if has_surveys:
    invitations = sql.sql(f"""
        select instrument, {bucket_sql("month", "sent_at::timestamptz", zone)} as month, count(*) as n,
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
    repeated = sql.sql("""
        with invitations as (
            select answered_at is not null as answered,
                   last_value((score - scale_low) / (scale_high - scale_low) ignore nulls) over (
                       partition by customer_id, instrument order by sent_at
                       rows between unbounded preceding and 1 preceding) as before
            from surveys where coalesce(dimension, 'overall') = 'overall'
        )
        select least(floor(before * 4), 3)::int as quarter, count(*) as n, avg(answered::int) as answered
        from invitations where before is not null group by 1 order by 1
    """).df()

# %%
if has_surveys:
    rate = np.average(invitations["answered"], weights=invitations["n"])
    difference = repeated["answered"].iloc[-1] - repeated["answered"].iloc[0]
    figure, axes = tiles(
        f"{rate:.0%} of the invitations are answered; satisfied customers answer "
        f"{abs(difference) * 100:.0f} points {'more' if difference > 0 else 'less'} often",
        "Whiskers: 95% intervals of the share (Wilson)", 3, height=3.6,
    )  # fmt: skip
    for (name, part), colour in zip(
        invitations.groupby("instrument"), (MODEL, RULE, ACTUAL), strict=False
    ):
        line = "-" if colour == MODEL else "--"
        axes[0].plot(part["month"], part["answered"], line, color=colour, lw=2, label=name.upper())
    axes[0].set(ylim=(0, max(invitations["answered"]) * 1.35), ylabel="response rate")
    along_time(axes[0])
    percent(axes[0], "y")
    heading(axes[0], "Response rate by month")
    legend(axes[0], "upper right")
    for (name, part), colour in zip(
        scores.groupby("instrument"), (MODEL, RULE, ACTUAL), strict=False
    ):
        axes[1].plot(part["score"], part["n"] / part["n"].sum(), "o-", color=colour,
                     lw=2, ms=5, label=f"{name.upper()}, of {part['high'].iloc[0]:.0f}")  # fmt: skip
    axes[1].set(ylim=(0, None), xlabel="answer, lowest to highest", ylabel="share of the answers")
    percent(axes[1], "xy")
    heading(axes[1], "Answers")
    legend(axes[1], "upper left")
    low, high = wilson_interval(repeated["answered"].to_numpy(), repeated["n"].to_numpy())
    quarters = ["lowest quarter", "second", "third", "highest quarter"]
    triples = list(zip(repeated["answered"], low, high, strict=True))
    dots(axes[2], [quarters[q] for q in repeated["quarter"]], triples, "response rate")
    percent(axes[2], "x")
    heading(axes[2], "By previous answer")
    show(
        figure,
        "Left: lines, response rate by month for each instrument. Middle: lines, share of the answers "
        "from the lowest to the highest. Right: response rate with 95% intervals by quarter of the "
        "scale of the previous answer",
    )
else:
    print("This company has no surveys.")

# %% [markdown]
# ## Complaint handling
#
# A ticket is opened, replied to and closed at three different times. When it is opened, nobody
# knows how long it will take: `closed_at`, and whether it was reopened, stay hidden until they
# happen. An open ticket is not a fast one; it is not closed *yet*.

# %%
has_tickets = manifest.rows.get("tickets", 0) > 0
if has_tickets:
    tickets = sql.sql("""
        select kind, date_diff('minute', opened_at, first_reply_at) / 60 as reply,
               date_diff('minute', opened_at, closed_at) / 60 as closed, opened_at, closed_at
        from tickets
    """).df()
    open_now = tickets["closed_at"].isna().sum()
    slow_share = (tickets["reply"] > 48).mean()
    figure, (left, right) = canvas(
        f"{slow_share:.0%} of the tickets wait more than two days for a first reply",
        f"{len(tickets):,} tickets, {open_now:,} of them open at the end of the data", (1.2, 1),
    )  # fmt: skip
    for column, colour, label in (("reply", MODEL, "first reply"), ("closed", RULE, "closed")):
        hours = np.sort(tickets[column].fillna(np.inf).to_numpy())
        left.step(
            hours, np.arange(1, len(hours) + 1) / len(hours), color=colour, lw=2.2, label=label
        )
    left.set_xscale("log")
    left.set_xticks([1, 6, 24, 168, 720], ["1 hour", "6 hours", "1 day", "1 week", "30 days"])
    left.minorticks_off()
    left.set(xlim=(0.5, 1500), ylim=(0, 1.02), ylabel="share of tickets")
    left.set_xlabel("time since the ticket was opened")
    left.axvline(48, color=QUIET, lw=1, ls=(0, (4, 3)), label="two days")
    percent(left, "y")
    heading(left, "Replied to and closed")
    legend(left, "upper left")
    opened = tickets["opened_at"].dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)
    by_month = tickets.groupby([opened.dt.to_period("M"), "kind"]).size().unstack()
    looks = zip((RULE, MODEL, ACTUAL, INK), ("o-", "s--", "^-.", "D:"), strict=True)
    for kind, (colour, line) in zip(by_month.columns[:4], looks, strict=False):
        months = by_month.index.to_timestamp()
        right.plot(months, by_month[kind], line, ms=4, color=colour, lw=2, label=kind)
    right.set(ylim=(0, by_month.max().max() * 1.25), ylabel="tickets per month")
    along_time(right)
    heading(right, "Tickets opened")
    legend(right, "upper right")
    show(
        figure,
        "Left: step lines, share of the tickets with a first reply and closed, by time since they were "
        "opened, on a logarithmic axis from one hour to thirty days. Right: lines, tickets opened per "
        "month, by kind",
    )
else:
    print("This company has no tickets.")

# %% [markdown]
# ## Summary
#
# - Each row has two times: when it happened and when it was known. Features use the second.
# - Keep each version of a CRM record, not only the current state.
# - Missing answers carry information: a customer who did not answer differs from one who was never
#   invited.
#
# Next: [02_features](02_features.ipynb) computes features from this history as of any cutoff.

# %% [markdown]
# ## Exercise 1: Which orders are known late?
#
# Reports by channel are only right once the orders are known. For each channel: how many orders are
# there, what share was known late, and after how many days were 99% of the late ones known?
#
# <details>
# <summary>Answer</summary>
#
# ```python
# by_channel = sql.sql("""
#     select coalesce(channel, 'not recorded') as channel, count(*) as orders,
#            avg((known_at > occurred_at)::int) as late,
#            quantile_cont(date_diff('hour', occurred_at, known_at) / 24.0, 0.99)
#                filter (known_at > occurred_at) as days
#     from events where kind = 'order' group by all order by late desc
# """).df()
# words = {"orders": "orders", "late": "share known late", "days": "days until 99% are known"}
# headed(by_channel.set_index("channel"), words, "channel")
# ```
#
# A channel with a large share and many days needs care: in its last days, features of it are too
# low in use, and a model must have seen them like that in training.
#
# </details>

# %% [markdown]
# ## Exercise 2: Who changed plan within a year?
#
# `before` and `today` have each customer's CRM record as of a year ago and now. Tabulate the plan of a
# year ago against the plan of today. What would a model get wrong that sees only today's plan?
#
# <details>
# <summary>Answer</summary>
#
# ```python
# moves = pd.crosstab(before["plan"], today["plan"])
# moves.rename_axis(index="plan a year ago", columns="plan today")
# ```
#
# Customers off the diagonal changed plan. With today's record at a cutoff a year ago, the model would
# see a plan that the customer chose later, perhaps for the reason that is to be predicted.
#
# </details>
