# An embedding cache that was altered anywhere on disk: nothing wrong comes out of it, and nothing stops a build.

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING

import pytest

from indexer import HashingEncoder, current_generation
from indexer.cache import CACHE_FILE, Embedded, VectorCache
from indexer.current import generation_folder
from indexer.manifest import read_manifest
from indexer.token_store import pack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from indexer import BuildReport

ENCODER = HashingEncoder()
# From one to seven sentences, so that some entries fit a page of the file and others run over several.
TEXTS = [f"Kapal feri nomor {number} tiba di muara. " * (1 + number % 7) for number in range(60)]
HEADER_BYTES = 110
PAGE_BYTES = 4_096

Entries = dict[bytes, Embedded]


def plain(entries: Entries) -> dict[bytes, bytes]:
    return {key: entry.vector.tobytes() + entry.tokens.tobytes() for key, entry in entries.items()}


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> Entries:
    embedding = ENCODER.embed_passages(TEXTS)
    with VectorCache(tmp_path_factory.mktemp("keys"), card=ENCODER.card) as cache:
        keys = [cache.key(text) for text in TEXTS]
    packed = [pack(tokens) for tokens in embedding.tokens]
    return {key: Embedded(*kept) for key, *kept in zip(keys, embedding.vectors, packed, strict=True)}


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory, entries: Entries) -> Path:
    """As a build that ended leaves it: one file."""
    folder = tmp_path_factory.mktemp("closed")
    with VectorCache(folder, card=ENCODER.card) as cache:
        cache.put(entries)
    assert [file.name for file in folder.iterdir()] == [CACHE_FILE]
    return folder


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, entries: Entries) -> Path:
    """As a killed build leaves it: half of the vectors in the file, half in the log beside it."""
    folder = tmp_path_factory.mktemp("killed")
    half = len(entries) // 2
    with VectorCache(folder / "cache", card=ENCODER.card) as cache:
        cache.put(dict(list(entries.items())[:half]))
    with VectorCache(folder / "cache", card=ENCODER.card) as cache:
        cache.put(dict(list(entries.items())[half:]))
        shutil.copytree(folder / "cache", folder / "killed")
    assert len(list((folder / "killed").iterdir())) == 3
    return folder / "killed"


def chance_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - to be repeated, not to be secret


def hurt(folder: Path, chance: random.Random) -> str:
    """Alters one byte of one file, half of the time where a page or the log keeps its own account; or cuts it."""
    file = chance.choice(sorted(folder.iterdir()))
    content = bytearray(file.read_bytes())
    if chance.random() < 0.1:
        length = chance.randrange(len(content))
        file.write_bytes(content[:length])
        return f"{file.name} cut to {length} bytes"
    place = chance.randrange(len(content))
    if chance.random() < 0.5:
        place = place // PAGE_BYTES * PAGE_BYTES + chance.randrange(HEADER_BYTES)
        place = min(place, len(content) - 1)
    before = content[place]
    content[place] ^= chance.randrange(1, 256)
    file.write_bytes(content)
    return f"byte {place} of {file.name}: {before} became {content[place]}"


@pytest.mark.parametrize("left", ["closed", "killed"])
def test_what_an_altered_cache_returns_is_what_was_put_there(
    left: str, request: pytest.FixtureRequest, tmp_path: Path, entries: Entries, rounds: Callable[..., int]
) -> None:
    expected = plain(entries)
    lost = 0
    for seed in range(rounds(small=30, full=1_000)):
        folder = shutil.copytree(request.getfixturevalue(left), tmp_path / "cache")
        what = hurt(folder, chance_of(seed))

        with VectorCache(folder, card=ENCODER.card) as cache:
            found = plain(cache.get(list(entries)))
            assert found.items() <= expected.items(), (seed, what)
            lost += len(found) < len(expected)
            cache.put({key: entry for key, entry in entries.items() if key not in found})
            again = plain(cache.get(list(entries)))
            assert again.items() <= expected.items(), (seed, what)
            cache.prune(list(entries)[:5])
        # Whatever is still missing can be put once more: the next build heals the file.
        with VectorCache(folder, card=ENCODER.card) as cache:
            cache.put(entries)
        shutil.rmtree(folder)
    assert lost > 0


def test_each_bit_of_the_files_header_may_be_altered(
    closed: Path, tmp_path: Path, entries: Entries, rounds: Callable[..., int]
) -> None:
    expected = plain(entries)
    whole = (closed / CACHE_FILE).read_bytes()
    # What says whether the file may be written, and then any.
    bits = [8 * 18 + 2, *chance_of(0).sample(range(8 * HEADER_BYTES), rounds(small=30, full=8 * HEADER_BYTES))]
    for bit in bits:
        altered = bytearray(whole)
        altered[bit // 8] ^= 1 << bit % 8
        (tmp_path / CACHE_FILE).write_bytes(altered)

        with VectorCache(tmp_path, card=ENCODER.card) as cache:
            found = plain(cache.get(list(entries)))
            cache.put(entries)
            again = plain(cache.get(list(entries)))

        assert found.items() <= expected.items(), bit
        assert again == expected, bit
        for file in tmp_path.iterdir():
            file.unlink()


@pytest.fixture(scope="module")
def built(
    tmp_path_factory: pytest.TempPathFactory,
    write_rows: Callable[..., Path],
    build_quietly: Callable[..., BuildReport],
) -> Path:
    """Articles, and an index that was built from them with a fresh cache."""
    folder = tmp_path_factory.mktemp("built")
    rows = [{"id": str(number), "text": text, "lang": "id"} for number, text in enumerate(TEXTS)]
    build_quietly(write_rows(folder / "articles.jsonl", rows), index=folder / "index")
    return folder


def content_of(index: Path) -> dict[str, bytes]:
    folder = generation_folder(index, current_generation(index))
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_build_with_an_altered_cache_writes_the_same_bytes_as_one_with_a_whole_cache(
    built: Path, tmp_path: Path, build_quietly: Callable[..., BuildReport], rounds: Callable[..., int]
) -> None:
    expected = content_of(built / "index")
    total = read_manifest(generation_folder(built / "index", current_generation(built / "index"))).passages
    for seed in range(rounds(small=4, full=100)):
        index = tmp_path / "index"
        shutil.copytree(built / "index" / "cache", index / "cache")
        what = hurt(index / "cache", chance_of(seed))

        report = build_quietly(built / "articles.jsonl", index=index)

        assert content_of(index) == expected, (seed, what)
        assert report.embedded + report.reused == total, (seed, what)
        shutil.rmtree(index)


def test_only_the_vector_that_was_altered_is_computed_again(
    built: Path, tmp_path: Path, build_quietly: Callable[..., BuildReport], rounds: Callable[..., int]
) -> None:
    expected = content_of(built / "index")
    index = tmp_path / "index"
    shutil.copytree(built / "index" / "cache", index / "cache")
    file = index / "cache" / CACHE_FILE
    kept = file.read_bytes()
    vectors = ENCODER.embed_passages(TEXTS).vectors
    for seed in range(rounds(small=2, full=30)):
        chance = chance_of(seed)
        content = bytearray(kept)
        first = kept.index(chance.choice(vectors).tobytes())
        content[first + chance.randrange(vectors.shape[1] * vectors.itemsize)] ^= chance.randrange(1, 256)
        file.write_bytes(content)

        report = build_quietly(built / "articles.jsonl", index=index)

        assert (report.embedded, content_of(index)) == (1, expected), seed
        shutil.rmtree(index)
        shutil.copytree(built / "index" / "cache", index / "cache")
