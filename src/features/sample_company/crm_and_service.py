"""Tables of the sample company's CRM, sales visits, portal logins, contracts and tickets."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.sample_company import parameters
from features.sample_company.arrow_tables import (
    choose_labels,
    draw_booking_times,
    format_ids,
    keep_before,
    mark_first,
    mark_some,
    select_rows,
    spread_counts,
    to_timestamps,
)
from features.sample_company.canary import CANARY, sign_canary_comments
from features.sample_company.parameters import BoolArray, FloatArray, IntArray
from features.sample_company.simulated_comments import (
    draw_comments,
    sentiment_of_ticket,
    worst_topic,
)
from features.sample_company.weekly_process import PLANS, TOPICS, CustomerHistories

_FIRST = ("Amber", "Birch", "Cedar", "Delta", "Ember", "Fjord", "Granite", "Harbour")
_SECOND = ("Foods", "Freight", "Homes", "Works", "Clinics", "Motors", "Inns", "Supplies")
LATE_VISIT = 0.35


def account_table(histories: CustomerHistories, names: pa.Array, first_number: int) -> pa.Table:
    """One row per CRM version, with personal data that must not be mapped."""
    week, customer, day = _versions(histories)
    traits, number = histories.traits, customer + first_number
    name, phone, email = _personal(number)
    since = parameters.START.year + 0.5 + traits.joined / 365.0
    columns = {
        "account_no": names.take(pa.array(customer)),
        "changed_at": to_timestamps(day),
        "name": name,
        "phone": phone,
        "email": email,
        "industry": choose_labels(traits.industry[customer], parameters.INDUSTRIES),
        "company_size": choose_labels(traits.size[customer], parameters.SIZES),
        "region": choose_labels(traits.region[customer], parameters.REGIONS),
        "customer_since": pa.array(np.floor(since).astype(np.int64)[customer]),
        "plan": choose_labels(histories.plan[week, customer], PLANS),
        "account_owner": format_ids("S", histories.owner[week, customer]),
        "market_coverage": pa.array(np.round(traits.coverage[customer], 3)),
        "credit_limit": pa.array(histories.credit[week, customer]),
    }
    return select_rows(columns, day < parameters.END_DAY)


def visit_table(
    rng: np.random.Generator, histories: CustomerHistories, names: pa.Array
) -> pa.Table:
    """One row per sales visit; a third is recorded days later."""
    found = spread_counts(rng, histories, histories.counts["visit"])
    booked = draw_booking_times(rng, found.day, LATE_VISIT)
    columns = {
        "account_no": names.take(pa.array(found.customer)),
        "visited_at": to_timestamps(found.day),
        "booked_at": to_timestamps(booked),
        "owner": format_ids("S", histories.owner[found.week, found.customer]),
    }
    return select_rows(columns, booked < parameters.END_DAY)


def login_table(
    rng: np.random.Generator, histories: CustomerHistories, names: pa.Array
) -> pa.Table:
    """One row per login to the ordering portal."""
    found = spread_counts(rng, histories, histories.counts["login"])
    columns = {
        "account_no": names.take(pa.array(found.customer)),
        "logged_in_at": to_timestamps(found.day),
        "device": choose_labels((found.customer + found.week) % 3 == 0, ("desktop", "mobile")),
    }
    return select_rows(columns, found.day < parameters.END_DAY)


def contract_table(histories: CustomerHistories, names: pa.Array) -> pa.Table:
    """One row per contract change: carried_over (at the start), signed, renewed or cancelled."""
    joined, cancelled = histories.traits.joined, histories.cancelled
    everyone = np.arange(len(joined))
    changes = [
        (np.maximum(joined, 0.0), np.where(joined < 0, 0, 1)),
        (cancelled, np.full(len(joined), 3)),
    ]
    for years in range(4):
        day = histories.traits.anniversary + 365.0 * years
        changes.append((np.where(day < cancelled, day, np.inf), np.full(len(joined), 2)))
    day = np.concatenate([change[0] for change in changes])
    status = np.concatenate([change[1] for change in changes])
    customer = np.tile(everyone, len(changes))
    order = np.lexsort((day, customer))
    day, status, customer = day[order], status[order], customer[order]
    columns = {
        "account_no": names.take(pa.array(customer)),
        "changed_at": to_timestamps(day),
        "status": choose_labels(status, ("carried_over", "signed", "renewed", "cancelled")),
    }
    return select_rows(columns, day < parameters.END_DAY)


def ticket_table(
    rng: np.random.Generator, histories: CustomerHistories, names: pa.Array
) -> pa.Table:
    """One row per complaint or request; a cancellation closes open tickets."""
    parts = [_tickets(rng, histories, names, kind) for kind in ("complaint", "request")]
    return (
        pa.concat_tables(parts)
        .combine_chunks()
        .sort_by([("account_no", "ascending"), ("opened_at", "ascending")])
    )


def _tickets(
    rng: np.random.Generator, histories: CustomerHistories, names: pa.Array, kind: str
) -> pa.Table:
    suffix = "" if kind == "complaint" else "_request"
    found = spread_counts(rng, histories, histories.counts[kind])
    customer, size = found.customer, len(found.day)
    slow = mark_first(histories.counts["slow" + suffix], found)
    quick = (
        mark_first(histories.counts["slow" + suffix] + histories.counts["quick" + suffix], found)
        & ~slow
    )
    reopened = mark_some(rng, histories.counts["reopened"], found) & (kind == "complaint")
    reply, close = _handling(rng, found.day, slow, quick)
    close = np.minimum(close + np.where(reopened, 6.0, 0.0), histories.cancelled[customer])
    state = histories.satisfaction[found.week, customer]
    topic = worst_topic(rng, histories.problems[found.week, customer])
    severity = np.rint(2.3 - 0.4 * state + 0.8 * rng.standard_normal(size))
    severity = np.clip(severity, 1, 4) if kind == "complaint" else np.clip(severity, 1, 2)
    written = rng.random(size) < (0.75 if kind == "complaint" else 0.4)
    chinese = histories.traits.region[customer] < parameters.CHINESE_REGIONS
    accounts = names.take(pa.array(customer))
    about = (chinese, sentiment_of_ticket(kind, size), topic)
    columns = {
        "account_no": accounts,
        "opened_at": to_timestamps(found.day),
        "first_reply_at": to_timestamps(keep_before(reply, histories.cancelled[customer])),
        "closed_at": to_timestamps(keep_before(close, np.inf)),
        "kind": pa.repeat(kind, size),
        "category": choose_labels(topic, (*TOPICS, "other")),
        "severity": pa.array(severity.astype(np.int64)),
        "channel": choose_labels(
            rng.choice(3, size, p=(0.5, 0.3, 0.2)), ("email", "phone", "portal")
        ),
        "reopened": pa.array(reopened),
        "comment": sign_canary_comments(draw_comments(rng, about, written), accounts),
    }
    return select_rows(columns, found.day < parameters.END_DAY)


def _handling(
    rng: np.random.Generator, day: FloatArray, slow: BoolArray, quick: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Times of first reply and closing, in days.

    Quick: closed within two days; slow: first reply after more than two days.
    """
    uniform, size = rng.random(len(day)), len(day)
    reply = day + np.where(slow, 2 + rng.exponential(2.5, size), 0.02 + 1.5 * uniform)
    reply = np.where(quick, day + 0.02 + 0.3 * uniform, reply)
    work = np.where(quick, 0.05 + 1.5 * rng.random(size), 2 + rng.exponential(5.0, size))
    return reply, reply + work


