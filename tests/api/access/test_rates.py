from __future__ import annotations

import pytest

from api.access.rates import Buckets, Rate, address_subject


@pytest.mark.parametrize(
    ("text", "rate"),
    [("60/m", Rate(60, 60)), ("10/s", Rate(10, 1)), ("1/h", Rate(1, 3_600)), (" 5000/d ", Rate(5_000, 86_400))],
)
def test_a_rate_is_a_count_and_a_unit_of_time(text: str, rate: Rate) -> None:
    assert Rate.parse(text) == rate
    assert str(rate) == text.strip()


@pytest.mark.parametrize("text", ["", "60", "0/m", "-1/m", "1.5/s", "60/min", "60 / m", "99999999/s", "٦/m"])
def test_what_is_no_rate_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="60/m"):
        Rate.parse(text)


def test_a_full_bucket_gives_its_count_at_once_and_then_refills_evenly() -> None:
    buckets, rate = Buckets(), Rate(3, 60)

    waits = [buckets.take("a", rate=rate, now_s=now_s) for now_s in (0, 0, 0, 0, 19.9, 20, 20, 1_000, 1_000, 1_000)]

    assert waits == [0, 0, 0, 20, 1, 0, 20, 0, 0, 0]


def test_who_waits_as_long_as_told_is_let_in() -> None:
    for count in (1, 3, 7, 600, 999_983):
        buckets, rate, now_s = Buckets(), Rate(count, 60), 12_345.678
        while not (wait_s := buckets.take("a", rate=rate, now_s=now_s)):
            now_s += 1e-9
            if len(buckets) and count > 1_000:
                buckets.charge("a", rate=rate, tokens=count, now_s=now_s)

        assert wait_s == int(wait_s) > 0
        assert buckets.take("a", rate=rate, now_s=now_s + wait_s) == 0


def test_a_refusal_takes_nothing_so_that_trying_again_does_not_postpone_the_turn() -> None:
    buckets, rate = Buckets(), Rate(1, 10)
    buckets.take("a", rate=rate, now_s=0)

    assert [buckets.take("a", rate=rate, now_s=now_s) for now_s in (1, 2, 9, 10)] == [9, 8, 1, 0]


def test_each_subject_has_a_bucket_of_its_own() -> None:
    buckets, rate = Buckets(), Rate(1, 60)

    assert [buckets.take(who, rate=rate, now_s=0) for who in ("a", "b", "a")] == [0, 0, 60]


def test_what_is_charged_later_is_paid_off_before_the_next_request() -> None:
    buckets, rate = Buckets(), Rate(2, 2)
    buckets.take("a", rate=rate, now_s=0)
    buckets.charge("a", rate=rate, tokens=9, now_s=0)

    assert buckets.take("a", rate=rate, now_s=0) == 9
    assert buckets.take("a", rate=rate, now_s=9) == 0


def test_a_million_addresses_are_not_kept() -> None:
    buckets, rate = Buckets(max_subjects=100), Rate(1, 60)
    for number in range(10_000):
        buckets.take(f"address:{number}", rate=rate, now_s=0)

    assert len(buckets) == 100
    assert buckets.take("address:9999", rate=rate, now_s=0) == 60


@pytest.mark.parametrize(
    ("host", "subject"),
    [
        ("203.0.113.7", "address:203.0.113.7"),
        ("::ffff:203.0.113.7", "address:203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "address:2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "address:2001:db8:1:3::/64"),
        ("testclient", "address:unknown"),
        (None, "address:unknown"),
    ],
)
def test_an_address_stands_for_a_subscriber(host: str | None, subject: str) -> None:
    assert address_subject(host) == subject
