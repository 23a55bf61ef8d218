from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from api import command, serving
from api.access.keys import create_key
from api.settings import Settings
from indexer import IndexNotFound

if TYPE_CHECKING:
    from pathlib import Path

    from api.live import Live

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


def test_an_unknown_setting_is_an_error_with_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(os.environ, "CARI_PROT", "9001")

    assert run(monkeypatch, "serve", "--index", "anywhere") == 2
    assert capsys.readouterr().err == "error: unknown setting CARI_PROT; did you mean CARI_PORT?\n"


@pytest.mark.parametrize("arguments", [("--host", "0.0.0.0"), ("--set", "require_key=always")])  # noqa: S104
def test_a_service_that_needs_keys_does_not_start_without_any(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    assert run(monkeypatch, "serve", "--index", str(tmp_path), *arguments) == 1
    assert f"cari keys create NAME --index {tmp_path}" in capsys.readouterr().err


def test_with_a_key_or_without_the_need_of_one_it_goes_on_to_open_the_index(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    other = ("serve", "--index", str(tmp_path), "--host", "0.0.0.0")  # noqa: S104
    run(monkeypatch, *other, "--set", "require_key=never")
    assert "cari build" in capsys.readouterr().err

    create_key(tmp_path / "keys.json", name="desk")
    run(monkeypatch, *other)
    assert "cari build" in capsys.readouterr().err


def test_a_worker_is_set_up_as_its_parent_was(monkeypatch: pytest.MonkeyPatch, live: Live) -> None:
    settings = Settings(
        index="anywhere", workers=2, trusted_proxies=("10.0.0.1",), rate="5/s", examples={"en": ["Why?"]}
    )
    started: dict[str, Any] = {}
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setattr(serving, "_open", lambda _, **__: live)
    monkeypatch.setattr(serving, "open_good", lambda _: None)
    monkeypatch.setattr(serving, "IndexInfo", SimpleNamespace(of=lambda _: live.searcher.info))
    monkeypatch.setattr(serving, "_check_keys", lambda _: None)
    # What stands in a worker's environment beside it changes nothing.
    os.environ["CARI_RATE"] = "1/d"

    def run(target: str, **options: object) -> None:
        started.update(options, target=target, app=serving.app_of_worker())

    monkeypatch.setattr(uvicorn, "run", run)
    serving.serve(settings)

    assert (started["target"], started["factory"], started["workers"]) == ("api.serving:app_of_worker", True, 2)
    assert started["forwarded_allow_ips"] == ["10.0.0.1"]
    assert started["app"].state.settings == settings
