# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 9 · Satisfaction indicators
#
# Satisfaction index, NPS, retention and complaint rate are meaningful only with their **interval**
# and response rate. This notebook shows the indicators, the drivers of satisfaction, customer
# clusters, and alerts for changes beyond chance.
#
# The first half uses your company. The second uses seven years of passenger surveys of San
# Francisco airport; without these data, its cells are skipped with a message.

# %%
# %matplotlib inline
import os

import numpy as np
import pandas as pd
from airport import ITEMS, as_questions, read_airport_surveys
from bars import along_time, bars, dots, heading, tiles
from figures import show
from IPython.display import display
from readable_tables import headed
from start import open_company

from features.errors import DataRefused
from features.history_store import Manifest, open_history
from insight.company_settings import read_section
from insight.satisfaction.cluster_rules import fit_cluster_rules
from insight.satisfaction.clustering import cluster_customers
from insight.satisfaction.control_charts import ChartLine, watch_lines
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
from models.plots.style import INK, MODEL, QUIET, RULE, canvas, legend, percent

COMPANY = os.environ.get("GOODWILL_COMPANY", "data/sample.toml")
workspace, company = open_company(COMPANY, upto="data")

# %% [markdown]
# ## The indicators
#
# `[insight.satisfaction]` in the company file sets the grouping. Cells with few answers are
# suppressed, but counted. An indicator without data is not 0: it is left out, with the reason.

# %%
found = compute_indicators(company, workspace)
figures = {figure.key: figure for figure in found.indicators}
for name, why in found.skipped.items():
    print(f"{name}: {why}")


def in_words(figure):
    """The title of an indicator, with its dimension, and its unit."""
    title = figure.metric.title + (f": {figure.dimension}" if figure.dimension else "")
    return title, figure.metric.unit


words = {
    "unit": "unit",
    "value": "value",
    "low": "interval from",
    "high": "to",
    "asked": "asked",
    "answered": "answered",
    "coverage": "share answered",
}
last = pd.DataFrame({key: f.over_time.table.iloc[-1] for key, f in figures.items()}).T
last["unit"] = [in_words(f)[1] for f in figures.values()]
last.index = [in_words(f)[0] for f in figures.values()]
headed(last, words, f"indicator, {found.last_period:%B %Y}")

# %% [markdown]
# ## Over time, with correction for non-response
#
# The uncorrected figure describes the respondents. Where `goodwill nonresponse` has run, the orange
# band is the [non-response-corrected](../docs/background/nonresponse.md) figure for all invited
# customers.

# %%
period = read_section(company, "satisfaction", SatisfactionSettings).period
year = {"month": 12, "quarter": 4, "year": 1}[period]
shown = [n for n in ("csat_index", "nps", "retention", "complaint") if n in figures]
figure, axes = tiles(
    f"{len(shown)} indicators by {period}",
    "Whiskers: 95% intervals. Orange: corrected for non-response, last year", len(shown), columns=2,
    height=2.1,
)  # fmt: skip
for axis, name in zip(axes, shown, strict=True):
    line = figures[name].over_time.table
    when = pd.to_datetime(line["period"])
    axis.errorbar(when, line["value"], [line["value"] - line["low"], line["high"] - line["value"]],
                  fmt="o-", color=MODEL, ms=4, lw=1.4)  # fmt: skip
    corrected = figures[name].corrected
    if corrected:
        axis.fill_between(when[-year:], corrected.low, corrected.high, color=RULE, alpha=0.25)
    along_time(axis)
    title, unit = in_words(figures[name])
    axis.set_ylabel(unit)
    heading(axis, title)
show(
    figure,
    f"One panel for each of {', '.join(in_words(figures[name])[0] for name in shown)}: line by {period} "
    "with 95% intervals, and a band of the corrected figure over the last year where it is known",
)

# %% [markdown]
# ## Drivers of satisfaction
#
# Each customer's mean answers on the dimensions are compared with their mean overall satisfaction
# (one invitation asks about a few dimensions only). The importance of a dimension is its share of
# the explained variance, averaged over all orders of entry. It is an association, not a cause.

