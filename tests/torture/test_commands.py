# Whatever the command line is given: 0, 1 or 2, never a traceback, and a reason where it is not 0.

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from api import command, serving
from indexer import HashingEncoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WITHOUT_MODEL = Path(__file__).with_name("cari_without_model.py")
ROW = {
    "id": "kapal",
    "title": "Kapal é 🌊",
    "text": "Sebuah kapal kandas di muara. “Air” surut sejak pagi.",
    "language": "id",
}

ODD = (
    *(
        "",
        " ",
        "-",
        "--",
        "0",
        "-1",
        "1e309",
        "NaN",
        "inf",
        "9" * 400,
        "true",
        "٣",
        "1000",
        "60/m",
        "0/s",
        "id",
        "hybrid",
    ),
    *(
        "\udcff\udc80",
        "\u202ekapal",
        "\x1b[31m",
        "a\nb",
        "é" * 300,
        "x" * 5_000,
        "[red]",
        "{}",
        "'; rm -rf",
        "%s%n",
        "🌊",
    ),
    *(
        "2026-02-30",
        "0000-00-00",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "NAME=VALUE",
        "port=x",
        "rate=60/m",
        "=",
        "port=\udcff",
    ),
    *(
        "no/such/folder",
        "nobody-here/no-such-model",
        "..",
        "kapal",
        "/dev/null",
        "/proc/self/mem",
        "/",
        "a/b/c",
        "~nobody/x",
    ),
)


def commands(group: Any, *before: str) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 - of the framework
    """Every command with its words: what is added later is asked too."""
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from commands(one, *before, name)
        else:
            yield (*before, name), one


COMMANDS = dict(commands(typer.main.get_command(command.app)))
OPTIONS = sorted({name for one in COMMANDS.values() for option in one.params for name in option.opts if name[0] == "-"})


