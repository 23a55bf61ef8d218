# What comes from elsewhere: exactly the versions that are named, and weights that cannot run anything.

from __future__ import annotations

import ast
import importlib.metadata
import json
import pickle
import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from indexer import ModelError, prepare_model
from indexer.sentence_model import load_sentence_transformer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGES = ("api", "corpus", "indexer", "search")
# Libraries that read objects back by running what is written in a file.
READ_BY_RUNNING = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve", "skops"}
RUN = {"eval", "exec", "__import__"}
CONFIG = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "vocab_size": 8,
    "hidden_size": 4,
    "num_hidden_layers": 1,
    "num_attention_heads": 1,
    "intermediate_size": 4,
}


class Trap:
    """Makes a file when it is read back from a pickle."""

    def __init__(self, sprung: Path) -> None:
        self.sprung = sprung

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.sprung), "w")


@pytest.fixture(params=["the only weights", "of a part", "in several files"])
def model_of_pickles(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path / "model"
    (folder / "2_Dense").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    trap = pickle.dumps(Trap(tmp_path / "sprung"))
    names = {
        "the only weights": ["pytorch_model.bin"],
        "of a part": ["2_Dense/pytorch_model.bin"],
        "in several files": ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"],
    }
    for name in names[request.param]:
        (folder / name).write_bytes(trap)
    if request.param == "of a part":
        (folder / "model.safetensors").write_bytes(b"")
    return folder


def test_a_model_whose_weights_are_a_pickle_is_refused_and_never_read(model_of_pickles: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"pytorch_model.*\.bin is a pickle.* safetensors"):
        prepare_model(str(model_of_pickles), cache=tmp_path / "cache")

    assert not (tmp_path / "sprung").exists()
    assert not (tmp_path / "cache").exists()


def test_the_library_that_loads_models_is_told_to_refuse_pickles_too(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))

    with pytest.raises(ModelError, match="does not load"):
        load_sentence_transformer(tmp_path)

    assert not (tmp_path / "sprung").exists()


def test_of_a_hub_model_only_weights_that_run_nothing_and_no_code_are_fetched() -> None:
    from indexer.model import _SOURCE_FILES  # noqa: PLC0415 - what is private is the point

    assert set(_SOURCE_FILES) == {"*.json", "*.txt", "*.model", "*.safetensors"}


def calls(repository: Path) -> Iterator[tuple[str, ast.Call]]:
    for path, tree in sources(repository):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield f"{path}:{node.lineno}", node


def sources(repository: Path) -> Iterator[tuple[str, ast.AST]]:
    for package in PACKAGES:
        for path in sorted((repository / package).rglob("*.py")):
            yield path.relative_to(repository).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def test_nothing_that_the_project_reads_can_run(repository: Path) -> None:
    found = []
    for where, tree in sources(repository):
        for node in ast.walk(tree):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [f"{where}: imports {name}" for name in names if name.partition(".")[0] in READ_BY_RUNNING]
    for where, call in calls(repository):
        called = ast.unparse(call.func)
        given = {one.arg: one.value for one in call.keywords}
        allow = given.get("allow_pickle")
        if called in RUN or called in {"torch.load", "yaml.load", "yaml.unsafe_load", "yaml.full_load"}:
            found.append(f"{where}: {called}")
        if called in {"np.load", "numpy.load"} and not (isinstance(allow, ast.Constant) and allow.value is False):
            found.append(f"{where}: {called} without allow_pickle=False")
        if isinstance(allow, ast.Constant) and allow.value is not False:
            found.append(f"{where}: allow_pickle")

    assert not found


def test_code_of_a_model_is_trusted_only_where_the_flag_says_so(repository: Path) -> None:
    defaults = []
    for where, tree in sources(repository):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                pairs = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
                defaults += [
                    (where, node.name, ast.unparse(default) if default else None)
                    for argument, default in pairs
                    if argument.arg == "trust_remote_code"
                ]
    passed = [
        (where, ast.unparse(one.value))
        for where, call in calls(repository)
        for one in call.keywords
        if one.arg == "trust_remote_code"
    ]

    # A private function may have none; its callers pass what they were told.
    assert {default for _, name, default in defaults if not name.startswith("_")} == {"False"}
    assert {value for _, value in passed} == {"trust_remote_code"}
    assert {where for where, _, _ in defaults} == {
        "indexer/command.py",
        "indexer/model.py",
        "indexer/sentence_model.py",
    }


def pins(repository: Path) -> dict[str, Version]:
    lines = (repository / "constraints.txt").read_text(encoding="utf-8").splitlines()
    written = [line for line in lines if line and not line.startswith("#")]
    for line in written:
        assert re.fullmatch(r"[\w.-]+==[\w.]+", line), line
    return {
        canonicalize_name(name): Version(version) for name, _, version in (line.partition("==") for line in written)
    }


def needed(project: dict[str, Any]) -> dict[str, str | None]:
    """Every distribution that the project and its extras need here, and the version that is installed."""
    extras = project["project"]["optional-dependencies"]
    asked = [Requirement(one) for one in project["project"]["dependencies"]]
    asked += [Requirement(one) for listed in extras.values() for one in listed if not one.startswith("cari[")]
    # What builds the project lives in an environment of its own, for as long as that takes.
    found: dict[str, str | None] = dict.fromkeys(project["build-system"]["requires"])
    seen: set[tuple[str, str]] = set()
    while asked:
        one = asked.pop()
        name = canonicalize_name(one.name)
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found.setdefault(name, None)  # of an extra that nobody installed here
            continue
        found[name] = version
        for extra in ("", *one.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                required = map(Requirement, importlib.metadata.requires(name) or ())
                asked += [each for each in required if each.marker is None or each.marker.evaluate({"extra": extra})]
    return found


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    return tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_distribution_that_is_installed_is_pinned_to_its_version(
    repository: Path, project: dict[str, Any]
) -> None:
    pinned = pins(repository)

    for name, version in needed(project).items():
        assert name in pinned, f"{name} {version} is not in constraints.txt"
        # A build for one kind of processor, such as 2.13.0+cpu, is of the version that is named.
        assert version is None or Version(Version(version).public) == pinned[name], name


def test_every_pin_is_of_something_that_is_needed(repository: Path, project: dict[str, Any]) -> None:
    assert set(pins(repository)) - set(needed(project)) == set()
