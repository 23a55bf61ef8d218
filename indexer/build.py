"""Makes the index equal to a set of articles, embedding only what is new."""

from __future__ import annotations

import shutil
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Protocol

import numpy as np

from corpus import Article, Rejection, read_articles

from .cache import Embedded, VectorCache
from .chunker import ChunkSettings, chunk, embedded_text, embedded_title
from .errors import IndexDamaged, IndexerError, IndexMismatch, IndexNotFound, IndexNotWritable
from .generation import WORK, Generation, confirm, open_current, prune, publish, sweep
from .lexical import write_lexical
from .lock import build_lock
from .manifest import FORMAT, Manifest, sum_file
from .offsets import LATE_OFFSETS_FILE, OFFSETS_FILE, language_offsets, token_offsets, without_offsets, write_offsets
from .room import SAMPLED_ARTICLES, Room, least_token_bytes
from .store import Store, StoreWriter
from .stories import find_stories, sketch, sketch_type, write_stories
from .token_store import TokenStore, pack, write_tokens
from .vectors import write_vectors
from .wording import StorySettings, Wording, wording_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .encoder import Encoder
    from .passage import Passage
    from .token_store import Packed

_CACHE = "cache"
# Passages embedded between two commits of the cache: what a killed build loses at most.
_COMMIT_PASSAGES = 128
_WRITE_PASSAGES = 8192


class Progress(Protocol):
    """Told how far a build is."""

    def articles(self, done: int) -> None:
        """So many articles are read and divided."""

    def passages(self, done: int, total: int) -> None:
        """So many passages have their vectors, of `total`."""


@dataclass(slots=True, kw_only=True)
class BuildReport:
    """What a build did. `generation` is the live one; `published` is false when it already was equal."""

    generation: str = ""
    published: bool = False
    articles: int = 0
    passages: int = 0
    stories: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    embedded: int = 0
    reused: int = 0
    took_s: float = 0.0
    notes: list[str] = field(default_factory=list)
    quarantined: list[Rejection] = field(default_factory=list)


def build(
    paths: Sequence[Path],
    *,
    index: Path,
    encoder: Encoder,
    settings: ChunkSettings,
    progress: Progress,
    late: bool = True,
    keep: int = 2,
) -> BuildReport:
    """Write a generation that holds exactly the articles under `paths`, and make it the live one.

    `keep` generations stay beside it for `rollback`. When nothing changed, none is written. Without `late`, the
    token vectors that late interaction needs are left out; the cache keeps them, so that a later build can put
    them back without embedding anything.

    Raises:
        CorpusError: a path is missing or holds no article file.
        IndexerError: another build is at work, the disk refuses, or no article could be read. Whatever is
            raised, the live generation is as it was.
    """
    began = time.perf_counter()
    report = BuildReport()
    room = Room(index=index, cache=index / _CACHE)
    with _writable(index, room=room), build_lock(_made(index)):
        work = index / WORK
        sweep(index)
        previous = _previous(index, report)
        try:
            work.mkdir()
            with VectorCache(index / _CACHE, card=encoder.card) as cache:
                plan = _Plan(
                    encoder=encoder,
                    settings=settings,
                    grouping=StorySettings(),
                    late=late,
                    cache=cache,
                    room=room,
                    progress=progress,
                    report=report,
                )
                _write(paths, work=work, index=index, plan=plan, previous=previous)
            _prune(index, keep=keep, report=report)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    report.took_s = time.perf_counter() - began
    return report


def _confirm(index: Path, *, report: BuildReport) -> None:
    """A new generation is live by now, and whole: what the disk refuses from here on is told, and fails nothing."""
    try:
        confirm(index)
    except OSError as error:
        report.notes.append(
            f"{report.generation} is live, but the disk did not confirm it ({error}): after a power cut the generation "
            "before may be live again; check the disk, then run the same command again"
        )