@pytest.fixture
def world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_rows: Callable[..., Path], build_quietly: Callable[..., Any]
) -> Path:
    """A folder with articles, an index, a set of questions and oddities; no command serves, and none loads a model."""
    for name in ("search.opening", "search.eval_command"):
        module = import_module(name)
        monkeypatch.setattr(module, "open_encoder", lambda *_, **__: HashingEncoder())
        monkeypatch.setattr(module, "prepare_model", lambda *_, **__: tmp_path)
    monkeypatch.setattr("search.opening.find_prepared", lambda *_, **__: tmp_path)
    monkeypatch.setattr(serving, "run", lambda *_, **__: None)
    monkeypatch.setattr(serving.uvicorn, "run", lambda *_, **__: None)
    work = tmp_path / "deep" / "in" / "here"
    work.mkdir(parents=True)
    build_quietly(write_rows(work / "articles.jsonl", [ROW, {"text": ""}]), index=work / "index")
    write_rows(work / "set" / "corpus.jsonl", [{"_id": "kapal", "title": "", "text": ROW["text"]}])
    write_rows(work / "set" / "queries.jsonl", [{"_id": "q1", "text": "kapal kandas"}])
    (work / "set" / "qrels").mkdir()
    (work / "set" / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tkapal\t1\n")
    (work / "empty").mkdir()
    (work / "loop").symlink_to("loop")
    (work / "garbage").write_bytes(bytes(range(256)))
    (work / "good.toml").write_text("port = 8080\n")
    Path(os.fsdecode(bytes(work) + b"/\xff\xfe.txt")).write_text("")
    monkeypatch.chdir(work)
    return work


PATHS = ("articles.jsonl", "index", "set", "empty", "loop", "garbage", "good.toml", ".", "\udcff\udcfe.txt", "new")
GOOD = {
    "index": "index", "paths": "articles.jsonl", "folders": "set", "question": "kapal kandas", "article_id": "kapal",
    "model_cache": "cache", "name": "desk", "keys": "keys.json", "config": "good.toml", "explain": "q1", "rate": "60/m",
}  # fmt: skip


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """A command with some of its options, some of another's, and values that fit, or anything at all."""
    words = draw(st.sampled_from(sorted(COMMANDS)))
    text = st.text(st.characters(exclude_characters="\0/"), max_size=30)
    value = st.one_of(st.sampled_from(ODD), st.sampled_from(PATHS), text)
    line = list(words)
    for option in COMMANDS[words].params:
        good = GOOD.get(option.name)
        given = draw(st.integers(0, 9))
        if good is not None and given < 6:
            chosen = [good]
        elif given < 8 and (good is None or given == 7):
            continue
        else:
            chosen = draw(st.lists(value, min_size=1, max_size=2))
        name = next((name for name in option.opts if name.startswith("-")), None)
        if name is None:
            line += chosen
        elif getattr(option, "is_flag", False):
            line.append(name)
        else:
            line += [part for one in chosen for part in (name, one)]
    if draw(st.integers(0, 9)) == 0:
        line.insert(draw(st.integers(0, len(line))), draw(st.sampled_from(OPTIONS)))
    return line


def judged(done: Any, line: list[str]) -> None:  # noqa: ANN401 - what the fixture returns
    assert done.status in {0, 1, 2}, (done, line)
    assert "Traceback" not in done.err + done.out, (done.err, line)
    if done.status:
        told = done.out + done.err if line[0] == "verify" else done.err
        assert re.sub(r"\W+", "", told), line
        if done.status == 1 and (line[0] != "verify" or not done.out):
            assert "error: " in done.err, (done.err, line)


def test_no_command_line_ends_in_a_traceback(
    world: Path, cari: Callable[..., Any], rounds: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {("build",), ("keys", "create"), ("model", "prepare"), ("serve",)} <= set(COMMANDS)
    # Hub ids, devices that never end and the real model are for tests of their own.
    monkeypatch.setattr(import_module("indexer.model"), "_fetch", lambda name: world / name)
    seen: set[tuple[str, int]] = set()

    @settings(
        max_examples=rounds(small=60, full=1_500),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @seed(1)
    @given(command_lines())
    def ends_well(line: list[str]) -> None:
        done = cari(*line)
        judged(done, line)
        seen.add((" ".join(line[:1]), done.status))

    ends_well()

    assert {status for _, status in seen} == {0, 1, 2}
    assert len({name for name, _ in seen}) > 6


@pytest.mark.parametrize(
    "content",
    [
        "",
        "port",
        "port = ",
        "[port]",
        "port = 1\nport = 2",
        "port = 1e400",
        "= 1",
        "port = [1, {a=",
        '"" = 1',
        "\0",
        "rate = 5",
    ],
)
def test_a_settings_file_of_garbage_is_refused_with_its_name(
    world: Path, cari: Callable[..., Any], content: str
) -> None:
    (world / "bad.toml").write_text(content)

    done = cari("serve", "--config", "bad.toml", "--show-settings")

    assert done.status == (2 if content else 0)
    assert not content or "bad.toml" in done.err


@pytest.mark.parametrize("config", ["garbage", "index", "loop", "missing", "\udcff", "/proc/self/mem"])
@pytest.mark.usefixtures("world")
def test_a_settings_file_that_is_none_is_refused_with_its_name(cari: Callable[..., Any], config: str) -> None:
    done = cari("serve", "--config", config, "--show-settings")

    assert (done.status, done.out) == (2, "")
    assert config.encode("ascii", "backslashreplace").decode() in done.err


@pytest.fixture(scope="module")
def index(
    tmp_path_factory: pytest.TempPathFactory, write_rows: Callable[..., Path], build_quietly: Callable[..., Any]
) -> Path:
    folder = tmp_path_factory.mktemp("commands")
    rows = [
        {**ROW, "id": f"kapal{number}", "text": f"Kapal {number} kandas. " + ROW["text"] * 40} for number in range(60)
    ]
    build_quietly(write_rows(folder / "articles.jsonl", rows), index=folder / "index")
    return folder / "index"


def run(shell: str, index: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A line of a shell, where CARI stands for the command and INDEX for its index."""
    line = shell.replace("CARI", f"{sys.executable} {WITHOUT_MODEL}").replace("INDEX", f"--index {index}")
    given = {name: value for name, value in os.environ.items() if not name.startswith(("CARI_", "PYTHON"))}
    given |= {"PYTHONPATH": str(Path(__file__).parents[2])} | environment
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"], capture_output=True, timeout=120, check=False, env=given
    )


LONG = "CARI search kapal INDEX --limit 60"


READERS = (f"{LONG} --json | head -1", f"{LONG} | head -1", "CARI info INDEX | true")
NOBODY_READS = (
    ("CARI info INDEX >/dev/full", 1, b"error: the answer cannot be written: No space left on device"),
    ("CARI info INDEX >&-", 0, b""),
    ("CARI info INDEX >&- 2>&-", 0, b""),
    ("CARI info --index nowhere >&- 2>&-", 1, b""),
    (f"{LONG} --json >/dev/full", 1, b"error: the answer cannot be written: No space left on device"),
)
TERMINALS = (
    {"PYTHONIOENCODING": "ascii", "HOME": "/proc/nowhere"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "HOME": ""},
    {"TERM": "dumb", "COLUMNS": "0", "LINES": "-1"},
    {"COLUMNS": "1"},
)


def test_a_reader_that_has_seen_enough_is_no_error_to_tell_of(index: Path, rounds: Callable[..., int]) -> None:
    for line in READERS[: rounds(small=1, full=3)]:
        done = run(line, index)

        assert done.returncode in {0, 1}, line
        assert done.stderr == b"", line


def test_a_closed_or_full_stdout_is_at_most_one_line(index: Path, rounds: Callable[..., int]) -> None:
    for line, status, told in NOBODY_READS[: rounds(small=1, full=5)]:
        done = run(line, index)

        assert (done.returncode, done.stdout) == (status, b""), line
        assert done.stderr.startswith(told), line
        assert done.stderr.count(b"\n") == bool(told), line


def test_a_poor_terminal_and_a_lost_home_are_answered(index: Path, rounds: Callable[..., int]) -> None:
    for environment in TERMINALS[: rounds(small=1, full=4)]:
        shown = run("CARI search kapal INDEX --limit 1", index, **environment)
        plain = run("CARI search kapal INDEX --limit 1 --json", index, **environment)

        assert (shown.returncode, shown.stderr) == (0, b""), environment
        assert (plain.returncode, plain.stderr) == (0, b""), environment
        assert json.loads(plain.stdout)["hits"][0]["article"]["title"] == ROW["title"], environment


@pytest.mark.usefixtures("world")
def test_a_cache_that_cannot_be_made_is_named_with_what_to_do(cari: Callable[..., Any]) -> None:
    where = ("--model", "multilingual-e5-small", "--model-cache", "/proc/nowhere")

    done = cari("build", "articles.jsonl", "--index", "new", *where)

    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("error: cannot prepare the model in /proc/nowhere")
    assert "--model-cache" in done.err
    assert not Path("new").exists()


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("keys", ["", ".", "/", "index"])
def test_a_folder_where_a_file_of_keys_should_be_is_refused(cari: Callable[..., Any], keys: str) -> None:
    for line in (["create", "desk"], ["list"], ["revoke", "desk"]):
        done = cari("keys", *line, "--keys", keys)

        assert (done.status, done.out) == (1, ""), line
        assert "is a folder, expected a file; move it away or name another" in done.err, line


@pytest.mark.usefixtures("world")
def test_an_article_id_and_a_folder_whose_names_are_no_unicode_are_refused(cari: Callable[..., Any]) -> None:
    asked = cari("similar", "kapal\udcff", "--index", "index")
    prepared = cari("model", "prepare", ".")  # where a file has such a name

    assert (asked.status, asked.out) == (1, "")
    assert asked.err.startswith("error: the index has no article of the id 'kapal\\udcff'")
    assert (prepared.status, prepared.out) == (1, "")
    assert prepared.err.count("error: ") == 1


SLOW = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs the tests in the background has it ignored
import indexer.command as indexing
from indexer import HashingEncoder

class Slow(HashingEncoder):
    def embed_passages(self, texts):
        print("embedding", file=sys.stderr, flush=True)
        time.sleep(5)
        return super().embed_passages(texts)

indexing.prepare_model = lambda _name, *, cache, **_: cache
indexing.open_encoder = lambda _folder, **_: Slow()
from api.command import main
main()
"""


def test_a_build_that_is_interrupted_leaves_with_130_and_nothing_half_written(index: Path, tmp_path: Path) -> None:
    arguments = ["build", index.parent / "articles.jsonl", "--index", tmp_path / "new"]
    with subprocess.Popen(
        [sys.executable, "-c", SLOW, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as building:
        assert building.stderr is not None
        assert building.stderr.readline() == "embedding\n"
        building.send_signal(signal.SIGINT)
        out, err = building.communicate(timeout=60)

    assert (building.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["build.lock", "cache"]