# %%
manifest = Manifest.read(workspace, company.name)
with open_history(workspace.history(company.name)) as con:
    rows = read_questions(con, manifest, SatisfactionSettings(), company.info.time_zone)
csat = rows[(rows["instrument"] == "csat") & rows["score"].notna()]
wide = csat.pivot_table(index="customer_id", columns="dimension", values="score")
answers = wide.reset_index(drop=True)
answers.columns.name = None
drivers = analyse_drivers(answers, "overall")
table = drivers.table
print(
    f"{drivers.rows} customers with complete answers, {drivers.incomplete} incomplete; "
    f"{drivers.explained:.0%} of the variance explained"
)
figure, (left, right) = canvas(
    f"Most important: {table.index[0]}, {table['importance'].iloc[0]:.0%} of the importance",
    "95% intervals. Right: importance and performance, divided at their means", (1, 1), (9.6, 3.8),
)  # fmt: skip
dots(left, list(table.index), table[["importance", "importance_low", "importance_high"]].to_numpy(),
     "share of the explained variance")  # fmt: skip
percent(left, "x")
heading(left, "Share of importance")
right.plot(table["performance"], table["importance"], "o", color=MODEL, ms=8)
for name, line in table.iterrows():
    right.annotate(name, (line["performance"], line["importance"]), (0, 7), ha="center",
                   textcoords="offset points", color=INK if line["clear"] else QUIET)  # fmt: skip
right.axvline(table["performance"].mean(), color=QUIET, lw=1)
right.axhline(table["importance"].mean(), color=QUIET, lw=1)
right.margins(0.2)
right.set(xlabel="performance: mean answer, 0 to 100", ylabel="share of importance")
percent(right, "y")
heading(right, "Top left: priorities. Grey: not clear")
show(
    figure,
    "Left: importance of each dimension with its 95% interval. Right: one dot for each dimension, "
    "importance by performance, with lines at both means",
)

# %% [markdown]
# ## Customer clusters
#
# Clusters have letters as names, which are kept when clusters are computed again (`former=`). One
# rule describes each cluster.

# %%
people = wide[["overall", table.index[0]]]
clusters = cluster_customers(people, count=3)
rules = fit_cluster_rules(people, clusters.labels)
print(f"stability {clusters.stability:.2f}; customers without both answers: {clusters.incomplete}")
for name, rule in rules.items():
    print(f"{name}: {rule.text} (precision {rule.precision:.0%}, recall {rule.recall:.0%})")
profile = clusters.profile
figure, (left, right) = canvas(
    f"{profile['share'].iloc[-1]:.0%} of the respondents are in the least satisfied cluster",
    f"Stability under resampling of customers: {clusters.stability:.2f} (1: identical clusters)",
    (1, 1), (9.6, 3),
)  # fmt: skip
bars(left, list(profile.index), list(profile["overall"]), "points of 100")
heading(left, "Mean overall satisfaction")
bars(right, list(profile.index), list(profile["customers"]), "customers")
heading(right, "Size")
show(figure, "Bars for each cluster. Left: mean overall satisfaction. Right: number of customers")

# %% [markdown]
# ## Alerts: changes beyond chance
#
# An alert for each month below the previous one would be a false alarm every other month. The
# limits of the control chart hold sampling error, chance between months and, from two years on, the
# season. After a lasting change the new level is the usual one.

# %%
monthly = SatisfactionSettings(period="month", fewest=5)
with open_history(workspace.history(company.name)) as con:
    rows = read_questions(con, manifest, monthly, company.info.time_zone)
line = cross_tabulate(SATISFACTION_METRICS["csat_index"], rows, monthly, ("period",)).table
errors = ((line["high"] - line["low"]) / 3.92).to_numpy()
(chart,) = watch_lines(
    [ChartLine(line["value"].to_numpy(), errors, line["answered"].to_numpy(float))]
)
out = int((chart["kind"] != "").sum())
figure, (axis,) = canvas(
    f"{out} of {int(chart['expected'].notna().sum())} tested months are beyond chance",
    "Satisfaction index by month; grey line: expected level, band: control limits", (1,), (9.6, 3.2),
)  # fmt: skip
axis.fill_between(line["period"], chart["low"], chart["high"], color=QUIET, alpha=0.2)
axis.plot(line["period"], chart["expected"], color=QUIET, lw=1)
axis.plot(line["period"], line["value"], "o-", color=MODEL, ms=4)
alarms = (chart["kind"] != "").to_numpy()
axis.plot(line["period"][alarms], line["value"][alarms], "D", color=RULE, ms=8, label="alert")
axis.set_ylabel("index, 0 to 10")
along_time(axis, 9)
if alarms.any():
    legend(axis, "upper left")
