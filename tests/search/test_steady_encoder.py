from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import EncoderFailed, HashingEncoder, ModelError
from indexer.encoder import Embedding
from search.steady_encoder import REST_S, SteadyEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence

CARD = HashingEncoder().card


class Moody(HashingEncoder):
    """Fails when told to, and counts how often it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.failure: Exception | None = None
        self.asked = 0

    def embed_queries(self, texts: Sequence[str]) -> Embedding:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return super().embed_queries(texts)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def moody() -> Moody:
    return Moody()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def steady(moody: Moody, clock: Clock) -> SteadyEncoder:
    return SteadyEncoder(lambda: moody, card=CARD, clock=clock)


def fail(steady: SteadyEncoder) -> str:
    with pytest.raises(EncoderFailed) as failed:
        steady.embed_queries(["kapal"])
    return str(failed.value)


def test_a_sound_encoder_answers_as_ever(steady: SteadyEncoder) -> None:
    assert np.array_equal(steady.embed_queries(["kapal"]).vectors, HashingEncoder().embed_queries(["kapal"]).vectors)
    assert np.array_equal(steady.embed_passages(["kapal"]).vectors, HashingEncoder().embed_passages(["kapal"]).vectors)
    assert len(steady.tokenizer.token_starts("kapal feri")) == 2
    assert steady.failure is None


def test_after_a_failure_it_rests_and_then_tries_again(steady: SteadyEncoder, moody: Moody, clock: Clock) -> None:
    moody.failure = EncoderFailed("out of order")
    assert fail(steady) == "out of order"
    clock.now += REST_S - 0.1
    assert fail(steady) == "out of order"
    assert moody.asked == 1

    moody.failure = None
    clock.now += 0.2
    steady.embed_queries(["kapal"])
    steady.embed_queries(["kapal"])
    assert moody.asked == 3
    assert steady.failure is None


def test_after_its_rest_one_caller_tries_and_the_others_do_not_wait(moody: Moody, clock: Clock) -> None:
    trying, go_on = threading.Event(), threading.Event()
    steady = SteadyEncoder(lambda: moody, card=CARD, clock=clock)
    moody.failure = EncoderFailed("out of order")
    fail(steady)
    clock.now += REST_S
    moody.failure = None
    embed = moody.embed_queries

    def slow(texts: Sequence[str]) -> Embedding:
        trying.set()
        assert go_on.wait(5)
        return embed(texts)

    moody.embed_queries = slow  # type: ignore[method-assign]
    one = threading.Thread(target=lambda: steady.embed_queries(["kapal"]))
    one.start()
    assert trying.wait(5)
    assert fail(steady) == "out of order"
    go_on.set()
    one.join(5)
    assert steady.failure is None


def test_each_change_of_state_is_logged_once(
    steady: SteadyEncoder, moody: Moody, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    moody.failure = EncoderFailed("out of order")
    for _ in range(3):
        fail(steady)
        clock.now += REST_S
    moody.failure = None
    steady.embed_queries(["kapal"])
    steady.embed_queries(["kapal"])

    logged = [record.getMessage() for record in caplog.records if record.name == "search.steady_encoder"]
    assert len(logged) == 2
    assert "out of order" in logged[0]
    assert "answers again" in logged[1]


def test_vectors_that_are_not_numbers_are_a_failure(clock: Clock) -> None:
    class Broken(HashingEncoder):
        def embed_queries(self, texts: Sequence[str]) -> Embedding:
            return Embedding(np.full((len(texts), CARD.dim), np.nan, np.float32), [])

    assert "not numbers" in fail(SteadyEncoder(Broken, card=CARD, clock=clock))


def test_a_model_that_does_not_open_is_opened_again_later(clock: Clock) -> None:
    missing = True

    def open_new() -> HashingEncoder:
        if missing:
            raise ModelError("graph.xml is missing")
        return HashingEncoder()

    steady = SteadyEncoder(open_new, card=CARD, clock=clock)
    assert "graph.xml is missing" in str(steady.failure)
    assert "graph.xml is missing" in fail(steady)
    with pytest.raises(EncoderFailed, match=r"graph\.xml is missing"):
        _ = steady.tokenizer

    missing = False
    clock.now += REST_S
    steady.embed_queries(["kapal"])
    assert steady.failure is None