def _prune(index: Path, *, keep: int, report: BuildReport) -> None:
    try:
        prune(index, keep=keep)
    except OSError as error:
        report.notes.append(
            f"{report.generation} is live, but older generations could not be removed ({error}); check who may write "
            f"in {index}; the next build tries again"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What every step of one build needs."""

    encoder: Encoder
    settings: ChunkSettings
    late: bool
    grouping: StorySettings
    cache: VectorCache
    room: Room
    progress: Progress
    report: BuildReport


def _write(paths: Sequence[Path], *, work: Path, index: Path, plan: _Plan, previous: Generation | None) -> None:
    report = plan.report
    _divide(paths, work=work, plan=plan, previous=previous)
    if report.articles == 0:
        raise IndexerError(
            f"none of {len(report.quarantined)} records could be read, first {_first(report.quarantined)}; "
            "the index stays as it was"
        )
    if previous is not None and _same(previous, work=work, plan=plan):
        report.generation, report.passages = previous.name, previous.manifest.passages
        report.reused, report.stories = report.passages, previous.manifest.stories
        _confirm(index, report=report)
        return
    store = Store(work)
    _expect(store, folder=work, plan=plan)
    report.stories = _group(store, folder=work, plan=plan, previous=previous)
    keys = _embed(store, folder=work, plan=plan)
    languages, counts = np.unique(store.languages(), return_counts=True)
    manifest = Manifest(
        format=FORMAT,
        model=plan.encoder.card,
        chunking=plan.settings,
        late=plan.late,
        grouping=plan.grouping,
        articles=store.n_articles,
        passages=store.n_passages,
        stories=report.stories,
        languages={str(code): int(n) for code, n in zip(languages, counts, strict=True)},
        files={path.name: sum_file(path) for path in sorted(work.iterdir())},
    )
    report.generation, report.published = publish(work, index=index, manifest=manifest), True
    _confirm(index, report=report)
    report.passages = store.n_passages
    plan.cache.prune(keys)


def _divide(paths: Sequence[Path], *, work: Path, plan: _Plan, previous: Generation | None) -> None:
    """Read the articles and write them with their passages, counting what is new."""
    report, encoder = plan.report, plan.encoder
    rows: dict[str, int] = {}
    before: dict[str, str] = {}
    if previous is not None:
        before = dict(previous.store.digests())
        rows = {digest: row for row, digest in enumerate(before.values())}
    same_division = previous is not None and _same_division(previous, plan=plan)

    def known(digest: str) -> Article | None:
        return previous.store.article(rows[digest]) if previous is not None and digest in rows else None

    with StoreWriter(work) as writer:
        for article in read_articles(paths, quarantine=report.quarantined.append, known=known):
            old = before.pop(article.id, None)
            report.added += old is None
            report.unchanged += old == article.digest
            report.changed += old not in (None, article.digest)
            if previous is not None and same_division and article.digest in rows:
                passages: list[Passage] = previous.store.passages(rows[article.digest], article)
            else:
                passages = chunk(
                    article,
                    tokenizer=encoder.tokenizer,
                    settings=plan.settings,
                    overhead_tokens=encoder.card.overhead_tokens,
                )
            writer.add(article, passages)
            plan.progress.articles(writer.n_articles)
    report.deleted = len(before)
    report.articles = writer.n_articles


def _expect(store: Store, *, folder: Path, plan: _Plan) -> None:
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


def _group(store: Store, *, folder: Path, plan: _Plan, previous: Generation | None) -> int:
    """Write which articles are the same story; returns how many stories there are."""
    known: dict[str, int] = {}
    if previous is not None and previous.manifest.grouping == plan.grouping:
        known = {digest: row for row, (_, digest) in enumerate(previous.store.digests())}

    def read(row: int) -> Wording:
        article = store.article(row)
        return wording_of(article.title, article.text, settings=plan.grouping)

    sketches = np.empty(store.n_articles, sketch_type(plan.grouping))
    for row, (_, digest) in enumerate(store.digests()):
        if previous is not None and digest in known:
            sketches[row] = previous.sketches[known[digest]]
        else:
            sketches[row] = sketch(read(row), settings=plan.grouping)
    story = find_stories(sketches, id_rank=store.id_rank(), read=read, settings=plan.grouping)
    write_stories(sketches, story, folder=folder)
    return len(np.unique(story))


def _embed(store: Store, *, folder: Path, plan: _Plan) -> list[bytes]:
    """Write vectors less their language's offset, tokens if wanted, and words of all passages.

    Returns their cache keys.
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
    write_vectors(moved, dim=dim, folder=folder)
    raw_file.unlink()
    if plan.late:
        tokens = TokenStore(folder, dim=dim)
        write_offsets(token_offsets(tokens, languages), path=folder / LATE_OFFSETS_FILE)
    write_lexical(_texts(store, plan=plan), languages=languages, folder=folder)
    return keys


def _embedded(store: Store, *, plan: _Plan) -> Iterator[tuple[bytes, Embedded]]:
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


def _texts(store: Store, *, plan: _Plan, rows: range | None = None) -> Iterator[str]:
    """What is embedded of each passage, in order; of all articles, or of those rows."""
    for row in range(store.n_articles) if rows is None else rows:
        article = store.article(row)
        title = embedded_title(article.title, tokenizer=plan.encoder.tokenizer, settings=plan.settings)
        for passage in store.passages(row, article):
            yield embedded_text(title, passage.text)


def _same(previous: Generation, *, work: Path, plan: _Plan) -> bool:
    """Whether the articles just written are those of the live generation, in the same order."""
    report = plan.report
    return (
        report.added == report.changed == report.deleted == 0
        and _same_division(previous, plan=plan)
        and previous.manifest.late == plan.late
        and list(previous.store.digests()) == list(Store(work).digests())
    )


def _same_division(previous: Generation, *, plan: _Plan) -> bool:
    manifest = previous.manifest
    return (
        manifest.chunking == plan.settings
        and manifest.grouping == plan.grouping
        and manifest.model.fingerprint == plan.encoder.card.fingerprint
    )


def _previous(index: Path, report: BuildReport) -> Generation | None:
    """The live generation, to reuse its work; a damaged or foreign one is replaced, which the report says."""
    try:
        return open_current(index)
    except IndexNotFound:
        return None
    except (IndexDamaged, IndexMismatch) as error:
        report.notes.append(f"the live generation could not be reused: {error}")
        return None


def _made(index: Path) -> Path:
    index.mkdir(parents=True, exist_ok=True)
    return index


@contextmanager
def _writable(index: Path, *, room: Room) -> Iterator[None]:
    """Turns what the system says of a failed write into what to do."""
    try:
        yield
    except OSError as error:
        raise IndexNotWritable(
            f"cannot write the index in {index} ({error}); {room.figures(error)}: free space there or check who may "
            "write, then run the same command again: it goes on where it stopped, and the live generation is as it was"
        ) from error
    except IndexDamaged as error:  # of the new one: a live one that is damaged is replaced
        raise IndexNotWritable(
            f"what was written to {index} does not read back: the disk lost some of it; {room.figures()}: check the "
            "disk and its free space, then run the same command again; the live generation is as it was"
        ) from error


def _first(rejections: list[Rejection]) -> str:
    return f"{rejections[0].place}: {rejections[0].reason}" if rejections else "nothing"
