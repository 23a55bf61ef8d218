"""`cari keys`: create, list and revoke the keys that requests carry."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ..choosing import CONFIG, choose
from ..errors import BadKeys
from .keys import Key, create_key, read_keys, revoke_key
from .rates import Rate

IndexOption = Annotated[
    Path | None, typer.Option("--index", help="Folder of the index; its keys.json is used (CARI_INDEX).")
]
KeysOption = Annotated[Path | None, typer.Option("--keys", help="File of keys (CARI_KEYS).")]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", envvar=CONFIG, help="TOML file of settings, for where the keys are.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]

keys_app = typer.Typer(name="keys", help="Say who may ask: make, list and revoke API keys.", no_args_is_help=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the root command."""
    app.add_typer(keys_app)


@keys_app.command("create")
def create_command(
    name: Annotated[str, typer.Argument(help="Whose key it is; logs name it.", show_default=False)],
    *,
    rate: Annotated[
        str | None, typer.Option(help='Its own rate, such as "60/m"; the setting CARI_RATE counts if none is given.')
    ] = None,
    index: IndexOption = None,
    keys: KeysOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key and print it. Only its hash is kept: it is never shown again."""
    path = _file(index=index, keys=keys, config=config)
    try:
        own = Rate.parse(rate) if rate is not None else None
    except ValueError as error:
        raise typer.BadParameter(f"{error}, got {rate!r}", param_hint="--rate") from error
    key, secret = create_key(path, name=name, rate=own)
    _err.print(f"key {name} is in {path}; this is the only time that it is shown:", markup=False)
    sys.stdout.write((json.dumps(_shown(key) | {"key": secret}) if as_json else secret) + "\n")


@keys_app.command("list")
def list_command(
    *,
    index: IndexOption = None,
    keys: KeysOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the keys by name, with their rates. What they are, nobody knows."""
    path = _file(index=index, keys=keys, config=config)
    found = read_keys(path)
    if as_json:
        sys.stdout.write(json.dumps({"file": str(path), "keys": [_shown(key) for key in found]}) + "\n")
        return
    if not found:
        _err.print(f"{path} has no keys; make one with: cari keys create NAME", markup=False)
        return
    table = Table("name", "rate", "created", box=None, pad_edge=False)
    for key in found:
        table.add_row(key.name, str(key.rate or "-"), f"{key.created_at:%Y-%m-%d %H:%M}")
    Console(highlight=False).print(table)


@keys_app.command("revoke")
def revoke_command(
    name: Annotated[str, typer.Argument(help="The key's name.", show_default=False)],
    *,
    index: IndexOption = None,
    keys: KeysOption = None,
    config: ConfigOption = None,
) -> None:
    """Take a key back; services that run refuse it within a second or two."""
    path = _file(index=index, keys=keys, config=config)
    revoke_key(path, name=name)
    _err.print(f"key {name} is out of {path}", markup=False)


def _file(*, index: Path | None, keys: Path | None, config: Path | None) -> Path:
    """The file that `cari serve` would read with the same flags, variables and settings file."""
    chosen = choose(environment=os.environ, flags={"index": index, "keys": keys}, config=config).settings
    if chosen.keys_file is None:
        raise BadKeys("no file of keys is named; say which with --index DIR, or --keys FILE")
    if chosen.keys_file.is_dir():
        raise BadKeys(
            f"{chosen.keys_file} is a folder, expected a file; move it away or name another with --keys, then run: "
            "cari keys create NAME"
        )
    if not chosen.keys_file.parent.is_dir():
        raise BadKeys(f"{chosen.keys_file.parent} is no folder; build the index first, or name a file with --keys")
    return chosen.keys_file


def _shown(key: Key) -> dict[str, Any]:
    return {"name": key.name, "rate": str(key.rate) if key.rate else None, "created_at": key.created_at.isoformat()}
