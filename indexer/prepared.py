"""The files of a prepared model, and whether they still are what was prepared.

A flipped bit in a model's weights gives vectors that look like any others, and an index that never tells. So all is
summed when it is prepared, and what is going to be read is summed again before.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from .errors import ModelError
from .manifest import FileSum, sum_file

if TYPE_CHECKING:
    from pathlib import Path

# Raise the number when preparing writes other files: a model of an earlier form is prepared again.
SUMS_FILE = "sums-2.json"


def write_sums(folder: Path) -> None:
    """Sum every file of the folder; what a link leads to is somebody else's."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    sums = {path.relative_to(folder).as_posix(): asdict(sum_file(path)) for path in files}
    (folder / SUMS_FILE).write_text(json.dumps(sums, sort_keys=True, indent=1) + "\n", encoding="utf-8")


def check_sums(folder: Path, *, without: str | None = None) -> None:
    """Compare every file with its sum; those of the subfolder `without` are left out.

    Raises:
        ModelError: one is missing or altered; the message names it.
    """
    again = f"remove {folder}, then run: cari model prepare"
    path = folder / SUMS_FILE
    try:
        sums = {name: FileSum(**summed) for name, summed in json.loads(path.read_bytes()).items()}
        for name, expected in sums.items():
            path = folder / name
            if name.split("/")[0] != without and sum_file(path) != expected:
                raise ModelError(f"{path} is not what was prepared (size or checksum differ); {again}")
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder} is not a prepared model ({path.name}: {error}); {again}") from error
