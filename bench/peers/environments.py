"""The peers' Python environments, made where they are missing. They are no part of the project's own.

python bench/peers/environments.py [--venv FOLDER]
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import platformdirs

_HERE = Path(__file__).resolve().parent
_CONSTRAINTS = _HERE.parents[1] / "constraints.txt"
# Semantra needs what the constraints left behind.
_FILES = {"peers": ("requirements.txt", _CONSTRAINTS), "semantra": ("requirements-semantra.txt", None)}
DEFAULT = platformdirs.user_cache_path("cari") / "bench-peers"


def python_of(name: str | None, *, venvs: Path) -> Path:
    """The interpreter of an environment, there or not; None is the one that runs this."""
    return Path(sys.executable) if name is None else venvs / name / "bin" / "python"


def made(name: str, *, venvs: Path) -> bool:
    """Whether an environment is there as its requirements have it now."""
    stamp = venvs / name / ".requirements"
    return stamp.is_file() and stamp.read_text(encoding="ascii") == _wanted(name)


def make(name: str, *, venvs: Path) -> str | None:
    """Install one from the package index, unless it is there; returns the reason where that fails."""
    if made(name, venvs=venvs):
        return None
    requirements, constraints = _FILES[name]
    folder = venvs / name
    shutil.rmtree(folder, ignore_errors=True)
    pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    constrained = ["-c", constraints] if constraints else []
    for command in (
        [sys.executable, "-m", "venv", folder],
        [*pip, *constrained, "-r", _HERE / requirements],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [done.stderr.strip()]
            return errors[0][:200]
    (folder / ".requirements").write_text(_wanted(name), encoding="ascii")
    return None


def _wanted(name: str) -> str:
    return hashlib.sha256((_HERE / _FILES[name][0]).read_bytes()).hexdigest()


def main() -> None:
    """Make all of them."""
    parser = argparse.ArgumentParser(description="Install what Cari is compared with; about 4 GB, needs a network.")
    parser.add_argument("--venv", type=Path, default=DEFAULT, metavar="FOLDER", help=f"where (default: {DEFAULT})")
    given = parser.parse_args()
    failed = {name: reason for name in _FILES if (reason := make(name, venvs=given.venv)) is not None}
    for name in _FILES:
        print(f"{name}: {failed.get(name, 'is there')}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
