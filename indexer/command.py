"""The operator's commands: build, verify, info, rollback, model."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import platformdirs
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from .build import build
from .chunker import ChunkSettings
from .current import current_generation, generation_folder, generation_names, read_live
from .errors import IndexerError
from .generation import built_at, verify
from .manifest import read_manifest
from .model import DEFAULT_MODEL, Runtime, export_source, no_graph_reason, open_encoder, prepare_model
from .publishing import rollback
from .vectors import EXACT_ROWS

if TYPE_CHECKING:
    from typing import Self

    from .plan import BuildReport
    from .recall import VectorSearch

IndexOption = Annotated[Path, typer.Option("--index", envvar="CARI_INDEX", help="Folder of the index.")]
ModelCacheOption = Annotated[
    Path,
    typer.Option(
        "--model-cache",
        envvar="CARI_MODEL_CACHE",
        default_factory=lambda: platformdirs.user_cache_path("cari"),
        show_default="the user's cache folder",
        help="Folder of prepared models.",
    ),
]
ThreadsOption = Annotated[
    int | None, typer.Option("--threads", min=1, help="Threads that embed.", show_default="all cores")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]

_SHOWN_REJECTIONS = 20

console = Console(stderr=True, highlight=False)
model_app = typer.Typer(name="model", help="Prepare models ahead of time.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this package's commands to the root command."""
    app.command("build")(build_command)
    app.command("verify")(verify_command)
    app.command("info")(info_command)
    app.command("rollback")(rollback_command)
    app.add_typer(model_app)


def build_command(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders of articles.", show_default=False)],
    *,
    index: IndexOption,
    model: Annotated[
        str, typer.Option(help="A folder, a hub id, or the embedded default.", envvar="CARI_MODEL")
    ] = DEFAULT_MODEL,
    model_cache: ModelCacheOption,
    threads: ThreadsOption = None,
    runtime: Annotated[Runtime, typer.Option(help="What runs the model.")] = Runtime.AUTO,
    max_tokens: Annotated[int, typer.Option(help="Tokens of a passage, title included.")] = ChunkSettings().max_tokens,
    overlap: Annotated[int, typer.Option(help="Sentences a passage repeats of the one before.")] = (
        ChunkSettings().overlap_sentences
    ),
    late: Annotated[
        bool,
        typer.Option("--late/--no-late", help="Store token vectors, which rank best and are most of the index."),
    ] = True,
    exact_rows: Annotated[
        int, typer.Option("--exact", min=0, help="Passages up to which all vectors are compared; beyond, codes are.")
    ] = EXACT_ROWS,
    keep: Annotated[int, typer.Option(min=0, help="Earlier generations to keep for rollback.")] = 2,
    as_json: JsonOption = False,
) -> None:
    """Make the index equal to these articles: added, changed and deleted ones all follow."""
    try:
        settings = ChunkSettings(max_tokens=max_tokens, overlap_sentences=overlap)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    folder = prepare_model(model, cache=model_cache, progress=say)
    reason = no_graph_reason(folder)
    if reason is not None:
        say(f"{reason}; running on torch")
    encoder = open_encoder(folder, threads=threads, runtime=runtime, bulk=True)
    if settings.max_tokens > encoder.card.max_tokens:
        raise typer.BadParameter(
            f"--max-tokens is {max_tokens}, the model {model} reads at most {encoder.card.max_tokens}"
        )
    with ProgressBars() as progress:
        report = build(
            paths,
            index=index,
            encoder=encoder,
            settings=settings,
            progress=progress,
            late=late,
            exact_rows=exact_rows,
            keep=keep,
        )
    _report(report, as_json=as_json)
    for refusal in report.refusals:
        say(f"error: {refusal}")
    if report.refusals:
        raise typer.Exit(1)


def verify_command(*, index: IndexOption, as_json: JsonOption = False) -> None:
    """Read every byte of every generation and compare it with its checksums."""
    current_generation(index)  # where there is no index, that is what is said
    reasons = {name: _fault(index, name) for name in generation_names(index)}
    while (live := current_generation(index)) not in reasons:
        reasons[live] = _fault(index, live)
    # What a build has removed meanwhile is not damaged.
    there = {*generation_names(index), live}
    results: list[dict[str, Any]] = [
        {"generation": name, "live": name == live, "ok": reason is None, "reason": reason}
        for name, reason in reasons.items()
        if name in there
    ]
    if as_json:
        put_json({"generations": results})
    else:
        for result in results:
            mark = "live" if result["live"] else "kept"
            put(f"{result['generation']}  {mark}  {'ok' if result['ok'] else result['reason']}")
    if not all(result["ok"] for result in results):
        raise typer.Exit(1)


