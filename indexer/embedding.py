"""Vectors, tokens and words of all passages, from the cache where they are known."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from .cache import Embedded
from .chunker import embedded_text, embedded_title
from .lexical import write_lexical
from .offsets import LATE_OFFSETS_FILE, OFFSETS_FILE, language_offsets, token_offsets, without_offsets, write_offsets
from .recall import LEAST_RECALL
from .room import SAMPLED_ARTICLES, least_token_bytes
from .token_store import TokenStore, pack, write_tokens
from .vectors import write_vectors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .plan import Plan
    from .recall import VectorSearch
    from .store import Store
    from .token_store import Packed

# Passages embedded between two commits of the cache: what a killed build loses at most.
_COMMIT_PASSAGES = 128
_WRITE_PASSAGES = 8192


def expect_room(store: Store, *, folder: Path, plan: Plan) -> None:
    """Stop before hours of embedding where the disk is too small for what comes of it."""
    dim = plan.encoder.card.dim
    vector_bytes = np.dtype(np.float32).itemsize * dim
    spread = range(0, store.n_articles, -(-store.n_articles // SAMPLED_ARTICLES))
    sample = _texts(store, plan=plan, rows=spread)
    token_bytes = least_token_bytes(sample, tokenizer=plan.encoder.tokenizer, dim=dim)
    # A vector is on disk twice for a while, before and after its language's offset is removed.
    a_passage = 2 * vector_bytes + (token_bytes if plan.late else 0)
    plan.room.expect(
        folder,
        generation_bytes=int(store.n_passages * a_passage),
        cached_bytes=int(store.n_passages * (vector_bytes + token_bytes)),
    )


def write_embeddings(store: Store, *, folder: Path, plan: Plan) -> tuple[list[bytes], VectorSearch]:
    """Write vectors less their language's offset, tokens if wanted, and words of all passages.

    Returns their cache keys, and how the vectors are to be searched.
    """
    dim = plan.encoder.card.dim
    raw_file = folder / "raw.bin"
    keys: list[bytes] = []
    # Written as a file and mapped once it is whole: a disk that fills up under a map would kill the process.
    with raw_file.open("wb") as stream:

        def packed() -> Iterator[Packed]:
            for key, entry in _embedded(store, plan=plan):
                stream.write(entry.vector.astype(np.float32).tobytes())
                keys.append(key)
                yield entry.tokens

        if plan.late:
            write_tokens(packed(), folder=folder)
        else:
            deque(packed(), maxlen=0)
    raw = np.memmap(raw_file, np.float32, mode="r", shape=(len(keys), dim)) if keys else np.empty((0, dim), np.float32)
    languages = store.passage_languages()
    offsets = language_offsets(raw, languages)
    write_offsets(offsets, path=folder / OFFSETS_FILE)
    blocks = (slice(at, at + _WRITE_PASSAGES) for at in range(0, len(raw), _WRITE_PASSAGES))
    moved = (without_offsets(raw[block], languages[block], offsets) for block in blocks)
    search = write_vectors(moved, dim=dim, folder=folder, exact_rows=plan.exact_rows)
    if search.fell_short:
        plan.report.notes.append(
            f"codes of the vectors do not find {LEAST_RECALL:.0%} of what comparing all does: every search compares "
            f"all {len(raw)}, which takes longer"
        )
    raw_file.unlink()
    if plan.late:
        tokens = TokenStore(folder, dim=dim)
        write_offsets(token_offsets(tokens, languages), path=folder / LATE_OFFSETS_FILE)
    write_lexical(_texts(store, plan=plan), languages=languages, folder=folder)
    return keys, search


def _embedded(store: Store, *, plan: Plan) -> Iterator[tuple[bytes, Embedded]]:
    """Each passage's key and embedding, in order; what the cache lacks is embedded and put there."""
    done = 0
    texts = _texts(store, plan=plan)
    while block := list(islice(texts, _COMMIT_PASSAGES)):
        keys = [plan.cache.key(text) for text in block]
        found = plan.cache.get(keys)
        plan.report.reused += sum(key in found for key in keys)
        missing = {key: text for key, text in zip(keys, block, strict=True) if key not in found}
        if missing:
            embedding = plan.encoder.embed_passages(list(missing.values()))
            fresh = {
                key: Embedded(vector, pack(tokens))
                for key, vector, tokens in zip(missing, embedding.vectors, embedding.tokens, strict=True)
            }
            plan.cache.put(fresh)
            found |= fresh
            plan.report.embedded += len(missing)
        yield from ((key, found[key]) for key in keys)
        done += len(block)
        plan.progress.passages(done, store.n_passages)


def _texts(store: Store, *, plan: Plan, rows: range | None = None) -> Iterator[str]:
    """What is embedded of each passage, in order; of all articles, or of those rows."""
    for row in range(store.n_articles) if rows is None else rows:
        article = store.article(row)
        title = embedded_title(article.title, tokenizer=plan.encoder.tokenizer, settings=plan.settings)
        for passage in store.passages(row, article):
            yield embedded_text(title, passage.text)
