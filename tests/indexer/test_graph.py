from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import DEFAULT_MODEL, EncoderFailed, ModelError, find_prepared, open_encoder, prepare_model
from indexer.graph import GraphEncoder, _batches, _width
from indexer.model import no_graph_reason
from indexer.sentence_model import TorchEncoder, load_sentence_transformer
from indexer.tokenizer import PieceTokenizer

if TYPE_CHECKING:
    from indexer import Encoder


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([], []),
        ([5], [[0]]),
        ([600, 3, 500, 400], [[1, 3], [2], [0]]),
        # 4 * 256 is the limit itself; a fifth row is one too many.
        ([256] * 5, [[0, 1, 2, 3], [4]]),
        ([4_000, 5_000], [[0], [1]]),
        ([2, 2, 2], [[0, 1, 2]]),
    ],
)
def test_batches_go_from_short_to_long_within_the_padded_size(lengths: list[int], expected: list[list[int]]) -> None:
    assert list(_batches(lengths)) == expected


@pytest.mark.parametrize(
    ("longest", "most", "expected"),
    [(1, 512, 8), (8, 512, 8), (13, 512, 16), (512, 512, 512), (509, 510, 510), (9, 4, 9)],
)
def test_questions_of_all_lengths_come_in_few_widths_within_what_the_model_reads(
    longest: int, most: int, expected: int
) -> None:
    assert _width(longest, most=most) == expected


def test_batches_hold_every_row_once() -> None:
    lengths = np.random.default_rng(0).integers(1, 600, 500).tolist()

    batches = list(_batches(lengths))

    assert sorted(row for batch in batches for row in batch) == list(range(500))
    assert all(max(lengths[row] for row in batch) * len(batch) <= 1_024 for batch in batches)


def mixed_texts(sentences: dict[str, list[str]]) -> list[str]:
    """Sixty texts of both languages, three of them longer than the model reads."""
    short = sentences["id"][:27] + sentences["en"][:27]
    medium = [" ".join(sentences[language][at : at + 6]) for language in ("id", "en") for at in (30, 40)]
    long = [" ".join(sentences["id"][:60]), " ".join(sentences["en"][:60]), "kata " * 600]
    return [*long, *medium[:3], *short]


@pytest.mark.model
def test_the_graph_agrees_with_plain_sentence_transformers(
    embedded: Encoder, embedded_folder: Path, sample_sentences: dict[str, list[str]]
) -> None:
    # Over the same weights: this proves prompts, pooling, normalisation and truncation of the exported graph.
    texts = mixed_texts(sample_sentences)
    tokens = [len(embedded.tokenizer.token_starts(text)) for text in texts]
    assert (len(texts), sum(count > 512 for count in tokens)) == (60, 3)
    plain = load_sentence_transformer(embedded_folder / "source")
    few = texts[3:20]

    passages = plain.encode(texts, prompt_name="document", batch_size=8)
    questions = plain.encode(few, prompt_name="query", batch_size=8)

    assert np.min(np.sum(embedded.embed_passages(texts).vectors * passages, axis=1)) >= 0.9999
    assert np.min(np.sum(embedded.embed_queries(few).vectors * questions, axis=1)) >= 0.9999
    assert np.max(np.sum(embedded.embed_queries(few).vectors * embedded.embed_passages(few).vectors, axis=1)) < 0.999
    on_torch = TorchEncoder(
        plain, card=embedded.card, tokenizer=PieceTokenizer(embedded_folder / "tokenizer.json", max_tokens=512)
    )
    np.testing.assert_allclose(on_torch.embed_queries(few[4:7]).vectors, questions[4:7], atol=1e-5)
    np.testing.assert_allclose(on_torch.embed_passages(few[4:7]).vectors, passages[7:10], atol=1e-5)
    for of_torch, of_graph in zip(
        on_torch.embed_passages(texts[2:5]).tokens, embedded.embed_passages(texts[2:5]).tokens, strict=True
    ):
        np.testing.assert_array_equal(of_torch.ids, of_graph.ids)
        np.testing.assert_array_equal(of_torch.to_end, of_graph.to_end)
        np.testing.assert_allclose(of_torch.vectors, of_graph.vectors, atol=0.02)


@pytest.mark.model
def test_vectors_are_unit_rows_in_the_order_of_the_texts_whatever_the_batch(
    embedded: Encoder, sample_sentences: dict[str, list[str]]
) -> None:
    texts = [*sample_sentences["id"][:40], "", " ", "a", " ".join(sample_sentences["en"][:30])]

    together = embedded.embed_passages(texts).vectors
    alone = np.concatenate([embedded.embed_passages([text]).vectors for text in texts])

    assert together.dtype == np.float32
    assert together.shape == (len(texts), embedded.card.dim)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-4)
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert embedded.embed_passages([]).vectors.shape == (0, embedded.card.dim)


@pytest.mark.model
def test_token_vectors_are_those_of_the_text_without_prompt_and_special_tokens(embedded: Encoder) -> None:
    texts = ["Apa itu batik?", "Kapal feri tiba di muara sejak pagi tadi.", ""]

    for found in (embedded.embed_queries(texts), embedded.embed_passages(texts)):
        for text, entry in zip(texts, found.tokens, strict=True):
            assert len(entry.ids) == len(entry.vectors) == len(embedded.tokenizer.token_starts(text))
            np.testing.assert_allclose(np.linalg.norm(entry.vectors, axis=-1), 1, atol=1e-4)