def info_command(*, index: IndexOption, as_json: JsonOption = False) -> None:
    """Say what the live generation holds and how it was made."""
    name, manifest = read_live(index, lambda folder: (folder.name, read_manifest(folder)))
    size_bytes = sum(summed.size_bytes for summed in manifest.files.values())
    kept = [other for other in generation_names(index) if other != name]
    content = {
        "generation": name,
        "built_at": built_at(name).isoformat(),
        "articles": manifest.articles,
        "passages": manifest.passages,
        "stories": manifest.stories,
        "languages": manifest.languages,
        "model": manifest.model.name,
        "fingerprint": manifest.model.fingerprint,
        "chunking": dataclasses.asdict(manifest.chunking),
        "late": manifest.late,
        "vectors": dataclasses.asdict(manifest.vectors),
        "grouping": dataclasses.asdict(manifest.grouping),
        "size_bytes": size_bytes,
        "kept": kept,
    }
    if as_json:
        put_json(content)
        return
    languages = ", ".join(f"{language} {count}" for language, count in manifest.languages.items())
    put(f"generation  {name}")
    put(f"built       {built_at(name):%Y-%m-%d %H:%M:%S} UTC")
    put(f"articles    {manifest.articles} ({languages})")
    put(f"passages    {manifest.passages}, at most {manifest.chunking.max_tokens} tokens each")
    put(f"stories     {manifest.stories}, each in one article or more")
    put(f"model       {manifest.model.name} ({manifest.model.fingerprint[:12]})")
    put(f"late        {'yes' if manifest.late else 'no: token vectors were left out (--no-late)'}")
    put(f"vectors     {_searched(manifest.vectors)}")
    put(f"size        {size_bytes / 1e6:.1f} MB")
    put(f"kept        {len(kept)} earlier for rollback")


def _searched(vectors: VectorSearch) -> str:
    if not vectors.reaches:
        return "all are compared: exact"
    measured = ", ".join(f"{reach.recall:.4f} of the best {reach.depth}" for reach in vectors.reaches)
    return f"codes first, which find {measured} ({vectors.questions} questions)"


def rollback_command(*, index: IndexOption, as_json: JsonOption = False) -> None:
    """Go back to the newest good generation before the live one."""
    name = rollback(index)
    if as_json:
        put_json({"generation": name})
    else:
        put(f"live again: {name}")


@model_app.command("prepare")
def model_prepare_command(
    name: Annotated[str, typer.Argument(help="A folder, a hub id, or the embedded default.")] = DEFAULT_MODEL,
    *,
    model_cache: ModelCacheOption,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Let a model's own code run on this machine.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Fetch, unpack and export a model once, so that later commands start at once."""
    folder = prepare_model(name, cache=model_cache, progress=say, trust_remote_code=trust_remote_code)
    card = open_encoder(folder).card
    if as_json:
        put_json({"folder": str(folder), **dataclasses.asdict(card)})
    else:
        put(f"{card.name} is ready in {folder} ({card.dim} dimensions, {card.max_tokens} tokens)")


@model_app.command("export")
def model_export_command(
    name: Annotated[str, typer.Argument(help="A folder, a hub id, or the embedded default.", show_default=False)],
    destination: Annotated[Path, typer.Argument(help="A folder that does not exist yet.", show_default=False)],
    *,
    model_cache: ModelCacheOption,
) -> None:
    """Write a model as an ordinary sentence-transformers folder, for other programs and for training."""
    export_source(prepare_model(name, cache=model_cache, progress=say), destination=destination)
    put(f"{name} is in {destination}")


class ProgressBars:
    """A `Progress` drawn on stderr: articles read, then passages embedded a second and the time left."""

    def __init__(self) -> None:
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            # Into a file it would write blank lines only.
            disable=not console.is_terminal,
        )
        self._articles = self._bars.add_task("reading articles", total=None, rate="")
        self._passages = self._bars.add_task("embedding passages", total=None, rate="", visible=False)

    def articles(self, done: int) -> None:
        """So many articles are read and divided."""
        self._bars.update(self._articles, completed=done)

    def passages(self, done: int, total: int) -> None:
        """So many passages have their vectors."""
        self._bars.update(self._articles, total=self._bars.tasks[0].completed)
        speed = self._bars.tasks[1].speed
        rate = f"{speed:.0f}/s" if speed else ""
        self._bars.update(self._passages, completed=done, total=total, visible=True, rate=rate)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()


def say(text: str) -> None:
    """A line for people, on stderr."""
    console.print(text, markup=False, soft_wrap=True)


def put(text: str) -> None:
    """A line of data, on stdout."""
    sys.stdout.write(text + "\n")


def put_json(content: object) -> None:
    """One JSON object, on stdout; escaped where that takes ASCII alone."""
    put(json.dumps(content, ensure_ascii=sys.stdout.encoding.lower() != "utf-8", indent=2))


def _fault(index: Path, name: str) -> str | None:
    """What is wrong with a generation, or None."""
    folder = generation_folder(index, name)
    if not folder.is_dir():
        return f"CURRENT names {name}, which is not there; run: cari rollback --index {index}"
    try:
        verify(folder)
    except IndexerError as error:
        return str(error)
    return None


def _report(report: BuildReport, *, as_json: bool) -> None:
    for note in report.notes:
        say(f"note: {note}")
    for rejection in report.quarantined[:_SHOWN_REJECTIONS]:
        say(f"quarantined  {rejection.place}: {rejection.reason}")
    more = len(report.quarantined) - _SHOWN_REJECTIONS
    if more > 0:
        say(f"quarantined  {more} more; --json lists them all")
    if as_json:
        put_json(dataclasses.asdict(report))
        return
    put(
        f"articles    {report.articles}: {report.added} added, {report.changed} changed, {report.unchanged} unchanged, "
        f"{report.deleted} deleted, {len(report.quarantined)} quarantined"
    )
    put(f"passages    {report.passages}: {report.embedded} embedded, {report.reused} reused")
    put(f"stories     {report.stories}, each in one article or more")
    put(f"generation  {report.generation}{'' if report.published else ' (already equal, nothing written)'}")
    put(f"took        {report.took_s:.1f} s")
