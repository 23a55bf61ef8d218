"""The `cari` command: what other packages register, and `serve`.

stdout is data, stderr is for people. An error of this project is one line in red and exit status 1.
"""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.text import Text

import indexer.command
import search.command
from corpus import CorpusError
from indexer import IndexerError
from search import SearchError

from .errors import ApiError
from .settings import LogLevel, Settings

app = typer.Typer(
    name="cari",
    help="Finds the passages of news articles that answer a question, in Indonesian or English.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
indexer.command.register(app)
search.command.register(app)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - the framework calls it with the flag's value
    if wanted:
        from .app import project_version  # noqa: PLC0415 - a web framework, not needed by other commands

        sys.stdout.write(f"cari {project_version()}\n")
        raise typer.Exit


@app.callback()
def root(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Finds the passages of news articles that answer a question, in Indonesian or English."""


@app.command()
def serve(
    *,
    index: Annotated[Path | None, typer.Option(envvar="CARI_INDEX", help="Folder of the index.")] = None,
    model_cache: Annotated[
        Path | None, typer.Option(envvar="CARI_MODEL_CACHE", help="Folder of prepared models.")
    ] = None,
    host: Annotated[str | None, typer.Option(envvar="CARI_HOST", help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(envvar="CARI_PORT", help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(envvar="CARI_WORKERS", help="Serving processes.")] = None,
    log_level: Annotated[LogLevel | None, typer.Option(envvar="CARI_LOG_LEVEL", help="Least severe line.")] = None,
) -> None:
    """Answer questions over HTTP, with a search page for people."""
    from .serving import serve as run  # noqa: PLC0415 - a web framework, not needed by other commands

    chosen: dict[str, Any] = {
        "index": index,
        "model_cache": model_cache,
        "host": host,
        "port": port,
        "workers": workers,
        "log_level": log_level,
    }
    try:
        settings = Settings(**{name: value for name, value in chosen.items() if value is not None})
    except (ValidationError, SettingsError) as error:
        raise typer.BadParameter(_worded(error)) from error
    run(settings)


def _worded(error: ValidationError | SettingsError) -> str:
    if isinstance(error, SettingsError):
        return str(error)
    return "; ".join(
        f"CARI_{'_'.join(str(part) for part in one['loc']).upper()}: {one['msg']} (got {one['input']!r})"
        for one in error.errors()
    )


def main() -> None:
    """Entry point of the `cari` script."""
    try:
        app()
    except (CorpusError, IndexerError, SearchError, ApiError) as error:
        Console(stderr=True, soft_wrap=True).print(Text(f"error: {error}", style="red"))
        sys.exit(1)