show(
    figure,
    "Line of the satisfaction index by month, with the expected level and a band of the control limits "
    "once there are enough months; diamonds mark alerts",
)

# %% [markdown]
# # San Francisco airport, 2011 to 2017
#
# The column names changed each year; the codes did not: 1 to 5, 6 for *not used*, 0 or blank for no
# answer. `airport.py` maps twelve questions asked in all seven years to a scale of 0 to 100.

# %%
surveys = read_airport_surveys(workspace)
SKIPPED = "SKIPPED: no airport surveys found; set GOODWILL_REAL_DATA to the folder with the data"
if surveys is None:
    print(SKIPPED)
else:
    reversed_items = find_reversed_items(surveys[ITEMS])
    print(f"{len(surveys):,} interviews; reverse-coded questions: {list(reversed_items) or 'none'}")
    alpha = cronbach_alpha(surveys[ITEMS])
    print(f"Cronbach's alpha {alpha.alpha.value:.3f} ({alpha.alpha.low:.3f} to {alpha.alpha.high:.3f}), "
          f"{alpha.answers:,} complete")  # fmt: skip
    described = describe_items(surveys[["overall", *ITEMS]])
    display(
        headed(described, {name: str(name).replace("_", " ") for name in described}, "question")
    )

# %% [markdown]
# ## Trend
#
# Answers are weighted as in the survey (2011 and 2012 have no weights). Seven years are too few to
# test a forecast, so the code refuses to make one.

# %%
if surveys is None:
    print(SKIPPED)
else:
    yearly = cross_tabulate(
        SATISFACTION_METRICS["csat_index"],
        as_questions(surveys, "overall"),
        SatisfactionSettings(),
        ("period",),
    ).table
    try:
        forecast_series(yearly["value"].to_numpy(), season=1, ahead=1)
    except DataRefused as err:
        print(err)
    first, newest = yearly.iloc[0], yearly.iloc[-1]
    figure, (axis,) = canvas(
        f"Overall satisfaction: {first['value']:.2f} in 2011, {newest['value']:.2f} in 2017",
        "Scale 0 to 10, with 95% intervals", (1,), (9.6, 3),
    )  # fmt: skip
    axis.errorbar(yearly["period"], yearly["value"],
                  [yearly["value"] - yearly["low"], yearly["high"] - yearly["value"]],
                  fmt="o-", color=MODEL, ms=5, lw=1.6)  # fmt: skip
    axis.set_ylabel("index, 0 to 10")
    show(figure, "Line of the satisfaction index by year, with 95% intervals")
    by_year = yearly.set_index(pd.to_datetime(yearly["period"]).dt.year)
    display(headed(by_year, {k: v for k, v in words.items() if k != "unit"}, "year"))

# %% [markdown]
# ## Factors
#
# The number of factors is the number of eigenvalues larger than those of shuffled answers (parallel
# analysis).

# %%
if surveys is None:
    print(SKIPPED)
else:
    factors = fit_factors(surveys[ITEMS], rotation="oblimin")
    for name, items in factors.items.items():
        print(f"{name}: {', '.join(items) or 'no clear item'}")
    count = np.arange(1, len(ITEMS) + 1)
    figure, (axis,) = canvas(
        f"{len(ITEMS)} questions have {factors.parallel.factors} factors",
        "Eigenvalues of the answers and of shuffled answers", (1,), (9.6, 3),
    )  # fmt: skip
    axis.plot(count, factors.parallel.eigenvalues, "o-", color=MODEL, label="answers")
    axis.plot(count, factors.parallel.noise, "s--", color=QUIET, label="shuffled")
    axis.set(xlabel="number of the factor", ylabel="eigenvalue")
    legend(axis)
    show(
        figure, "Lines: eigenvalues of the answers and of shuffled answers, by number of the factor"
    )
    loadings = factors.loadings
    display(headed(loadings, {name: f"loading on {name}" for name in loadings}, "question"))

