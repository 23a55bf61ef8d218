"""API keys: made, kept as hashes in one file, revoked.

A key is 256 random bits. Nobody can guess it, so one SHA-256 hides it: slow, salted hashes are for passwords,
which people choose, and would cost every request the time that they cost a thief.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from filelock import FileLock, Timeout
from pydantic import (
    AwareDatetime,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from ..errors import BadKeys
from .rates import Rate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_SECRET_BYTES = 32
_LOCK_TIMEOUT_S = 10.0


def _as_rate(value: object) -> Rate | None:
    return value if value is None or isinstance(value, Rate) else Rate.parse(str(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What is kept of a key. `rate` is its own, or None where the service's applies."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(pattern=f"^{_NAME}$")]
    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
    rate: Annotated[Rate | None, PlainValidator(_as_rate), PlainSerializer(lambda rate: rate and str(rate))]
    created_at: AwareDatetime


_KEYS = TypeAdapter(list[Key])


def digest(secret: str) -> str:
    """What is stored and compared in place of a key: 64 hexadecimal digits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def read_keys(path: Path) -> tuple[Key, ...]:
    """The keys of a file, oldest first; none where there is no file.

    Raises:
        BadKeys: the file cannot be read, or is not one that this program wrote.
    """
    try:
        return tuple(_KEYS.validate_json(path.read_bytes()))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise BadKeys(
            f"{path}: cannot be read: {error.strerror or error}; keys are kept there: mend that or move it away, then "
            "run: cari keys create NAME"
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise BadKeys(
            f"{path}: not a file of keys ({where}: {first['msg']}); move it away and run: cari keys create NAME"
        ) from error


def create_key(path: Path, *, name: str, rate: Rate | None = None) -> tuple[Key, str]:
    """Makes a key and adds it to the file.

    Returns:
        What is kept, and the key itself, which nothing can tell again.

    Raises:
        BadKeys: the name is taken or not a name, or the file cannot be read or written.
    """
    if re.fullmatch(_NAME, name) is None:
        raise BadKeys(f"{name[:80]!r} is no name for a key; expected up to 64 letters, digits, '.', '_' and '-'")
    secret = f"cari_{secrets.token_urlsafe(_SECRET_BYTES)}"
    made = Key(name=name, sha256=digest(secret), rate=rate, created_at=datetime.now(UTC).replace(microsecond=0))
    with _locked(path):
        keys = read_keys(path)
        if any(key.name == name for key in keys):
            raise BadKeys(f"{path} has a key named {name} already; choose another, or run: cari keys revoke {name}")
        _replace(path, (*keys, made))
    return made, secret


def revoke_key(path: Path, *, name: str) -> Key:
    """Takes a key out of the file; running services let it go within a second or so.

    Raises:
        BadKeys: there is no such key, or the file cannot be read or written.
    """
    with _locked(path):
        keys = read_keys(path)
        gone = next((key for key in keys if key.name == name), None)
        if gone is None:
            names = ", ".join(key.name for key in keys) or "none"
            raise BadKeys(f"{path} has no key named {name!r}; it has: {names}")
        _replace(path, [key for key in keys if key is not gone])
    return gone


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=_LOCK_TIMEOUT_S):
            yield
    except Timeout as error:
        raise BadKeys(f"{path}: another command has been changing it for {_LOCK_TIMEOUT_S:.0f} s; try again") from error
    except OSError as error:
        raise BadKeys(f"{path}: cannot be written: {error.strerror or error}; name another with --keys") from error


def _replace(path: Path, keys: Sequence[Key]) -> None:
    """Readers see the old file or the new one, also after a loss of power."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # its mode is 0600
    try:
        with open(handle, "wb") as stream:  # noqa: PTH123 - a handle, not a path
            _keep_owner(handle, path)
            stream.write(_KEYS.dump_json(list(keys), indent=2) + b"\n")
            stream.flush()
            os.fsync(handle)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _keep_owner(handle: int, path: Path) -> None:
    """The administrator may run the command, but the service's own user has to read the file."""
    if os.geteuid() == 0:
        owner = (path if path.exists() else path.parent).stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)