@pytest.mark.model
def test_a_token_tells_where_it_begins_counted_from_the_end_of_the_text(embedded: Encoder) -> None:
    texts = ["Kabar muara\nKapal feri 😀 kandas.", "Apa itu batik?", "kata " * 600]

    for found in (embedded.embed_queries(texts), embedded.embed_passages(texts)):
        for text, entry in zip(texts, found.tokens, strict=True):
            expected = embedded.tokenizer.token_starts(text)[: len(entry.ids)]
            # The first piece begins with the space of the prompt.
            np.testing.assert_array_equal(len(text) - entry.to_end, [-1, *expected[1:]])


@pytest.mark.model
def test_a_text_is_cut_where_the_model_reads_no_further_and_says_so(embedded: Encoder, embedded_folder: Path) -> None:
    card = embedded.card
    texts = ["kata " * words for words in range(card.max_tokens - 7, card.max_tokens)]
    whole = PieceTokenizer(embedded_folder / "tokenizer.json", max_tokens=card.max_tokens)

    for prompt, found in (
        (card.query_prompt, embedded.embed_queries(texts)),
        (card.passage_prompt, embedded.embed_passages(texts)),
    ):
        cut = [entry.cut for entry in found.tokens]
        assert cut == [whole.count(prompt + text) > card.max_tokens for text in texts]
        assert {False, True} == set(cut)
        assert len({len(entry.ids) for entry in found.tokens if entry.cut}) == 1


@pytest.mark.model
def test_concurrent_callers_get_their_own_vectors(embedded: Encoder, sample_sentences: dict[str, list[str]]) -> None:
    texts = sample_sentences["en"][:16]
    expected = [embedded.embed_queries([text]).vectors for text in texts]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: embedded.embed_queries([text]).vectors, texts))

    np.testing.assert_array_equal(found, expected)


@pytest.mark.model
def test_a_prepared_model_is_found_again_by_its_fingerprint(embedded: Encoder, model_cache: Path) -> None:
    folder = find_prepared(embedded.card.fingerprint, cache=model_cache)

    assert folder == prepare_model(DEFAULT_MODEL, cache=model_cache)
    assert no_graph_reason(folder) is None
    assert isinstance(embedded, GraphEncoder)
    assert find_prepared("0" * 64, cache=model_cache) is None
    assert find_prepared(embedded.card.fingerprint, cache=model_cache / "absent") is None


@pytest.mark.model
def test_the_card_tells_what_the_model_takes(embedded: Encoder) -> None:
    card = embedded.card

    assert (card.name, card.dim, card.max_tokens) == (DEFAULT_MODEL, 384, 512)
    assert (card.query_prompt, card.passage_prompt) == ("query: ", "passage: ")
    # <s>, "passage", ":" and </s>
    assert card.overhead_tokens == 4


@pytest.mark.model
@pytest.mark.parametrize("damage", ["graph.xml", "tokenizer.json", "card.json", "sums-2.json"])
def test_a_damaged_prepared_model_says_to_prepare_it_again(embedded_folder: Path, tmp_path: Path, damage: str) -> None:
    for file in embedded_folder.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / damage).unlink()
    (tmp_path / damage).write_text("damaged")

    with pytest.raises(ModelError, match="prepare"):
        open_encoder(tmp_path)


@pytest.mark.model
def test_in_bulk_the_vectors_are_the_same_in_the_same_order(
    embedded: Encoder, embedded_folder: Path, sample_sentences: dict[str, list[str]]
) -> None:
    texts = [*sample_sentences["id"][:60], " ".join(sample_sentences["en"][:12]), *sample_sentences["en"][:20], ""]

    bulk = open_encoder(embedded_folder, threads=2, bulk=True).embed_passages(texts)
    plain = embedded.embed_passages(texts)

    np.testing.assert_allclose(bulk.vectors, plain.vectors, atol=1e-5)
    for found, expected in zip(bulk.tokens, plain.tokens, strict=True):
        np.testing.assert_array_equal(found.ids, expected.ids)
        np.testing.assert_allclose(found.vectors, expected.vectors, atol=1e-4)


def mapped_weights_kib() -> int:
    """How much of graph.bin this process holds, of all its mappings."""
    held, inside = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            inside = line.endswith("graph.bin")
        elif inside and line.startswith("Rss:"):
            held += int(line.split()[1])
    return held


@pytest.mark.model
@pytest.mark.skipif(not Path("/proc/self/smaps").is_file(), reason="no /proc/self/smaps here")
def test_what_is_read_of_the_weights_is_not_held(
    embedded: Encoder, sample_sentences: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded.embed_queries(sample_sentences["id"][:50])

    assert mapped_weights_kib() < 1_000
    # And would be, some megabytes for fifty sentences alone.
    monkeypatch.setattr(embedded, "_forget_weights", lambda: None)
    embedded.embed_queries(sample_sentences["id"][:50])
    assert mapped_weights_kib() > 4_000


class Failing:
    """A request to the engine that fails."""

    def infer(self, *_: object, **__: object) -> None:
        raise RuntimeError("Exception from src/inference:\nnot enough memory")


@pytest.mark.model
@pytest.mark.parametrize("bulk", [False, True])
def test_what_the_engine_raises_is_an_encoder_failure_on_one_line(
    embedded_folder: Path, monkeypatch: pytest.MonkeyPatch, *, bulk: bool
) -> None:
    encoder = open_encoder(embedded_folder, threads=2, bulk=bulk)
    requests: SimpleQueue[Failing] = SimpleQueue()
    requests.put(Failing())
    monkeypatch.setattr(encoder, "_requests", requests)

    with pytest.raises(EncoderFailed, match=r"cari-e5-small failed .*inference: not enough memory"):
        encoder.embed_queries(["kapal"])
