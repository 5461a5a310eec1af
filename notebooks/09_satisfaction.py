# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 9 · Satisfaction as it is measured
#
# Before anything is predicted, somebody reads figures: the satisfaction index, NPS, who stays, who
# complains. Each is only worth its **interval** and the share of customers it speaks for. Then: what
# stands behind the answers, what satisfaction hangs on, which groups there are, and when a figure has
# moved beyond chance.
#
# The first half reads your company. The second reads seven years of passenger surveys of San Francisco
# airport; without these data its cells say so and go on.

# %%
# %matplotlib inline
import os

import numpy as np
import pandas as pd
from airport import ITEMS, airport_surveys, as_asked
from bars import bars, dots, heading
from IPython.display import display
from start import begin

from features.errors import DataRefused
from features.history_store import Manifest, open_history
from insight.company_settings import read_section
from insight.satisfaction.cluster_rules import fit_cluster_rules
from insight.satisfaction.clustering import cluster_customers
from insight.satisfaction.control_charts import DRIFT_LIMIT, LIMIT, compute_control_chart
from insight.satisfaction.crosstabs import cross_tabulate
from insight.satisfaction.drivers import analyse_drivers
from insight.satisfaction.factor_analysis import fit_factors
from insight.satisfaction.forecast import forecast_series
from insight.satisfaction.indicators import compute_indicators
from insight.satisfaction.psychometrics import cronbach_alpha, describe_items
from insight.satisfaction.rating_scales import find_reversed_items
from insight.satisfaction.responses import read_questions
from insight.satisfaction.satisfaction_metrics import SATISFACTION_METRICS
from insight.satisfaction.satisfaction_settings import SatisfactionSettings
from models.plots.style import ACTUAL, INK, MODEL, QUIET, RULE, canvas, legend, percent

COMPANY = os.environ.get("GOODWILL_COMPANY", "data/sample.toml")
workspace, company = begin(COMPANY, upto="data")

# %% [markdown]
# ## The figures
#
# `[insight.satisfaction]` in the company's file says how they are cut. A cell of few answers is not
# shown; it is counted. A figure without data is not 0: it is left out, with the reason.

# %%
found = compute_indicators(company, workspace)
figures = {figure.key: figure for figure in found.indicators}
for name, why in found.skipped.items():
    print(f"{name}: {why}")
pd.DataFrame(
    {name: f.over_time.table.drop(columns=["period", "dimension"], errors="ignore").iloc[-1]
     for name, f in figures.items()}
).T.round(3)  # fmt: skip

# %% [markdown]
# ## Over time, and what everybody would have said
#
# The naive figure is that of those who answered. Where `goodwill population` has run, the orange band is
# what everybody asked would have answered ([who answers](../docs/background/nonresponse.md)).

# %%
period = read_section(company, "satisfaction", SatisfactionSettings).period
year = {"month": 12, "quarter": 4, "year": 1}[period]
shown = [n for n in ("csat_index", "nps", "retention", "complaint") if n in figures]
figure, axes = canvas(
    f"{len(shown)} figures by {period}",
    "Bars: 95 % intervals. Orange: what everybody asked in the last year would have said",
    (1,) * len(shown), (9.6, 3.4),
)  # fmt: skip
for axis, name in zip(axes, shown, strict=True):
    line = figures[name].over_time.table
    when = [f"{p:%y-%m}" for p in line["period"]]
    axis.errorbar(when, line["value"], [line["value"] - line["low"], line["high"] - line["value"]],
                  fmt="o-", color=MODEL, ms=4, lw=1.4)  # fmt: skip
    corrected = figures[name].corrected
    if corrected:
        axis.fill_between(when[-year:], corrected.low, corrected.high, color=RULE, alpha=0.25)
    axis.tick_params(axis="x", rotation=90)
    heading(axis, name.replace("_", " "))
figure

# %% [markdown]
# ## What satisfaction hangs on
#
# A customer's mean answers to each dimension beside that of overall satisfaction (an invitation asks a
# few dimensions only). Importance is a dimension's share of what
# all together explain, averaged over all orders of entry; it is an association, not a cause.

# %%
manifest = Manifest.read(workspace, company.name)
with open_history(workspace.history(company.name)) as con:
    rows = read_questions(con, manifest, SatisfactionSettings())