# %% [markdown]
# ## Drivers of overall satisfaction and NPS
#
# The NPS question was asked in 2017. Code 11 means *don't know*. The seventeen zeros may be blanks,
# as in other questions, so the figure is given both ways.

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
            SATISFACTION_METRICS["nps"],
            as_questions(part, "recommend", "nps"),
            SatisfactionSettings(),
        ).table.iloc[0]
        print(f"NPS 2017, {label}: {line['value']:.1f} ({line['low']:.1f} to {line['high']:.1f}), "
              f"{line['answered']:,.0f} of {line['asked']:,.0f} answered")  # fmt: skip
    points = SATISFACTION_METRICS["nps"].compute(
        as_questions(newest, "recommend", "nps"), SatisfactionSettings()
    )["value"]
    both = {
        "overall satisfaction, 2011-2017": analyse_drivers(
            surveys[["overall", *ITEMS]], "overall", surveys["weight"]
        ),
        "NPS, 2017": analyse_drivers(newest[ITEMS].assign(nps=points), "nps", newest["weight"]),
    }  # fmt: skip
    figure, axes = canvas(
        "; ".join(f"{name}: {d.table.index[0]}" for name, d in both.items()),
        "Share of importance with 95% intervals", (1, 1), (9.6, 4.4),
    )  # fmt: skip
    measures = {
        "importance": "share of importance",
        "importance_low": "interval from",
        "importance_high": "to",
        "performance": "performance, 0 to 100",
    }
    for axis, (name, d) in zip(axes, both.items(), strict=True):
        shares = d.table[["importance", "importance_low", "importance_high"]].to_numpy()
        questions = [str(q).replace("_", " ") for q in d.table.index]
        dots(axis, questions, shares, "share of the explained variance")
        percent(axis, "x")
        heading(axis, name)
        print(f"{name}: {d.rows:,} interviews, {d.explained:.0%} of the variance explained; "
              f"{d.incomplete:,} with missing answers left out")  # fmt: skip
        display(headed(d.table.set_axis(questions), measures, "question"))
    show(
        figure,
        "Importance of each question with its 95% interval. Left: for overall satisfaction. Right: for "
        "the net promoter score",
    )

# %% [markdown]
# ## Summary
#
# - Report each indicator with its interval and response rate.
# - Respondents are not all customers: compare with the corrected figure.
# - Importance shows what is associated with satisfaction, performance the current level; start
#   where importance is high and performance low.
# - An alert is a change beyond chance, not just a lower number.

# %% [markdown]
# ## Exercise 1: How many answers does a decision need?
#
# The satisfaction index of the last month has an interval. About how many answers would be needed for an
# interval of ±0.25? (The width of an interval shrinks with the square root of the number of answers.)
#
# <details>
# <summary>Answer</summary>
#
# ```python
# index = figures["csat_index"].over_time.table.iloc[-1]
# half = (index["high"] - index["low"]) / 2
# needed = index["answered"] * (half / 0.25) ** 2
# print(f"{index['answered']:,.0f} answers give ±{half:.2f}; ±0.25 needs about {needed:,.0f}")
# ```
#
# Halving an interval takes four times as many answers. Often it is better to wait for a quarter than to
# react to a month.
#
# </details>

# %% [markdown]
# ## Exercise 2: Do the drivers agree with a correlation?
#
# Compare the order of the dimensions by importance with the order by their correlation with overall
# satisfaction (`answers` has one row for each customer). Where do they differ, and why can they?
#
# <details>
# <summary>Answer</summary>
#
# ```python
# overall = answers.corr()["overall"]
# compared = pd.DataFrame(
#     {
#         "share of importance": table["importance"],
#         "correlation with overall satisfaction": overall.reindex(table.index),
#         "performance, 0 to 100": table["performance"],
#     }
# )
# compared.rename_axis("dimension").sort_values("share of importance", ascending=False)
# ```
#
# A correlation counts what a dimension has in common with the others each time; the share of the
# explained variance divides it among them. With related dimensions the two can differ.
#
# </details>
