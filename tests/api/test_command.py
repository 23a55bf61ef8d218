from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from api import command, serving
from api.settings import Settings
from indexer import IndexNotFound

if TYPE_CHECKING:
    from pathlib import Path

TORCH_FREE = """
import sys, api.app, api.serving
print(sorted({name.partition(".")[0] for name in sys.modules} & {"torch", "sentence_transformers", "transformers"}))
"""


@pytest.fixture(autouse=True)
def _own_logging(monkeypatch: pytest.MonkeyPatch) -> None:
    # It replaces the root logger's handlers, and with them the ones of the test run.
    monkeypatch.setattr(serving, "_log_to_stderr", lambda _: None)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["cari", *arguments])
    with pytest.raises(SystemExit) as left:
        command.main()
    return left.value.code


def test_serving_imports_no_training_library() -> None:
    done = subprocess.run([sys.executable, "-c", TORCH_FREE], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "[]"


def test_version_is_printed_on_stdout(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--version") == 0
    assert capsys.readouterr().out.startswith("cari ")


def test_serving_a_folder_without_an_index_is_one_line_with_the_next_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, "serve", "--index", str(tmp_path / "nothing")) == 1
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith("error: ")
    assert written.err.count("\n") == 1
    assert "cari build" in written.err


def test_serving_without_naming_an_index_is_refused() -> None:
    with pytest.raises(IndexNotFound, match="cari serve --index DIR"):
        serving.serve(Settings(index=None))


def test_a_wrong_option_is_a_usage_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "serve", "--port", "many") == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("name", "value"), [("CARI_MAX_THREADS", "none"), ("CARI_EXAMPLES", "not json"), ("CARI_PORT", "0")]
)
def test_a_wrong_setting_is_a_usage_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setitem(os.environ, name, value)

    assert run(monkeypatch, "serve", "--index", "anywhere") == 2
    assert name.removeprefix("CARI_").lower() in capsys.readouterr().err.lower()


def test_an_interrupt_leaves_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Settings) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(serving, "serve", interrupted)

    assert run(monkeypatch, "serve", "--index", "anywhere") == 130


def test_settings_come_from_the_environment_and_flags_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "CARI_PORT", "9001")
    monkeypatch.setitem(os.environ, "CARI_EXAMPLES", '{"en": ["Why?"]}')

    assert Settings().port == 9001
    assert Settings(port=9002).port == 9002
    assert Settings().examples == {"en": ["Why?"]}