csat = rows[(rows["instrument"] == "csat") & rows["score"].notna()]
wide = csat.pivot_table(index="customer_id", columns="dimension", values="score")
answers = wide.reset_index(drop=True)
answers.columns.name = None
driven = analyse_drivers(answers, "overall")
table = driven.table
print(
    f"{driven.rows} complete answers, {driven.incomplete} incomplete; {driven.explained:.0%} explained"
)
figure, (left, right) = canvas(
    f"{table.index[0].capitalize()} matters most: {table['importance'].iloc[0]:.0%} of the importance",
    "95 % intervals. Right: importance against performance, cut at the means", (1, 1), (9.6, 3.8),
)  # fmt: skip
dots(left, list(table.index), table[["importance", "importance_low", "importance_high"]].to_numpy())
percent(left, "x")
heading(left, "Share of importance")
right.plot(table["performance"], table["importance"], "o", color=MODEL, ms=8)
for name, line in table.iterrows():
    right.annotate(name, (line["performance"], line["importance"]), (4, 4),
                   textcoords="offset points", color=INK if line["clear"] else QUIET)  # fmt: skip
right.axvline(table["performance"].mean(), color=QUIET, lw=1)
right.axhline(table["importance"].mean(), color=QUIET, lw=1)
right.set(xlabel="performance, 0 to 100")
percent(right, "y")
heading(right, "Top left: concentrate here. Grey: not clear")
figure

# %% [markdown]
# ## Groups of customers
#
# Named by letters that stay when the groups are made again (`former=`), each said in one rule.

# %%
people = wide[["overall", table.index[0]]]
grouped = cluster_customers(people, count=3)
rules = fit_cluster_rules(people, grouped.labels)
print(f"stability {grouped.stability:.2f}; without an answer to both: {grouped.incomplete}")
for name, rule in rules.items():
    print(f"{name}: {rule.text} ({rule.precision:.0%} right, {rule.recall:.0%} reached)")
profile = grouped.profile
figure, (left, right) = canvas(
    f"{profile['share'].iloc[-1]:.0%} of those who answer are in the least content group",
    f"Agreement of groups of resampled customers: {grouped.stability:.2f} (1: always the same)",
    (1, 1), (9.6, 3),
)  # fmt: skip
bars(left, list(profile.index), list(profile["overall"]))
heading(left, "Mean overall satisfaction")
bars(right, list(profile.index), list(profile["customers"]))
heading(right, "Customers")
figure

# %% [markdown]
# ## Is a move more than chance?
#
# A chart for each region would cry wolf every other month if it said *lower than last time*. The limits
# are three standard errors of the figure and of what was usual, so that a false alarm comes less than
# once a year.

# %%
monthly = SatisfactionSettings(period="month", fewest=5)
with open_history(workspace.history(company.name)) as con:
    rows = read_questions(con, manifest, monthly)
line = cross_tabulate(SATISFACTION_METRICS["csat_index"], rows, monthly, ("period",)).table
chart = compute_control_chart(line["value"], (line["high"] - line["low"]) / 3.92)
out = int(((chart["jump"].abs() > LIMIT) | (chart["drift"].abs() > DRIFT_LIMIT)).sum())
figure, (axis,) = canvas(
    f"{out} of {int(chart['jump'].notna().sum())} months judged lie beyond chance",
    "Satisfaction index by month; the band is what is usual", (1,), (9.6, 3),
)  # fmt: skip
axis.fill_between(line["period"], chart["low"], chart["high"], color=QUIET, alpha=0.2)
axis.plot(line["period"], chart["expected"], color=QUIET, lw=1)
axis.plot(line["period"], line["value"], "o-", color=MODEL, ms=4)
figure

# %% [markdown]
# # An airport, 2011 to 2017
#
# The questions changed their names every year, the codes did not: 1 to 5, 6 for *not used*, 0 or blank
# for no answer. `airport.py` brings twelve questions that were asked in all seven years to 0 to 100.

# %%
surveys = airport_surveys(workspace)
SKIPPED = "SKIPPED: the airport surveys are not at hand (GOODWILL_REAL_DATA names their folder)"
if surveys is None:
    print(SKIPPED)
else:
    turned = find_reversed_items(surveys[ITEMS])
    print(f"{len(surveys):,} interviews; reverse-coded questions: {list(turned) or 'none'}")
    alpha = cronbach_alpha(surveys[ITEMS])
    print(f"Cronbach's alpha {alpha.alpha.value:.3f} ({alpha.alpha.low:.3f} to {alpha.alpha.high:.3f}), "
          f"{alpha.answers:,} complete")  # fmt: skip
    display(describe_items(surveys[["overall", *ITEMS]]).round(2))

