"""Makes the index equal to a set of articles, embedding only what is new."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from corpus import Article, Rejection, read_articles

from .cache import VectorCache
from .chunker import ChunkSettings, chunk
from .current import current_generation, generation_folder
from .embedding import expect_room, sections_of, write_embeddings
from .errors import IndexDamaged, IndexerError, IndexMismatch, IndexNotFound, IndexNotWritable
from .generation import Generation, verify
from .lock import build_lock
from .manifest import FORMAT, Manifest, each_file, read_manifest, sum_file
from .plan import BuildReport, Plan, Progress
from .publishing import WORK, confirm, prune, publish, sweep
from .reuse import Reusable
from .room import Room
from .segments import is_of_segment
from .store import Store, StoreWriter
from .stories import Comparisons, find_stories, sketch, sketch_type, write_stories
from .vectors import EXACT_ROWS
from .wording import StorySettings, Wording, wording_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from .encoder import Encoder

_CACHE = "cache"


def build(
    paths: Sequence[Path],
    *,
    index: Path,
    encoder: Encoder,
    settings: ChunkSettings,
    progress: Progress,
    late: bool = True,
    exact_rows: int = EXACT_ROWS,
    keep: int = 2,
) -> BuildReport:
    """Write a generation that holds exactly the articles under `paths`, and make it the live one.

    `keep` generations stay beside it for `rollback`. When nothing changed, none is written. Without `late`, the
    token vectors that late interaction needs are left out; the cache keeps them, so that a later build can put
    them back without embedding anything. Beyond `exact_rows` passages, codes of their vectors are searched first.

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
        try:
            work.mkdir()
            with VectorCache(index / _CACHE, card=encoder.card) as cache, ThreadPoolExecutor(1) as beside:
                plan = Plan(
                    encoder=encoder,
                    settings=settings,
                    grouping=StorySettings(),
                    late=late,
                    exact_rows=exact_rows,
                    cache=cache,
                    room=room,
                    progress=progress,
                    report=report,
                )
                live = _live(index, report=report, beside=beside)
                _write(paths, work=work, index=index, plan=plan, live=live)
            _prune(index, keep=keep, report=report)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    report.took_s = time.perf_counter() - began
    return report


def _write(paths: Sequence[Path], *, work: Path, index: Path, plan: Plan, live: _Live | None) -> None:
    report = plan.report
    _divide(paths, work=work, plan=plan, previous=live.generation if live else None)
    previous = _verified(live, report=report)
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
    reusable = _reusable(previous, index=index, plan=plan)
    sections = sections_of(store, reusable=reusable)
    expect_room(store, sections, folder=work, plan=plan)
    report.stories = _group(store, folder=work, plan=plan, previous=previous)
    written = write_embeddings(store, sections, folder=work, plan=plan, reusable=reusable)
    summed = {} if previous is None else {name: previous.manifest.files[old] for name, old in written.links.items()}
    names = sorted(path.name for path in work.iterdir())
    fresh = [name for name in names if name not in summed]
    summed |= zip(fresh, each_file(lambda name: sum_file(work / name), fresh), strict=True)
    languages, counts = np.unique(store.languages(), return_counts=True)
    manifest = Manifest(
        format=FORMAT,
        model=plan.encoder.card,
        chunking=plan.settings,
        late=plan.late,
        vectors=written.search,
        grouping=plan.grouping,
        articles=store.n_articles,
        passages=store.n_passages,
        stories=report.stories,
        languages={str(code): int(n) for code, n in zip(languages, counts, strict=True)},
        files={name: summed[name] for name in names},
    )
    report.generation = publish(work, index=index, manifest=manifest, links=written.links)
    report.published = True
    _confirm(index, report=report)
    report.passages = store.n_passages
    plan.cache.prune(written.keys)


def _divide(paths: Sequence[Path], *, work: Path, plan: Plan, previous: Generation | None) -> None:
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
                writer.add_spans(article, previous.store.spans(rows[article.digest]))
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


