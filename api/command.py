"""The `cari` command: what other packages register, and `serve`.

stdout is data, stderr is for people. An error of this project is one line in red and exit status 1, or 2 where
the command was used wrongly.
"""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

import indexer.command
import search.command
from corpus import CorpusError
from indexer import IndexerError
from search import SearchError, bound_arithmetic

from .access import keys_command
from .choosing import CONFIG, Choice, choose
from .errors import ApiError, OperatorError
from .settings import LogLevel  # noqa: TC001 - typer reads it at run time

app = typer.Typer(
    name="cari",
    help="Finds the passages of news articles that answer a question, in Indonesian or English.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
indexer.command.register(app)
search.command.register(app)
keys_command.register(app)


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
    index: Annotated[Path | None, typer.Option(help="Folder of the index (CARI_INDEX).")] = None,
    model_cache: Annotated[Path | None, typer.Option(help="Folder of prepared models (CARI_MODEL_CACHE).")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on (CARI_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (CARI_PORT).")] = None,
    workers: Annotated[int | None, typer.Option(help="Serving processes (CARI_WORKERS).")] = None,
    log_level: Annotated[LogLevel | None, typer.Option(help="Least severe line (CARI_LOG_LEVEL).")] = None,
    assigned: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any setting, by its name; repeatable.")
    ] = None,
    config: Annotated[Path | None, typer.Option(envvar=CONFIG, help="TOML file of settings.")] = None,
    show_settings: Annotated[
        bool, typer.Option("--show-settings", help="Print every setting and where it came from, and serve nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the settings as one JSON object.")] = False,
) -> None:
    """Answer questions over HTTP, with a search page for people."""
    if as_json and not show_settings:
        raise typer.BadParameter("it goes with --show-settings", param_hint="--json")
    chosen = choose(
        environment=os.environ,
        flags={
            "index": index,
            "model_cache": model_cache,
            "host": host,
            "port": port,
            "workers": workers,
            "log_level": log_level,
        },
        assignments=assigned or (),
        config=config,
    )
    if show_settings:
        _print_settings(chosen, as_json=as_json)
        return
    from .serving import serve as run  # noqa: PLC0415 - a web framework, not needed by other commands

    run(chosen.settings)


def _print_settings(chosen: Choice, *, as_json: bool) -> None:
    shown = chosen.shown()
    if as_json:
        settings = {name: {"value": value, "from": chosen.origins[name]} for name, value in shown.items()}
        config = str(chosen.config) if chosen.config else None
        sys.stdout.write(json.dumps({"config": config, "settings": settings}, ensure_ascii=False) + "\n")
        return
    for name, value in shown.items():
        written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        sys.stdout.write(f"{name:<18} {chosen.origins[name]:<12} {written}\n")


def main() -> None:
    """Entry point of the `cari` script."""
    _mend_streams()
    bound_arithmetic()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except (CorpusError, IndexerError, SearchError, ApiError, OperatorError) as error:
        _tell(str(error))
        sys.exit(error.exit_status if isinstance(error, OperatorError) else 1)
    except OSError as error:
        _drop_stdout()
        if not isinstance(error, BrokenPipeError):  # whoever closed the pipe has read enough
            what = error.filename or "the answer cannot be written"
            _tell(f"{what}: {error.strerror or error}; free some space or name another place, then run it again")
        sys.exit(1)


def _tell(reason: str) -> None:
    Console(stderr=True, soft_wrap=True).print(Text(f"error: {reason}", style="red"))


def _mend_streams() -> None:
    """A stream that is closed becomes one that nobody reads, and what a stream cannot spell is escaped."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open to the end
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _drop_stdout() -> None:
    """What is left in the stream's memory goes nowhere, or Python would fail again over it while it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
