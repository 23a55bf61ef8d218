from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from indexer import HashingEncoder
from indexer.cache import CACHE_FILE, Embedded, VectorCache
from indexer.token_store import pack

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.encoder import Embedding

ENCODER = HashingEncoder()
CARD = ENCODER.card
TEXTS = [f"kalimat nomor {number}" for number in range(20)]
EMBEDDING = ENCODER.embed_passages([*TEXTS[:-1], ""])


def entries(keys: list[bytes], embedding: Embedding = EMBEDDING) -> dict[bytes, Embedded]:
    packed = [pack(tokens) for tokens in embedding.tokens]
    return {key: Embedded(*kept) for key, *kept in zip(keys, embedding.vectors, packed, strict=True)}


def fill(folder: Path) -> list[bytes]:
    with VectorCache(folder, card=CARD) as cache:
        keys = [cache.key(text) for text in TEXTS]
        cache.put(entries(keys))
    return keys


def known(folder: Path, keys: list[bytes]) -> int:
    with VectorCache(folder, card=CARD) as cache:
        return len(cache.get(keys))


def test_vectors_come_back_exactly(tmp_path: Path) -> None:
    keys = fill(tmp_path)

    with VectorCache(tmp_path, card=CARD) as cache:
        found = cache.get(keys)

    for key, entry in entries(keys).items():
        np.testing.assert_array_equal(found[key].vector, entry.vector)
        assert found[key].tokens.tobytes() == entry.tokens.tobytes()


def test_vectors_kept_with_records_of_another_kind_are_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before:
        before.setattr("indexer.cache.RECORD", "another kind")
        fill(tmp_path)

    with VectorCache(tmp_path, card=CARD) as cache:
        assert cache.get([cache.key(text) for text in TEXTS]) == {}


def test_what_was_never_put_is_unknown(tmp_path: Path) -> None:
    keys = fill(tmp_path)

    with VectorCache(tmp_path, card=CARD) as cache:
        assert cache.get([]) == {}
        assert list(cache.get([cache.key("lain"), keys[3]])) == [keys[3]]


def test_more_keys_than_one_statement_takes_are_all_found(tmp_path: Path) -> None:
    texts = [str(number) for number in range(1_200)]
    with VectorCache(tmp_path, card=CARD) as cache:
        keys = [cache.key(text) for text in texts]
        cache.put(entries(keys, ENCODER.embed_passages(texts)))

        assert len(cache.get(keys)) == 1_200


def test_the_vectors_of_another_model_are_not_returned(tmp_path: Path) -> None:
    fill(tmp_path)
    other = replace(CARD, fingerprint="f" * 64)

    with VectorCache(tmp_path, card=other) as cache:
        assert cache.get([cache.key(text) for text in TEXTS]) == {}


def test_an_altered_vector_counts_as_unknown_and_only_it(tmp_path: Path) -> None:
    keys = fill(tmp_path)
    connection = sqlite3.connect(tmp_path / CACHE_FILE)
    with connection:
        (content,) = connection.execute("SELECT content FROM vectors WHERE key = ?", (keys[4],)).fetchone()
        altered = content[:10] + bytes([content[10] ^ 1]) + content[11:]
        connection.execute("UPDATE vectors SET content = ? WHERE key = ?", (altered, keys[4]))
    connection.close()

    with VectorCache(tmp_path, card=CARD) as cache:
        found = cache.get(keys)

    assert set(found) == set(keys) - {keys[4]}


def test_a_vector_under_the_key_of_another_text_counts_as_unknown(tmp_path: Path) -> None:
    keys = fill(tmp_path)
    connection = sqlite3.connect(tmp_path / CACHE_FILE)
    with connection:
        connection.execute(
            "UPDATE vectors SET (sum, content) = (SELECT sum, content FROM vectors WHERE key = ?) WHERE key = ?",
            (keys[0], keys[1]),
        )
    connection.close()

    assert known(tmp_path, keys[1:2]) == 0


@pytest.mark.parametrize("damage", ["garbage", "cut", "zeroed"])
def test_a_file_that_cannot_be_read_is_dropped_and_made_anew(tmp_path: Path, damage: str) -> None:
    keys = fill(tmp_path)
    file = tmp_path / CACHE_FILE
    content = file.read_bytes()
    damaged = {
        "garbage": b"no database " * 999,
        "cut": content[: len(content) // 2],
        "zeroed": content[:4096] + bytes(len(content) - 4096),
    }
    file.write_bytes(damaged[damage])

    with VectorCache(tmp_path, card=CARD) as cache:
        assert cache.get(keys) == {}
        cache.put(entries(keys))

    assert known(tmp_path, keys) == len(TEXTS)


def test_a_table_of_another_shape_is_dropped_and_made_anew(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / CACHE_FILE)
    with connection:
        connection.execute("CREATE TABLE vectors (name TEXT)")
    connection.close()

    assert len(fill(tmp_path)) == known(tmp_path, fill(tmp_path))


def test_a_write_that_fails_keeps_none_of_its_vectors(tmp_path: Path) -> None:
    with VectorCache(tmp_path, card=CARD) as cache:
        keys = [cache.key(text) for text in TEXTS]
        bad: dict[Any, Any] = entries(keys) | {None: None}
        with pytest.raises(AttributeError):
            cache.put(bad)

        assert cache.get(keys) == {}


def test_what_is_put_survives_a_process_that_ends_without_closing(tmp_path: Path) -> None:
    left_open = VectorCache(tmp_path, card=CARD)
    keys = [left_open.key(text) for text in TEXTS]
    left_open.put(entries(keys))

    assert known(tmp_path, keys) == len(TEXTS)
    left_open.__exit__(None, None, None)


def test_pruning_forgets_the_rest_once_it_is_more_than_half(tmp_path: Path) -> None:
    keys = fill(tmp_path)
    with VectorCache(tmp_path, card=CARD) as cache:
        cache.prune(keys[:10])
        assert len(cache.get(keys)) == 20

        cache.prune(keys[:9])
        assert set(cache.get(keys)) == set(keys[:9])


def test_pruning_a_damaged_file_does_no_harm(tmp_path: Path) -> None:
    keys = fill(tmp_path)
    with VectorCache(tmp_path, card=CARD) as cache:
        cache._connection.execute("DROP TABLE vectors")
        cache.prune(keys[:1])


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(OSError, match="file/cache"):
        VectorCache(tmp_path / "file" / "cache", card=CARD)
