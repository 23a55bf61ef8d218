from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import EncoderFailed, HashingEncoder, ModelError
from search.batching_encoder import BatchingEncoder, question_tokens
from search.steady_encoder import SteadyEncoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from indexer import Encoder
    from indexer.encoder import Embedding


class Watched(HashingEncoder):
    """Tells of its runs, and holds the first of them until `go`."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[tuple[str, ...]] = []
        self.go = threading.Event()
        self.failures: dict[str, Exception] = {}

    def embed_queries(self, texts: Sequence[str]) -> Embedding:
        self.runs.append(tuple(texts))
        assert len(self.runs) > 1 or self.go.wait(30)
        for text in texts:
            if text in self.failures:
                raise self.failures[text]
        return super().embed_queries(texts)


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(32) as threads:
        yield threads


def until(what: Callable[[], bool]) -> None:
    late = time.monotonic() + 30
    while not what():
        assert time.monotonic() < late
        time.sleep(0.002)


def asked_while_busy(
    batching: BatchingEncoder, watched: Watched, pool: ThreadPoolExecutor, *texts: str
) -> list[Future[Embedding]]:
    """Asks a first question, and these in order while it is in the encoder; then lets that go on."""
    first = pool.submit(batching.embed_queries, ["pertama"])
    until(lambda: watched.runs == [("pertama",)])
    asked = []
    for count, text in enumerate(texts, start=1):
        asked.append(pool.submit(batching.embed_queries, [text]))
        distinct = len(set(texts[:count]))
        until(lambda distinct=distinct: len(batching._waiting) == distinct)
    watched.go.set()
    first.result(30)
    return asked


def is_of(embedding: Embedding, text: str) -> bool:
    alone = HashingEncoder().embed_queries([text])
    return (
        np.array_equal(embedding.vectors, alone.vectors)
        and len(embedding.tokens) == 1
        and np.array_equal(embedding.tokens[0].ids, alone.tokens[0].ids)
        and np.array_equal(embedding.tokens[0].vectors, alone.tokens[0].vectors)
    )


def test_a_question_alone_waits_for_nobody(watched: Watched) -> None:
    watched.go.set()
    batching = BatchingEncoder(watched)

    assert is_of(batching.embed_queries(["kapal"]), "kapal")
    assert is_of(batching.embed_queries(["kapal"]), "kapal")
    assert watched.runs == [("kapal",), ("kapal",)]


def test_questions_that_come_while_the_encoder_is_busy_share_its_next_run(
    watched: Watched, pool: ThreadPoolExecutor
) -> None:
    texts = ["kapal kandas", "feri baru", "harga beras"]
    answers = asked_while_busy(BatchingEncoder(watched), watched, pool, *texts)

    assert all(is_of(answer.result(30), text) for answer, text in zip(answers, texts, strict=True))
    assert watched.runs == [("pertama",), tuple(texts)]
    assert all(answer.result().vectors.base is None for answer in answers)


def test_the_same_question_asked_twice_at_a_time_is_computed_once(watched: Watched, pool: ThreadPoolExecutor) -> None:
    answers = asked_while_busy(BatchingEncoder(watched), watched, pool, "kapal", "feri", "kapal")

    assert all(is_of(answer.result(30), text) for answer, text in zip(answers, ("kapal", "feri", "kapal"), strict=True))
    assert watched.runs[1:] == [("kapal", "feri")]


def test_a_long_question_goes_alone_and_in_its_turn(watched: Watched, pool: ThreadPoolExecutor) -> None:
    long = "mengapa " * 100
    answers = asked_while_busy(BatchingEncoder(watched), watched, pool, "kapal", long, "feri", long + "?")

    assert is_of(answers[1].result(30), long)
    for answer in answers:
        answer.result(30)
    assert watched.runs[1:] == [("kapal", "feri"), (long,), (long + "?",)]


def test_a_run_is_bounded(watched: Watched, pool: ThreadPoolExecutor) -> None:
    texts = [f"{number} " + "kapal " * 11 for number in range(9)]  # 16 tokens wide, with the prompt
    answers = asked_while_busy(BatchingEncoder(watched), watched, pool, *texts)

    assert all(is_of(answer.result(30), text) for answer, text in zip(answers, texts, strict=True))
    assert [len(run) for run in watched.runs] == [1, 5, 4]


def test_when_the_encoder_fails_all_of_its_run_fail_and_the_next_run_does_not(
    watched: Watched, pool: ThreadPoolExecutor
) -> None:
    watched.failures["feri"] = EncoderFailed("out of memory")
    batching = BatchingEncoder(watched)
    answers = asked_while_busy(batching, watched, pool, "kapal", "feri")

    for answer in answers:
        with pytest.raises(EncoderFailed, match="out of memory"):
            answer.result(30)
    assert is_of(batching.embed_queries(["kapal"]), "kapal")
    assert len(watched.runs) == 3


def test_an_error_of_one_question_fails_no_other(watched: Watched, pool: ThreadPoolExecutor) -> None:
    watched.failures["feri"] = LookupError("a piece that is none")
    batching = BatchingEncoder(watched)
    kapal, feri, beras = asked_while_busy(batching, watched, pool, "kapal", "feri", "beras")

    assert is_of(kapal.result(30), "kapal")
    assert is_of(beras.result(30), "beras")
    with pytest.raises(LookupError, match="a piece that is none"):
        feri.result(30)
    assert is_of(batching.embed_queries(["kapal"]), "kapal")


def test_a_failed_run_puts_a_steady_encoder_to_rest_once(watched: Watched, pool: ThreadPoolExecutor) -> None:
    watched.failures["feri"] = EncoderFailed("out of memory")
    steady = SteadyEncoder(lambda: watched, card=watched.card)
    batching = BatchingEncoder(steady)
    for answer in asked_while_busy(batching, watched, pool, "kapal", "feri"):
        with pytest.raises(EncoderFailed, match="out of memory"):
            answer.result(30)

    assert steady.failure == "out of memory"
    with pytest.raises(EncoderFailed, match="out of memory"):
        batching.embed_queries(["beras"])
    assert len(watched.runs) == 2


def test_several_questions_of_one_caller_and_passages_are_runs_of_their_own(watched: Watched) -> None:
    watched.go.set()
    batching = BatchingEncoder(watched)

    assert batching.embed_queries(["kapal", "feri"]).vectors.shape == (2, watched.card.dim)
    assert batching.embed_queries([]).vectors.shape == (0, watched.card.dim)
    assert batching.embed_passages(["kapal"]).vectors.shape == (1, watched.card.dim)
    assert (batching.card, batching.tokenizer) == (watched.card, watched)


def test_every_one_of_many_askers_gets_the_answer_to_its_own_question(
    watched: Watched, pool: ThreadPoolExecutor
) -> None:
    watched.go.set()
    batching = BatchingEncoder(watched)
    texts = [f"kapal {number % 40} {'kandas ' * (number % 7)}" for number in range(400)]

    answers = pool.map(lambda text: batching.embed_queries([text]), texts)

    assert all(is_of(answer, text) for answer, text in zip(answers, texts, strict=True))
    assert batching._waiting == {}


def test_a_question_tries_an_encoder_that_is_not_open_yet() -> None:
    opened: list[HashingEncoder] = []

    def open_new() -> HashingEncoder:
        opened.append(HashingEncoder())
        if len(opened) == 1:
            raise ModelError("graph.xml is missing")
        return opened[-1]

    batching = BatchingEncoder(SteadyEncoder(open_new, card=HashingEncoder().card, rest_s=0))

    assert is_of(batching.embed_queries(["kapal"]), "kapal")
    assert is_of(batching.embed_queries(["kapal"]), "kapal")
    assert len(opened) == 2


@pytest.mark.model
def test_a_questions_vectors_hardly_depend_on_its_companions(embedded: Encoder, pool: ThreadPoolExecutor) -> None:
    texts = ["kapan pasar dibuka?", "why did the port close?", "siapa yang menang?", "what happened to the ferry?"]
    alone = [embedded.embed_queries([text]) for text in texts]
    sizes = []

    class Counted(BatchingEncoder):
        def _perform(self, run: Sequence[object]) -> None:
            sizes.append(len(run))
            super()._perform(run)

    batching = Counted(embedded)
    for _ in range(10):
        for own, shared in zip(alone, pool.map(lambda text: batching.embed_queries([text]), texts), strict=True):
            assert np.abs(own.vectors - shared.vectors).max() <= 1e-6
            assert np.abs(own.tokens[0].vectors - shared.tokens[0].vectors).max() <= 1e-6
    assert max(sizes) > 1


@pytest.mark.model
@pytest.mark.parametrize("text", ["apa", "why did the port close?", "Siapa presiden Kazakhstan? " * 5, "x"])
def test_the_tokens_of_a_question_are_those_that_the_model_reads(embedded: Encoder, text: str) -> None:
    read = embedded.tokenizer.read([embedded.card.query_prompt + text])[0].ids

    assert question_tokens(text, encoder=embedded) == len(read)
