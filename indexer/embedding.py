"""Vectors, tokens and words of all passages: taken over, from the cache, or embedded.

One thread embeds. Another does everything else, a segment or two around it: it reads and looks up what comes next,
packs, keeps in the cache and writes what was embedded. Being one, it does that in the same order every time.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import TYPE_CHECKING

import numpy as np

from .cache import Embedded
from .chunker import embedded_text, embedded_title
from .lexical import write_lexical
from .offsets import LATE_OFFSETS_FILE, OFFSETS_FILE, offsets_of, token_offsets, without_offsets, write_offsets
from .recall import LEAST_RECALL
from .room import SAMPLED_ARTICLES, least_token_bytes
from .segments import Entry, read_vectors, read_words, segments_of, write_segment
from .token_store import TokenStore, pack
from .vectors import write_vectors
from .word_counts import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    import numpy.typing as npt

    from .encoder import Embedding, Rows
    from .plan import Plan
    from .recall import VectorSearch
    from .reuse import Reusable
    from .store import Store
    from .word_counts import Words

# Passages embedded between two commits of the cache. A killed build loses at most twice as many: those that are being
# embedded, and those before them that are being kept.
_COMMIT_PASSAGES = 64


@dataclass(frozen=True, slots=True)
class Section:
    """A segment to be written: its number, its articles' rows, and the segment of the live generation it equals."""

    segment: int
    rows: range
    equal: int | None


@dataclass(frozen=True, slots=True)
class Written:
    """What was written of all passages.

    Their cache keys; which files are links to those of the live generation, by their names; how vectors are searched.
    """

    keys: list[bytes]
    links: dict[str, str]
    search: VectorSearch


def sections_of(store: Store, *, reusable: Reusable | None) -> list[Section]:
    """The segments that these articles make."""
    digests = [digest for _, digest in store.digests()]
    return [
        Section(segment, range(first, end), None if reusable is None else reusable.segment(digests[first:end]))
        for segment, (first, end) in enumerate(pairwise(segments_of(store).tolist()))
    ]


