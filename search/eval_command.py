"""The command that measures the ranking, compares its arms, or explains one question of a set."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from indexer import DEFAULT_MODEL, ChunkSettings, build, open_current, open_encoder, prepare_model
from indexer.command import JsonOption, ModelCacheOption, ProgressBars, ThreadsOption, put_json, say

from .comparison import Comparison, compare
from .errors import SearchError
from .evaluation import Evaluation, EvaluationSet, evaluate, read_evaluation_set
from .inspection import inspect
from .plot import draw, require_matplotlib
from .query import Mode
from .searcher import Searcher
from .tables import comparison_markdown, comparison_table, inspection_text, legend

if TYPE_CHECKING:
    from indexer import Encoder

    from .inspection import Inspection


def eval_command(
    folders: Annotated[list[Path], typer.Argument(help="Evaluation sets in BEIR layout.", show_default=False)],
    *,
    mode: Annotated[Mode, typer.Option(help="Which evidence ranks.")] = Mode.HYBRID,
    against: Annotated[
        bool, typer.Option("--compare", help="Every kind of evidence side by side, with confidence intervals.")
    ] = False,
    markdown: Annotated[
        Path | None, typer.Option(help="Write the comparison as a Markdown table.", dir_okay=False)
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Write the comparison as a picture (PNG).", dir_okay=False)] = None,
    explain: Annotated[
        str | None, typer.Option(metavar="QUERY-ID", help="Say why one question of one set is ranked as it is.")
    ] = None,
    model: Annotated[
        str, typer.Option(help="A folder, a hub id, or the embedded default.", envvar="CARI_MODEL")
    ] = DEFAULT_MODEL,
    model_cache: ModelCacheOption,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure the ranking on sets of judged questions.

    A folder holds corpus.jsonl, queries.jsonl and qrels/test.tsv. Their indexes are kept beside the prepared
    models, so that a second run embeds only the questions.
    """
    if explain is not None and (against or len(folders) > 1):
        raise typer.BadParameter("--explain takes one folder, and goes without --compare")
    if (markdown or plot) and not against:
        raise typer.BadParameter("--markdown and --plot write a comparison; add --compare")
    if plot is not None:
        require_matplotlib()
    sets = [read_evaluation_set(folder) for folder in folders]
    encoder = open_encoder(prepare_model(model, cache=model_cache, progress=say), threads=threads)
    if explain is not None:
        found = inspect(searcher_of(sets[0], encoder=encoder, model_cache=model_cache), sets[0], explain, mode=mode)
        _show_inspection(found, as_json=as_json)
        return
    evaluations: list[Evaluation] = []
    comparisons: list[Comparison] = []
    for questions in sets:
        searcher = searcher_of(questions, encoder=encoder, model_cache=model_cache)
        say(f"asking {len(questions.queries)} questions of {questions.name}")
        if against:
            comparisons.append(compare(searcher, questions))
        else:
            evaluations.append(evaluate(searcher, questions, mode=mode))
    if against:
        _write(comparisons, markdown=markdown, plot=plot)
        _show_comparisons(comparisons, model=model, as_json=as_json)
    elif as_json:
        put_json({"model": model, "evaluations": [dataclasses.asdict(evaluation) for evaluation in evaluations]})
    else:
        _show_evaluations(evaluations)


def searcher_of(questions: EvaluationSet, *, encoder: Encoder, model_cache: Path) -> Searcher:
    """A searcher over the corpus of a set; raises what `index_of` does."""
    return Searcher(open_current(index_of(questions.corpus, encoder=encoder, model_cache=model_cache)), encoder=encoder)


def index_of(corpus: Path, *, encoder: Encoder, model_cache: Path) -> Path:
    """The index of a corpus to measure on, kept beside the prepared models and built where it is missing.

    Raises:
        CorpusError: the corpus cannot be read.
        IndexerError: the index cannot be written.
    """
    with corpus.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    index = model_cache / "eval" / f"{digest[:16]}-{encoder.card.fingerprint[:8]}"
    with ProgressBars() as progress:
        build([corpus], index=index, encoder=encoder, settings=ChunkSettings(), progress=progress, keep=0)
    return index


def _write(comparisons: list[Comparison], *, markdown: Path | None, plot: Path | None) -> None:
    try:
        if markdown is not None:
            markdown.write_text(comparison_markdown(comparisons), encoding="utf-8")
        if plot is not None:
            draw(comparisons, path=plot)
    except OSError as error:
        raise SearchError(f"the comparison cannot be written ({error}); name a file that can be") from error


def _show_comparisons(comparisons: list[Comparison], *, model: str, as_json: bool) -> None:
    if as_json:
        plain = [dataclasses.asdict(one) | {"holds": one.holds} for one in comparisons]
        put_json({"model": model, "comparisons": plain})
        return
    console = Console(highlight=False)
    console.print(comparison_table(comparisons))
    console.print(f"\n{legend(comparisons)}")


def _show_inspection(found: Inspection, *, as_json: bool) -> None:
    if not as_json:
        console = Console(highlight=False)
        console.print(inspection_text(found, width=console.width))
        return
    content: dict[str, Any] = dataclasses.asdict(found)
    for one in content["placed"]:
        article = one.pop("article")
        one["article"] = {name: article[name] for name in ("id", "title", "language")}
        one["relevance"] = found.qrels.get(article["id"], 0)
    put_json(content)


def _show_evaluations(evaluations: list[Evaluation]) -> None:
    measures = list(evaluations[0].measures)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    # The name and the figures stay whole in 80 columns.
    table.add_column(f"{evaluations[0].mode.value} on", no_wrap=True, min_width=max(len(e.name) for e in evaluations))
    for name in ("questions", "articles", *measures):
        table.add_column(name, justify="right", no_wrap=True)
    for evaluation in evaluations:
        figures = (f"{evaluation.measures[name]:.3f}" for name in measures)
        table.add_row(evaluation.name, str(evaluation.queries), str(evaluation.articles), *figures)
    Console(highlight=False).print(table)
