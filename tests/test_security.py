# What SECURITY.md promises, a test shows.

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PROMISE = re.compile(r"^\| (?!promise \||---)(.+) \| (.+) \|$", re.MULTILINE)
SHOWN_BY = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_promise_names_a_test_and_every_test_that_is_named_exists(repository: Path) -> None:
    promises = PROMISE.findall((repository / "SECURITY.md").read_text(encoding="utf-8"))

    assert len(promises) > 15
    for promise, shown in promises:
        named = SHOWN_BY.findall(shown)
        assert named, f"no test is named for: {promise}"
        assert SHOWN_BY.sub("", shown).strip(" ,;") == "", promise
        for file, test in named:
            tree = ast.parse((repository / file).read_text(encoding="utf-8"))
            defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
            assert test in defined, f"{file} has no {test}"