def expect_room(store: Store, sections: Sequence[Section], *, folder: Path, plan: Plan) -> None:
    """Stop before hours of embedding where the disk is too small for what comes of it."""
    dim = plan.encoder.card.dim
    vector_bytes = np.dtype(np.float32).itemsize * dim
    rows = [row for section in sections if section.equal is None for row in section.rows]
    fresh = int(sum(store.first_passage[row + 1] - store.first_passage[row] for row in rows))
    sample = _texts(store, plan=plan, rows=rows[:: -(-len(rows) // SAMPLED_ARTICLES) or 1])
    token_bytes = least_token_bytes(sample, tokenizer=plan.encoder.tokenizer, dim=dim)
    # A vector is stored twice, before and after its language's offset is removed; the first does not change.
    plan.room.expect(
        folder,
        generation_bytes=int(
            store.n_passages * vector_bytes + fresh * (vector_bytes + (token_bytes if plan.late else 0))
        ),
        cached_bytes=int(fresh * (vector_bytes + token_bytes)),
    )


def write_embeddings(
    store: Store, sections: Sequence[Section], *, folder: Path, plan: Plan, reusable: Reusable | None
) -> Written:
    """Write vectors less their language's offset, tokens if wanted, and words of all passages."""
    languages = store.passage_languages()
    segments = range(len(sections))

    def vectors() -> Iterator[tuple[Rows, npt.NDArray[np.str_]]]:
        at = 0
        for segment in segments:
            block = read_vectors(folder, segment, dim=plan.encoder.card.dim)
            yield block, languages[at : at + len(block)]
            at += len(block)

    with ThreadPoolExecutor(max_workers=1) as beside:
        desk = _Desk(store=store, folder=folder, plan=plan, reusable=reusable)
        keys, links = _write_segments(sections, desk=desk, beside=beside)
        words = (read_words(folder, segment) for segment in segments)
        indexed = beside.submit(write_lexical, words, languages=languages, folder=folder)
        offsets = offsets_of(vectors())
        write_offsets(offsets, path=folder / OFFSETS_FILE)
        moved = (without_offsets(block, of, offsets) for block, of in vectors() if len(block))
        search = write_vectors(moved, dim=plan.encoder.card.dim, folder=folder, exact_rows=plan.exact_rows)
        if search.fell_short:
            plan.report.notes.append(
                f"codes of the vectors do not find {LEAST_RECALL:.0%} of what comparing all does: each search compares "
                f"all {len(languages)}, which takes longer"
            )
        if plan.late:
            tokens = TokenStore(folder, dim=plan.encoder.card.dim)
            write_offsets(token_offsets(tokens, languages), path=folder / LATE_OFFSETS_FILE)
        indexed.result()
    return Written(keys, links, search)


def _write_segments(
    sections: Sequence[Section], *, desk: _Desk, beside: ThreadPoolExecutor
) -> tuple[list[bytes], dict[str, str]]:
    """Embed what is missing; everything else happens `beside`."""
    plan, done = desk.plan, 0
    keys: list[bytes] = []
    links: dict[str, str] = {}
    fresh: dict[bytes, Embedded] = {}
    writing: Future[None] | None = None
    upcoming = beside.submit(desk.prepare, sections[0])
    for section in sections:
        pending = upcoming.result()
        if section is not sections[-1]:
            upcoming = beside.submit(desk.prepare, sections[section.segment + 1])
        pending.find(fresh)  # what was embedded since it was looked up
        plan.report.reused += sum(key not in pending.missing for key in pending.keys)
        plan.report.embedded += len(pending.missing)
        fresh = {}
        keeping: Future[dict[bytes, Embedded]] | None = None
        # Texts of a length are embedded together: the shorter need less filling up.
        missing = iter(sorted(pending.missing.items(), key=lambda item: len(item[1])))
        while batch := dict(islice(missing, _COMMIT_PASSAGES)):
            embedding = plan.encoder.embed_passages(list(batch.values()))
            if keeping is not None:
                fresh |= keeping.result()
            keeping = beside.submit(desk.keep, list(batch), embedding)
            done += len(batch)
            plan.progress.passages(done, desk.store.n_passages)
        if keeping is not None:
            fresh |= keeping.result()
        pending.find(fresh)
        if writing is not None:
            writing.result()
        writing = beside.submit(desk.write, pending)
        keys += pending.keys
        links |= pending.links
        done = len(keys)
        plan.progress.passages(done, desk.store.n_passages)
    if writing is not None:
        writing.result()
    return keys, links


@dataclass(slots=True)
class _Pending:
    """A segment on its way: of each passage the key, its entry or its words; embeddings by key; texts without one."""

    section: Section
    keys: list[bytes] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    entries: list[Entry | Words] = field(default_factory=list)
    known: dict[bytes, Embedded] = field(default_factory=dict)
    missing: dict[bytes, str] = field(default_factory=dict)

    def find(self, embedded: dict[bytes, Embedded]) -> None:
        """Some of what is missing is known by now."""
        for key in [key for key in self.missing if key in embedded]:
            self.known[key] = embedded[key]
            del self.missing[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """What is done beside the embedding, one task after the other."""

    store: Store
    folder: Path
    plan: Plan
    reusable: Reusable | None

    def prepare(self, section: Section) -> _Pending:
        """Take over what the live generation has of a segment, and look up the rest."""
        pending = _Pending(section)
        if section.equal is not None and self.reusable is not None:
            pending.links = self.reusable.take(section.equal, folder=self.folder, as_segment=section.segment)
            pending.keys = self.reusable.keys(section.equal)
            return pending
        texts: dict[bytes, str] = {}
        for row in section.rows:
            article = self.store.article(row)
            entries = self.reusable.entries(article.digest) if self.reusable is not None else None
            if entries is not None:
                pending.entries += entries
                pending.keys += (entry.key for entry in entries)
                continue
            for text in _texts(self.store, plan=self.plan, rows=[row]):
                key = self.plan.cache.key(text)
                texts[key] = text
                pending.keys.append(key)
                pending.entries.append(words_of(text, language=article.language))
        pending.known = self.plan.cache.get(list(texts))
        pending.missing = {key: text for key, text in texts.items() if key not in pending.known}
        return pending

    def keep(self, keys: Sequence[bytes], embedding: Embedding) -> dict[bytes, Embedded]:
        """Pack what was embedded and put it into the cache."""
        fresh = {
            key: Embedded(vector, pack(tokens))
            for key, vector, tokens in zip(keys, embedding.vectors, embedding.tokens, strict=True)
        }
        self.plan.cache.put(fresh)
        return fresh

    def write(self, pending: _Pending) -> None:
        """Write a segment all of whose embeddings are known; one that was taken over is there already."""
        if pending.section.equal is None:
            entries = [
                entry if isinstance(entry, Entry) else Entry(key, pending.known[key], entry)
                for key, entry in zip(pending.keys, pending.entries, strict=True)
            ]
            write_segment(entries, folder=self.folder, segment=pending.section.segment, late=self.plan.late)


def _texts(store: Store, *, plan: Plan, rows: Sequence[int]) -> Iterator[str]:
    """What is embedded of each passage of those articles, in order."""
    for row in rows:
        article = store.article(row)
        title = embedded_title(article.title, tokenizer=plan.encoder.tokenizer, settings=plan.settings)
        for passage in store.passages(row, article):
            yield embedded_text(title, passage.text)
