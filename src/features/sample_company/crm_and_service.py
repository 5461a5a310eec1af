"""What the sample company's CRM, sales, portal and service desk record."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.sample_company import parameters
from features.sample_company.arrow_tables import (
    draw_booking_times,
    mark_first,
    to_timestamps,
    format_ids,
    spread_counts,
    select_rows,
    mark_some,
    keep_before,
    choose_labels,
)
from features.sample_company.canary import CANARY, sign_canary_comments
from features.sample_company.parameters import BoolArray, FloatArray, IntArray
from features.sample_company.simulated_comments import draw_comments, sentiment_of_ticket, worst_topic
from features.sample_company.weekly_process import PLANS, TOPICS, CustomerHistories

_FIRST = ("Amber", "Birch", "Cedar", "Delta", "Ember", "Fjord", "Granite", "Harbour")
_SECOND = ("Foods", "Freight", "Homes", "Works", "Clinics", "Motors", "Inns", "Supplies")
LATE_VISIT = 0.35


def account_table(lives: CustomerHistories, names: pa.Array, first_number: int) -> pa.Table:
    """One row a version of what CRM knew, with the person's data that nobody may map."""
    week, customer, day = _versions(lives)
    traits, number = lives.traits, customer + first_number
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
        "plan": choose_labels(lives.plan[week, customer], PLANS),
        "account_owner": format_ids("S", lives.owner[week, customer]),
        "market_coverage": pa.array(np.round(traits.coverage[customer], 3)),
        "credit_limit": pa.array(lives.credit[week, customer]),
    }
    return select_rows(columns, day < parameters.END_DAY)


def visit_table(rng: np.random.Generator, lives: CustomerHistories, names: pa.Array) -> pa.Table:
    """One row a sales visit; a third is written up days later."""
    found = spread_counts(rng, lives, lives.counts["visit"])
    booked = draw_booking_times(rng, found.day, LATE_VISIT)
    columns = {
        "account_no": names.take(pa.array(found.customer)),
        "visited_at": to_timestamps(found.day),
        "booked_at": to_timestamps(booked),
        "owner": format_ids("S", lives.owner[found.week, found.customer]),
    }
    return select_rows(columns, booked < parameters.END_DAY)


def login_table(rng: np.random.Generator, lives: CustomerHistories, names: pa.Array) -> pa.Table:
    """One row a login to the ordering portal."""
    found = spread_counts(rng, lives, lives.counts["login"])
    columns = {
        "account_no": names.take(pa.array(found.customer)),
        "logged_in_at": to_timestamps(found.day),
        "device": choose_labels((found.customer + found.week) % 3 == 0, ("desktop", "mobile")),
    }
    return select_rows(columns, found.day < parameters.END_DAY)


def contract_table(lives: CustomerHistories, names: pa.Array) -> pa.Table:
    """One row a change of contract: carried_over (at the start), signed, renewed or cancelled."""
    joined, cancelled = lives.traits.joined, lives.cancelled
    everyone = np.arange(len(joined))
    changes = [
        (np.maximum(joined, 0.0), np.where(joined < 0, 0, 1)),
        (cancelled, np.full(len(joined), 3)),
    ]
    for years in range(4):
        day = lives.traits.anniversary + 365.0 * years
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


def ticket_table(rng: np.random.Generator, lives: CustomerHistories, names: pa.Array) -> pa.Table:
    """One row a complaint or request; a cancellation closes what is open."""
    parts = [_tickets(rng, lives, names, kind) for kind in ("complaint", "request")]
    return (
        pa.concat_tables(parts)
        .combine_chunks()
        .sort_by([("account_no", "ascending"), ("opened_at", "ascending")])
    )


def _tickets(rng: np.random.Generator, lives: CustomerHistories, names: pa.Array, kind: str) -> pa.Table:
    suffix = "" if kind == "complaint" else "_request"
    found = spread_counts(rng, lives, lives.counts[kind])
    customer, size = found.customer, len(found.day)
    slow = mark_first(lives.counts["slow" + suffix], found)
    quick = mark_first(lives.counts["slow" + suffix] + lives.counts["quick" + suffix], found) & ~slow
    reopened = mark_some(rng, lives.counts["reopened"], found) & (kind == "complaint")
    reply, close = _handling(rng, found.day, slow, quick)
    close = np.minimum(close + np.where(reopened, 6.0, 0.0), lives.cancelled[customer])
    state = lives.satisfaction[found.week, customer]
    topic = worst_topic(rng, lives.hurts[found.week, customer])
    severity = np.rint(2.3 - 0.4 * state + 0.8 * rng.standard_normal(size))
    severity = np.clip(severity, 1, 4) if kind == "complaint" else np.clip(severity, 1, 2)
    written = rng.random(size) < (0.75 if kind == "complaint" else 0.4)
    chinese = lives.traits.region[customer] < parameters.CHINESE_REGIONS
    accounts = names.take(pa.array(customer))
    about = (chinese, sentiment_of_ticket(kind, size), topic)
    columns = {
        "account_no": accounts,
        "opened_at": to_timestamps(found.day),
        "first_reply_at": to_timestamps(keep_before(reply, lives.cancelled[customer])),
        "closed_at": to_timestamps(keep_before(close, np.inf)),
        "kind": pa.repeat(kind, size),
        "category": choose_labels(topic, (*TOPICS, "other")),
        "severity": pa.array(severity.astype(np.int64)),
        "channel": choose_labels(rng.choice(3, size, p=(0.5, 0.3, 0.2)), ("email", "phone", "portal")),
        "reopened": pa.array(reopened),
        "comment": sign_canary_comments(draw_comments(rng, about, written), accounts),
    }
    return select_rows(columns, found.day < parameters.END_DAY)


def _handling(
    rng: np.random.Generator, day: FloatArray, slow: BoolArray, quick: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Days of first reply and of closing.

    Quick: closed within two days; slow: first reply after more than two days.
    """
    lot, size = rng.random(len(day)), len(day)
    reply = day + np.where(slow, 2 + rng.exponential(2.5, size), 0.02 + 1.5 * lot)
    reply = np.where(quick, day + 0.02 + 0.3 * lot, reply)
    work = np.where(quick, 0.05 + 1.5 * rng.random(size), 2 + rng.exponential(5.0, size))
    return reply, reply + work


def _versions(lives: CustomerHistories) -> tuple[IntArray, IntArray, FloatArray]:
    """Week, customer and day of each version: the first one, and one a week of change."""
    there = lives.stop > lives.begin
    changed = np.zeros_like(there)
    for attribute in (lives.plan, lives.owner, lives.credit):
        changed[1:] |= attribute[1:] != attribute[:-1]
    first = np.argmax(there, axis=0)
    version = changed & there
    version[first, np.arange(there.shape[1])] = True
    customer, week = np.nonzero(version.T)
    begin, stop = lives.begin[week, customer], lives.stop[week, customer]
    day = np.where(week == first[customer], begin, (begin + stop) / 2)
    return week, customer, day


def _personal(number: IntArray) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Invented names, phones and mail addresses; the first customer is the canary."""
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
