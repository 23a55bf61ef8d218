from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import IndexDamaged, TokenStore, TokenVectors
from indexer.encoder import unit_rows
from indexer.offsets import token_offsets
from indexer.token_store import FREQUENT_PIECES, pack, products, tokens_file, unpack, write_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer import Rows


def tokens(*ids: int, dim: int = 8, seed: int = 0) -> TokenVectors:
    vectors = np.random.default_rng(seed).standard_normal((len(ids), dim)).astype(np.float32)
    return text(ids, unit_rows(vectors))


def text(ids: Sequence[int], vectors: Rows) -> TokenVectors:
    """Tokens of four code points each."""
    return TokenVectors(np.array(ids, np.int32), vectors, np.arange(4 * len(ids), 0, -4, np.int32))


def test_four_bits_keep_a_direction_as_the_docstring_works_out() -> None:
    vectors = np.array([[0.6, -0.8]], np.float32)

    found = unpack(pack(text([1000], vectors)))

    # .6 / .8 * 7 = 5.25 -> 5, -7 -> -7, and |(5, -7)| = sqrt(74) = 8.602.
    np.testing.assert_allclose(found, [[5 / 74**0.5, -7 / 74**0.5]], rtol=1e-6)


def test_each_dimension_comes_back_in_its_own_place() -> None:
    vectors = np.eye(8, dtype=np.float32) * np.array([1, -1] * 4, np.float32)

    found = unpack(pack(text(range(1000, 1008), vectors)))

    np.testing.assert_array_equal(found, vectors)


def test_real_directions_survive_within_a_few_degrees() -> None:
    given = tokens(*range(1000, 1200), dim=384)

    cosines = (unpack(pack(given)) * given.vectors).sum(axis=1)

    assert cosines.min() > 0.98


def test_frequent_pieces_are_left_out_and_the_others_stand_where_they_stood() -> None:
    packed = pack(tokens(5, 1000, 7, 2000, 3000, FREQUENT_PIECES - 1, FREQUENT_PIECES))

    assert packed["to_end"].tolist() == [24, 16, 12, 4]


def test_a_token_farther_from_the_end_than_a_record_can_tell_stands_as_far_as_it_can() -> None:
    given = TokenVectors(np.full(4, 1000, np.int32), np.eye(4, dtype=np.float32), np.array([70_000, 65_536, 65_535, 9]))

    assert pack(given)["to_end"].tolist() == [65_535, 65_535, 65_535, 9]


def test_a_passage_of_frequent_pieces_keeps_them_all() -> None:
    assert len(pack(tokens(5, 1000, 7))) == 3


def test_the_product_is_what_the_docstring_works_out() -> None:
    packed = np.empty(1, pack(tokens(1000, dim=2)).dtype)
    packed["codes"], packed["length2"], packed["to_end"] = 11 | 6 << 4, 1, 0

    assert products(np.array([[1, 2]], np.float32), packed).tolist() == [[-1.0]]


@pytest.mark.parametrize("count", [0, 1, 2047, 2048, 5000])
def test_products_equal_those_with_the_unpacked_tokens(count: int) -> None:
    packed = pack(tokens(*range(1000, 1000 + count), dim=64)) if count else pack(tokens(1000, dim=64))[:0]
    vectors = tokens(*range(9), dim=64, seed=1).vectors

    np.testing.assert_allclose(products(vectors, packed), vectors @ unpack(packed).T, atol=1e-6)


def test_a_zero_vector_does_not_become_nan() -> None:
    empty = text([1000], np.zeros((1, 8), np.float32))

    assert np.isfinite(unpack(pack(empty))).all()


def test_passages_come_back_in_the_order_asked_for(tmp_path: Path) -> None:
    passages = [pack(tokens(*range(1000, 1000 + n), seed=n)) for n in (3, 0, 5)]
    write_tokens(passages, folder=tmp_path)

    store = TokenStore(tmp_path, dim=8)
    found, bounds = store.tokens([2, 1, 0])

    assert len(store) == 3
    assert bounds.tolist() == [0, 5, 5, 8]
    np.testing.assert_array_equal(found, np.concatenate([passages[2], passages[1], passages[0]]))


def test_no_passages_at_all_open_too(tmp_path: Path) -> None:
    write_tokens([], folder=tmp_path)

    found, bounds = TokenStore(tmp_path, dim=8).tokens([])

    assert (len(found), bounds.tolist()) == (0, [0])


@pytest.mark.parametrize("kept_bytes", [0, 4, 20, 50, -1])
def test_a_file_cut_short_is_refused(tmp_path: Path, kept_bytes: int) -> None:
    write_tokens([pack(tokens(1000, 1001, 1002, 1003))], folder=tmp_path)
    path = tmp_path / tokens_file(0)
    path.write_bytes(path.read_bytes()[:kept_bytes])

    with pytest.raises(IndexDamaged, match="cari verify"):
        TokenStore(tmp_path, dim=8)


def test_a_file_cut_short_while_it_is_open_is_refused_and_the_rest_still_read(tmp_path: Path) -> None:
    passages = [pack(tokens(*range(1000, 1004), seed=seed)) for seed in (0, 1)]
    write_tokens(passages, folder=tmp_path)
    store = TokenStore(tmp_path, dim=8)
    path = tmp_path / tokens_file(0)
    os.truncate(path, path.stat().st_size - 3)

    with pytest.raises(IndexDamaged, match="cari verify"):
        store.tokens([0, 1])
    np.testing.assert_array_equal(store.tokens([0])[0], passages[0])


def test_a_store_that_nobody_holds_holds_no_file(tmp_path: Path) -> None:
    write_tokens([pack(tokens(1000, 1001, 1002, 1003))], folder=tmp_path)

    def held() -> set[str]:
        return {os.path.realpath(path) for path in Path("/proc/self/fd").iterdir()}

    store = TokenStore(tmp_path, dim=8)
    assert str(tmp_path / tokens_file(0)) in held()
    del store
    gc.collect()
    assert str(tmp_path / tokens_file(0)) not in held()


def test_token_offsets_are_what_sets_a_language_apart(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    accent = {"id": np.eye(8)[0], "en": np.eye(8)[1]}
    languages = np.array(["id", "en"] * 60)
    passages = []
    for language in languages:
        vectors = unit_rows((rng.standard_normal((6, 8)) * 0.3 + accent[language]).astype(np.float32))
        passages.append(pack(text(range(1000, 1006), vectors)))
    write_tokens(passages, folder=tmp_path)

    offsets = token_offsets(TokenStore(tmp_path, dim=8), languages)

    assert offsets["id"][0] > 0.2 > -0.2 > offsets["id"][1]
    np.testing.assert_allclose(offsets["id"], -offsets["en"], atol=1e-5)
