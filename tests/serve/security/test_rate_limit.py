"""A client gets its rate and no more, and a busy worker turns calls away at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.errors import TooMany
from serve.security.rate_limit import ConcurrencyLimit, RateLimiter


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def allowed(throttle: RateLimiter, client: str, rate: float) -> bool:
    try:
        throttle.take(client, rate)
    except TooMany:
        return False
    return True


def test_a_second_s_worth_may_come_together() -> None:
    clock = Clock()
    throttle = RateLimiter(clock=clock)
    assert [allowed(throttle, "crm", 3) for _ in range(5)] == [True, True, True, False, False]
    assert allowed(throttle, "bi", 3)  # each client has its own
    clock.now = 1.0
    assert [allowed(throttle, "crm", 3) for _ in range(4)] == [True, True, True, False]


def test_it_says_how_long_to_wait() -> None:
    throttle = RateLimiter(share=0.5, clock=Clock())
    throttle.take("crm", 0.5)
    with pytest.raises(TooMany, match=r"0\.5 times a second") as refused:
        throttle.take("crm", 0.5)
    assert refused.value.headers == {"Retry-After": "4"}


@given(
    st.floats(0.1, 50),
    st.sampled_from([1.0, 0.5, 0.25]),
    st.lists(st.floats(0, 3), min_size=1, max_size=60),
)
def test_never_more_than_the_rate_and_one_burst(
    rate: float, share: float, waits: list[float]
) -> None:
    clock = Clock()
    throttle = RateLimiter(share, clock)
    passed = 0
    for wait in waits:
        clock.now += wait
        passed += allowed(throttle, "crm", rate)
        assert passed <= max(1.0, rate * share) + rate * share * clock.now + 1e-6
    assert passed >= 1


def test_waiting_as_long_as_told_is_enough() -> None:
    clock = Clock()
    throttle = RateLimiter(clock=clock)
    for rate in (0.3, 1.0, 7.0):
        client = str(rate)
        while allowed(throttle, client, rate):
            pass
        with pytest.raises(TooMany) as refused:
            throttle.take(client, rate)
        clock.now += float(refused.value.headers["Retry-After"])
        throttle.take(client, rate)


def test_one_more_than_there_are_places_is_turned_away() -> None:
    places = ConcurrencyLimit(1)
    with places:
        with pytest.raises(TooMany) as refused, places:
            pytest.fail("there was a second place")
        assert concurrency.in_flight == 1
    assert refused.value.headers == {"Retry-After": "1"}
    with places:
        pass
    assert concurrency.in_flight == 0
