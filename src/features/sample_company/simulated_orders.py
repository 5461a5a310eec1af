"""Orders, shipments, payments and returns of the sample company."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.sample_company import parameters
from features.sample_company.arrow_tables import (
    Occurrences,
    choose_labels,
    draw_booking_times,
    format_ids,
    keep_before,
    mark_first,
    mark_some,
    round_to_cents,
    select_rows,
    spread_counts,
    to_timestamps,
)
from features.sample_company.parameters import BoolArray, FloatArray, IntArray, SimulationParameters
from features.sample_company.weekly_process import CustomerHistories

CATEGORIES = ("consumables", "tools", "packaging", "safety", "electrical", "machinery")
UNIT_PRICES = np.array((4.0, 35.0, 9.0, 18.0, 26.0, 240.0))
CHANNELS = ("portal", "phone", "field", "edi")
LATE_BOOKING = 0.06


@dataclass(frozen=True)
class OrderBook:
    """The orders of a block, one array element per order; times in days since `START`.

    `delivered` is NaN for orders still in transit when the contract ended.
    """

    found: Occurrences
    number: IntArray
    amount: FloatArray
    booked: FloatArray
    promised: FloatArray
    delivered: FloatArray
    returned: BoolArray


def draw_order_book(
    rng: np.random.Generator, histories: CustomerHistories, params: SimulationParameters, block: int
) -> OrderBook:
    """Draw the details of every order counted in `histories`."""
    found = spread_counts(rng, histories, histories.counts["order"])
    customer, size = found.customer, len(found.day)
    state = histories.satisfaction[found.week, customer]
    noise = rng.standard_normal(size) * params.amount_sigma - params.amount_sigma**2 / 2
    amount = parameters.mean_amount(params, histories.traits.only(customer), state) * np.exp(noise)
    promised = found.day + 3 + 5 * rng.random(size)
    late = mark_first(histories.counts["late"], found)
    very_late = mark_first(histories.counts["very_late"], found)
    days_late = np.where(
        very_late,
        7 + np.minimum(rng.exponential(4.0, size), 14),
        1 + np.minimum(rng.exponential(2.0, size), 5.9),
    )
    delivered = promised + np.where(late, days_late, -2 * rng.random(size))
    return OrderBook(
        found=found,
        number=block * 1_000_000 + np.arange(size),
        amount=round_to_cents(np.maximum(amount, 5.0)),
        booked=draw_booking_times(rng, found.day, LATE_BOOKING),
        promised=promised,
        delivered=keep_before(delivered, histories.cancelled[customer]),
        returned=mark_some(rng, histories.counts["return"], found),
    )


def order_table(
    rng: np.random.Generator, histories: CustomerHistories, book: OrderBook, names: pa.Array
) -> pa.Table:
    """One row per order; `net_amount` is in EUR without tax."""
    customer, size = book.found.customer, len(book.amount)
    own_channel = rng.integers(0, len(CHANNELS), len(names))[customer]
    usual = rng.random(size) < 0.7
    channel = np.where(usual, own_channel, rng.integers(0, len(CHANNELS), size))
    category = (histories.traits.industry[customer] + rng.binomial(5, 0.2, size)) % len(CATEGORIES)
    quantity = np.maximum(np.rint(book.amount / UNIT_PRICES[category]), 1.0)
    columns = {
        "order_no": format_ids("O", book.number),
        "account_no": names.take(pa.array(customer)),
        "ordered_at": to_timestamps(book.found.day),
        "booked_at": to_timestamps(book.booked),
        "net_amount": pa.array(book.amount),
        "quantity": pa.array(quantity.astype(np.int64)),
        "channel": choose_labels(channel, CHANNELS),
        "category": choose_labels(category, CATEGORIES),
        "promised_at": to_timestamps(book.promised),
    }
    return select_rows(columns, book.booked < parameters.END_DAY)


def shipment_table(rng: np.random.Generator, book: OrderBook, names: pa.Array) -> pa.Table:
    """One row per delivery; the carrier may report it days later."""
    booked = draw_booking_times(rng, book.delivered, LATE_BOOKING)
    columns = {
        "order_no": format_ids("O", book.number),
        "account_no": names.take(pa.array(book.found.customer)),
        "delivered_at": to_timestamps(book.delivered),
        "booked_at": to_timestamps(booked),
        "promised_at": to_timestamps(book.promised),
    }
    return select_rows(columns, booked < parameters.END_DAY)


def payment_table(
    rng: np.random.Generator, histories: CustomerHistories, book: OrderBook, names: pa.Array
) -> pa.Table:
    """One row per payment, due 30 days after delivery; only payments may follow a cancellation."""
    customer, size = book.found.customer, len(book.amount)
    state = histories.satisfaction[book.found.week, customer]
    habit = 5 * histories.traits.undiscipline[customer] - 4 * state
    due = book.delivered + 30
    paid = due + np.clip(habit - 2 + 3 * rng.standard_normal(size), -20, 60)
    columns = {
        "order_no": format_ids("O", book.number),
        "account_no": names.take(pa.array(customer)),
        "paid_at": to_timestamps(paid),
        "due_at": to_timestamps(due),
        "amount": pa.array(book.amount),
    }
    return select_rows(columns, paid < parameters.END_DAY)


def return_table(
    rng: np.random.Generator, histories: CustomerHistories, book: OrderBook, names: pa.Array
) -> pa.Table:
    """One row per return, 3 to 25 days after delivery; `refund` is 20% to 100% of the amount."""
    customer, size = book.found.customer, len(book.amount)
    day = book.delivered + 3 + 22 * rng.random(size)
    day = keep_before(day, histories.cancelled[customer])
    booked = draw_booking_times(rng, day, 2 * LATE_BOOKING)
    columns = {
        "order_no": format_ids("O", book.number),
        "account_no": names.take(pa.array(customer)),
        "returned_at": to_timestamps(day),
        "booked_at": to_timestamps(booked),
        "refund": pa.array(round_to_cents(book.amount * (0.2 + 0.8 * rng.random(size)))),
        "reason": choose_labels(
            rng.integers(0, 3, size), ("damaged", "wrong item", "not as described")
        ),
    }
    return select_rows(columns, book.returned & (booked < parameters.END_DAY))
