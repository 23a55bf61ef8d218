from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer import BuildReport, Encoder

LOADED = """
import sys, {module}
unwanted = {{"torch", "sentence_transformers", "transformers", "huggingface_hub", "openvino_telemetry"}}
print(sorted(name for name in unwanted if sys.modules.get(name) is not None))
"""

# Runs the real command in a process that cannot reach any other machine.
ALONE = """
import socket, sys
connect = socket.socket.connect
def guarded(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1"):
        raise AssertionError(f"tried to reach {address}")
    return connect(self, address)
def no_look_up(*arguments, **settings):
    raise AssertionError(f"tried to look up {arguments}")
socket.socket.connect = guarded
socket.getaddrinfo = no_look_up
import api.command
sys.argv = ["cari", *sys.argv[1:]]
try:
    api.command.main()
finally:
    loaded = [name for name in ("torch", "openvino_telemetry") if sys.modules.get(name) is not None]
    print("loaded:", loaded, file=sys.stderr)
"""


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=120, check=False, env=environment
    )


@pytest.mark.parametrize("module", ["api.app", "api.command", "search", "indexer", "corpus"])
def test_neither_torch_nor_telemetry_is_imported_with_a_package(module: str) -> None:
    done = python("-c", LOADED.format(module=module))

    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_the_packages_import_in_one_direction_and_each_engine_in_one_file(repository: Path) -> None:
    command = Path(sys.executable).parent / "lint-imports"

    done = subprocess.run(
        [command, "--no-cache"], capture_output=True, text=True, timeout=60, check=False, cwd=repository
    )

    assert done.returncode == 0, done.stdout
    assert "3 kept, 0 broken" in done.stdout


@pytest.mark.model
def test_a_search_reaches_no_other_machine_and_loads_no_torch(
    tmp_path: Path,
    model_cache: Path,
    embedded: Encoder,
    write_rows: Callable[..., Path],
    build_quietly: Callable[..., BuildReport],
) -> None:
    text = "Pemerintah kota menambah dua ratus bus listrik untuk melayani jalur timur mulai bulan depan."
    rows = write_rows(tmp_path / "articles.jsonl", [{"id": "bus", "text": text}])
    build_quietly(rows, index=tmp_path / "index", encoder=embedded)

    arguments = ["search", "Berapa bus listrik?", "--index", str(tmp_path / "index")]
    done = python("-c", ALONE, *arguments, "--model-cache", str(model_cache))

    assert done.returncode == 0, done.stderr
    assert "dua ratus bus listrik" in done.stdout
    assert done.stderr == "loaded: []\n"