def _versions(histories: CustomerHistories) -> tuple[IntArray, IntArray, FloatArray]:
    """Week, customer and day of each CRM version: the first one, and one per week with a change."""
    present = histories.stop > histories.begin
    changed = np.zeros_like(present)
    for attribute in (histories.plan, histories.owner, histories.credit):
        changed[1:] |= attribute[1:] != attribute[:-1]
    first = np.argmax(present, axis=0)
    version = changed & present
    version[first, np.arange(present.shape[1])] = True
    customer, week = np.nonzero(version.T)
    begin, stop = histories.begin[week, customer], histories.stop[week, customer]
    day = np.where(week == first[customer], begin, (begin + stop) / 2)
    return week, customer, day


def _personal(number: IntArray) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Fictitious names, phones and mail addresses; the first customer is the canary."""
    digits = pa.array(number).cast(pa.string())
    first, second = choose_labels(number % 8, _FIRST), choose_labels(number // 8 % 8, _SECOND)
    canary = pa.array(number == 0)
    name = pc.binary_join_element_wise(first, second, digits, " ")
    phone = pc.binary_join_element_wise("+000", pc.utf8_lpad(digits, width=7, padding="0"), "-")
    email = pc.binary_join_element_wise("office", digits, "").cast(pa.string())
    email = pc.binary_join_element_wise(email, "example.invalid", "@")
    return (
        pc.if_else(canary, CANARY[0], name),
        pc.if_else(canary, CANARY[1], phone),
        pc.if_else(canary, CANARY[2], email),
    )