def _group(store: Store, *, folder: Path, plan: Plan, previous: Generation | None) -> int:
    """Write which articles are the same story; returns how many stories there are."""
    digests = [digest for _, digest in store.digests()]
    known: dict[str, int] = {}
    compared: dict[tuple[int, int], bool] = {}
    if previous is not None and previous.manifest.grouping == plan.grouping:
        before = [digest for _, digest in previous.store.digests()]
        known = {digest: row for row, digest in enumerate(before)}
        rows = {digest: row for row, digest in enumerate(digests)}
        for one, other, same in previous.comparisons.tolist():
            if before[one] in rows and before[other] in rows:
                compared[rows[before[one]], rows[before[other]]] = bool(same)

    def read(row: int) -> Wording:
        article = store.article(row)
        return wording_of(article.title, article.text, settings=plan.grouping)

    sketches = np.empty(store.n_articles, sketch_type(plan.grouping))
    for row, digest in enumerate(digests):
        if previous is not None and digest in known:
            sketches[row] = previous.sketches[known[digest]]
        else:
            sketches[row] = sketch(read(row), settings=plan.grouping)
    comparisons = Comparisons(read, settings=plan.grouping, known=compared)
    story = find_stories(sketches, id_rank=store.id_rank(), same=comparisons.same, settings=plan.grouping)
    write_stories(sketches, story, comparisons=comparisons.asked(), folder=folder)
    return len(np.unique(story))


def _same(previous: Generation, *, work: Path, plan: Plan) -> bool:
    """Whether the articles just written are those of the live generation, in the same order."""
    report = plan.report
    return (
        report.added == report.changed == report.deleted == 0
        and _same_division(previous, plan=plan)
        and previous.manifest.late == plan.late
        and previous.manifest.vectors.exact_rows == plan.exact_rows
        and list(previous.store.digests()) == list(Store(work).digests())
    )


def _same_division(previous: Generation, *, plan: Plan) -> bool:
    manifest = previous.manifest
    return (
        manifest.chunking == plan.settings
        and manifest.grouping == plan.grouping
        and manifest.model.fingerprint == plan.encoder.card.fingerprint
    )


def _reusable(previous: Generation | None, *, index: Path, plan: Plan) -> Reusable | None:
    """What of the live generation need not be made again; a generation without tokens has too little for one with."""
    if previous is None or not _same_division(previous, plan=plan) or (plan.late and not previous.manifest.late):
        return None
    return Reusable(previous, generation_folder(index, previous.name), late=plan.late)


@dataclass(frozen=True, slots=True)
class _Live:
    """The live generation; its segments, most of its bytes, are still being compared with their sums."""

    generation: Generation
    compared: Future[Manifest]


def _live(index: Path, *, report: BuildReport, beside: ThreadPoolExecutor) -> _Live | None:
    """The live generation, to reuse its work; a damaged or foreign one is replaced, which the report says."""
    try:
        folder = generation_folder(index, current_generation(index))
        segments = {name for name in read_manifest(folder).files if is_of_segment(name)}
        generation = Generation(folder, verified=segments)
    except IndexNotFound:
        return None
    except (IndexDamaged, IndexMismatch) as error:
        report.notes.append(_not_reused(error))
        return None
    others = generation.manifest.files.keys() - segments
    return _Live(generation, beside.submit(verify, folder, verified=others))


def _verified(live: _Live | None, *, report: BuildReport) -> Generation | None:
    """The live generation once every byte of it was compared; None where one is wrong."""
    try:
        if live is not None:
            live.compared.result()
            return live.generation
    except IndexDamaged as error:
        report.notes.append(_not_reused(error))
    return None


def _not_reused(error: IndexerError) -> str:
    return f"the live generation could not be reused: {error}"


def _confirm(index: Path, *, report: BuildReport) -> None:
    """A new generation is live by now, and whole: what the disk refuses from here on is told, and fails nothing."""
    try:
        confirm(index)
    except OSError as error:
        report.refusals.append(
            f"{report.generation} is live, but the disk did not confirm it ({error}): after a power cut the generation "
            "before may be live again; check the disk, then run the same command again"
        )


def _prune(index: Path, *, keep: int, report: BuildReport) -> None:
    try:
        prune(index, keep=keep)
    except OSError as error:
        report.refusals.append(
            f"{report.generation} is live, but older generations could not be removed ({error}); check who may write "
            f"in {index}; the next build tries again"
        )


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