# %% [markdown]
# ## The trend
#
# Weighted as the survey is (2011 and 2012 carry no weights). Seven years are too few for a forecast that
# could be tested, and the code says so instead of drawing a line.

# %%
if surveys is None:
    print(SKIPPED)
else:
    yearly = cross_tabulate(
        SATISFACTION_METRICS["csat_index"],
        as_asked(surveys, "overall"),
        SatisfactionSettings(),
        ("period",),
    ).table
    try:
        forecast_series(yearly["value"].to_numpy(), season=1, ahead=1)
    except DataRefused as err:
        print(err)
    first, last = yearly.iloc[0], yearly.iloc[-1]
    figure, (axis,) = canvas(
        f"From {first['value']:.2f} in 2011 to {last['value']:.2f} in 2017",
        "Overall satisfaction, 0 to 10, 95 % intervals", (1,), (9.6, 3),
    )  # fmt: skip
    axis.errorbar(yearly["period"], yearly["value"],
                  [yearly["value"] - yearly["low"], yearly["high"] - yearly["value"]],
                  fmt="o-", color=MODEL, ms=5, lw=1.6)  # fmt: skip
    display(figure, yearly.round(3))

# %% [markdown]
# ## Factors
#
# As many as are larger than those of shuffled answers.

# %%
if surveys is None:
    print(SKIPPED)
else:
    behind = fit_factors(surveys[ITEMS], rotation="oblimin")
    for name, items in behind.items.items():
        print(f"{name}: {', '.join(items) or 'none clearly'}")
    count = np.arange(1, len(ITEMS) + 1)
    figure, (axis,) = canvas(
        f"{behind.parallel.factors} factors lie behind {len(ITEMS)} questions",
        "Eigenvalues of the answers beside those of shuffled ones", (1,), (9.6, 3),
    )  # fmt: skip
    axis.plot(count, behind.parallel.eigenvalues, "o-", color=MODEL, label="answers")
    axis.plot(count, behind.parallel.noise, "o-", color=QUIET, label="shuffled")
    legend(axis)
    display(figure, behind.loadings.round(2))

# %% [markdown]
# ## Drivers of overall satisfaction, and of NPS
#
# NPS was asked in 2017. Eleven means *don't know*. Seventeen zeros may be blanks as in other questions;
# the figure is given both ways.

# %%
if surveys is None:
    print(SKIPPED)
else:
    newest = surveys[surveys["year"] == 2017]
    for label, part in (
        ("0 is an answer", newest),
        ("0 is blank", newest.replace({"recommend": {0: np.nan}})),
    ):
        line = cross_tabulate(
            SATISFACTION_METRICS["nps"], as_asked(part, "recommend", "nps"), SatisfactionSettings()
        ).table.iloc[0]
        print(f"NPS 2017, {label}: {line['value']:.1f} ({line['low']:.1f} to {line['high']:.1f}), "
              f"{line['answered']:,.0f} of {line['asked']:,.0f} answered")  # fmt: skip
    points = SATISFACTION_METRICS["nps"].compute(
        as_asked(newest, "recommend", "nps"), SatisfactionSettings()
    )["value"]
    both = {
        "overall satisfaction, 2011-2017": analyse_drivers(
            surveys[["overall", *ITEMS]], "overall", surveys["weight"]
        ),
        "NPS, 2017": analyse_drivers(newest[ITEMS].assign(nps=points), "nps", newest["weight"]),
    }  # fmt: skip
    figure, axes = canvas(
        "; ".join(f"{name}: {d.table.index[0]}" for name, d in both.items()),
        "Share of importance with 95 % intervals", (1, 1), (9.6, 4.4),
    )  # fmt: skip
    for axis, (name, d), colour in zip(axes, both.items(), (MODEL, ACTUAL), strict=True):
        shares = d.table[["importance", "importance_low", "importance_high"]].to_numpy()
        dots(axis, list(d.table.index), shares, colour)
        percent(axis, "x")
        heading(axis, f"{name} (n {d.rows:,}, {d.explained:.0%} explained)")
        print(f"{name}: {d.incomplete:,} interviews lack an answer and are left out")
        display(d.table.round(3))
    display(figure)

# %% [markdown]
# ## What to remember
#
# - A figure without an interval and a response rate is an anecdote.
# - Those who answer are not everybody: look at the orange band.
# - Importance says what goes with satisfaction, performance where you stand; only the corner of both is
#   a place to start.
# - An alert is a move beyond chance, not a lower number.
