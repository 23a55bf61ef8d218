"""Which settings are in force, and where each came from: flags > environment > file > default.

A setting is taken whole from the first place that has it. A name that nobody knows is refused wherever it
stands: a misspelt setting that is passed over in silence is a service that does not do what was asked.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, get_origin

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource, TomlConfigSettingsSource

from .errors import BadSetting
from .settings import Settings, is_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pydantic_core import ErrorDetails

PREFIX = "CARI_"
CONFIG = "CARI_CONFIG"
_OF_OTHER_COMMANDS = frozenset({"CARI_MODEL"})
HIDDEN = "(hidden)"

# What Kubernetes puts into every container for a service that is called "cari" or "cari-something".
_KUBERNETES = re.compile(r"CARI_(\w{1,63}_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)")
_KUBERNETES_PORT = re.compile(r"(tcp|udp|sctp)://\S+")


class Origin(StrEnum):
    """Where a setting's value came from."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The settings in force, the origin of each by name, and the file that was read, if one was."""

    settings: Settings
    origins: Mapping[str, Origin]
    config: Path | None

    def shown(self) -> dict[str, Any]:
        """Every setting's value in JSON types, secrets hidden."""
        values = self.settings.model_dump(mode="json")
        return {
            name: HIDDEN if is_secret(field) and values[name] is not None else values[name]
            for name, field in Settings.model_fields.items()
        }


def choose(
    *,
    environment: Mapping[str, str],
    flags: Mapping[str, Any] | None = None,
    assignments: Iterable[str] = (),
    config: Path | None = None,
) -> Choice:
    """Collects the settings of this process.

    Args:
        environment: variables by name.
        flags: values by a setting's name; None is a flag that was not given.
        assignments: "NAME=VALUE" as flags, written like variables without their prefix.
        config: a TOML file of settings, their names in small letters.

    Raises:
        BadSetting: a name is unknown or a value is wrong; the message says which, and what was expected.
    """
    variables = _variables(environment)
    places: dict[Origin, dict[str, Any]] = {
        Origin.FLAG: _assigned(assignments) | {name: one for name, one in (flags or {}).items() if one is not None},
        Origin.ENVIRONMENT: _read_text(variables),
        Origin.FILE: _read_file(config) if config else {},
    }
    origins = {
        name: next((place for place, values in places.items() if name in values), Origin.DEFAULT)
        for name in Settings.model_fields
    }
    values = {name: places[origin][name] for name, origin in origins.items() if origin in places}
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise BadSetting(
            "; ".join(_worded(one, origins=origins, config=config) for one in error.errors(include_url=False))
        ) from error
    return Choice(settings=settings, origins=origins, config=config)


def _variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that are settings, upper case."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    found: dict[str, str] = {}
    for given, value in environment.items():
        name = given.upper()
        if not name.startswith(PREFIX) or name in {CONFIG, *_OF_OTHER_COMMANDS}:
            continue
        if _KUBERNETES.fullmatch(name) or (name.endswith("_PORT") and _KUBERNETES_PORT.fullmatch(value)):
            continue
        if name not in known:
            raise BadSetting(f"unknown setting {given}; {_nearest(name, known | _OF_OTHER_COMMANDS | {CONFIG})}")
        found[name] = value
    return found


def _assigned(assignments: Iterable[str]) -> dict[str, Any]:
    variables: dict[str, str] = {}
    for one in assignments:
        name, equals, value = one.partition("=")
        if not equals:
            raise BadSetting(f"--set {one}: expected NAME=VALUE, such as --set rate=60/m")
        field = name.strip().lower().replace("-", "_")
        if field not in Settings.model_fields:
            raise BadSetting(f"--set {one}: unknown setting {name}; {_nearest(field, Settings.model_fields)}")
        variables[f"{PREFIX}{field.upper()}"] = value
    return _read_text(variables, prefix="--set ")


def _read_text(variables: Mapping[str, str], *, prefix: str = PREFIX) -> dict[str, Any]:
    """Values written as text: as they are, with commas where a setting is a list, or as JSON."""
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value for name, value in variables.items() if value}
    values: dict[str, Any] = {}
    for name, field in Settings.model_fields.items():
        text, _, is_complex = source.get_field_value(field, name)
        if text is None:
            continue
        if get_origin(field.annotation) in {tuple, list} and not text.lstrip().startswith("["):
            values[name] = [one.strip() for one in text.split(",")]
            continue
        try:
            values[name] = source.prepare_field_value(name, field, text, is_complex)
        except ValueError as error:
            shown = HIDDEN if is_secret(field) else repr(text)
            named = f"{prefix}{name.upper() if prefix == PREFIX else name}"
            raise BadSetting(f"{named}: expected JSON, got {shown}: {error}") from error
    return values


def _read_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb"):
            pass  # the source below passes over a file that is not there
        values = TomlConfigSettingsSource(Settings, toml_file=path).toml_data
    except OSError as error:
        raise BadSetting(f"{path}: cannot be read: {error.strerror or error}; --config names a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path}: not a TOML file: {error}") from error
    for name in values:
        if name not in Settings.model_fields:
            raise BadSetting(f"{path}: unknown setting {name}; {_nearest(name, Settings.model_fields)}")
    return values


def _nearest(name: str, known: Iterable[str]) -> str:
    # Compared without what all of them begin with, or everything would be near to everything.
    names = {one.removeprefix(PREFIX): one for one in sorted(known)}
    close = difflib.get_close_matches(name.removeprefix(PREFIX), names, n=1)
    return f"did you mean {names[close[0]]}?" if close else f"known are: {', '.join(names.values())}"


def _worded(error: ErrorDetails, *, origins: Mapping[str, Origin], config: Path | None) -> str:
    name = str(error["loc"][0])
    where = {
        Origin.FLAG: f"--{name.replace('_', '-')}",
        Origin.FILE: f"{config}: {name}",
    }.get(origins[name], f"{PREFIX}{name.upper()}")
    inside = "".join(f"[{part}]" for part in error["loc"][1:])
    shown = HIDDEN if is_secret(Settings.model_fields[name]) else repr(error["input"])
    message = str(error["ctx"]["error"]) if error["type"] == "value_error" else error["msg"]
    return f"{where}{inside}: {message[:1].lower()}{message[1:]} (got {shown})"
