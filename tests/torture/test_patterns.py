# No regular expression of the project takes a time that grows faster than its input: each is found, and attacked.

from __future__ import annotations

import ast
import importlib
import random
import re
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from re import _constants as parts
from re import _parser as parser
from typing import TYPE_CHECKING, Any

import pytest

from indexer import sentence_model, unigram

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("api", "indexer", "search")  # the patterns of corpus are asked with the rules that they are for
USES = ("search", "match", "fullmatch", "findall", "finditer", "sub", "split")
# What is compiled from a table, and only when it is used.
FROM_TABLES = {("indexer/sentence_model.py", one[0]) for one in sentence_model._FAMILY_PROMPTS} | {
    ("indexer/unigram.py", unigram._any_of(["<s>", "</s>", "<pad>", "<unk>", "<mask>"]).pattern)
}

# What takes less nobody notices; what takes more must at most double when its input does.
UNNOTICED_S = 0.03
LIMIT_S = 0.5
MOST_GROWTH = 3.0  # 2 is linear, 4 is quadratic
STOCK = " \n\t\r\xa0aAzZ019.,;:!?…-–—_/\\|@#%&=+<>(){}[]\"'“”‘’•·é語🌊\x00\x1f\u200b\u2028\ud800"
TAILS = ("", "\x00", "!", "a", "\n", " x")


@dataclass(frozen=True)
class Site:
    """A pattern, where it stands, and what is done with it."""

    file: str
    pattern: str | bytes
    flags: int
    uses: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.file} {str(self.pattern)[:60]!r}"


class TooLongError(Exception):
    pass


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((REPOSITORY / package).rglob("*.py"))]


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")


def is_call_of_re(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and node.func.attr in {"compile", *USES}
    )


def written(path: Path) -> Iterator[tuple[ast.Call, str | None]]:
    """Every call of `re` in a file, and the name that its result is given, if it is given one."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {
        id(node.value): target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if is_call_of_re(node):
            yield node, named.get(id(node))


def uses_of(name: str | None, *, file: Path) -> tuple[str, ...]:
    """What is done with a pattern of that name; anything, where it has none or is handed on."""
    if name is None:
        return USES
    where = [file] if name.startswith("_") else modules()
    text = "\n".join(path.read_text(encoding="utf-8") for path in where)
    found = set(re.findall(rf"\b{name}\.(\w+)\(", text)) & set(USES)
    return tuple(sorted(found)) or USES


def sites() -> list[Site]:
    """Every pattern of the packages."""
    found: dict[tuple[str, str | bytes, int], set[str]] = {}
    for path in modules():
        file = path.relative_to(REPOSITORY).as_posix()
        for call, name in written(path):
            uses = uses_of(name, file=path) if call.func.attr == "compile" else (call.func.attr,)
            for compiled in evaluated(call, path):
                found.setdefault((file, compiled.pattern, compiled.flags), set()).update(uses)
    return [Site(*which, tuple(sorted(uses))) for which, uses in sorted(found.items(), key=str)]


def evaluated(call: ast.Call, path: Path) -> list[re.Pattern[Any]]:
    """The pattern of a call, made of what its module holds; a test fails where it is made of anything else."""
    file = path.relative_to(REPOSITORY).as_posix()
    compiling = ast.Call(ast.parse("re.compile", mode="eval").body, call.args[:1], [])
    if call.func.attr == "compile":
        compiling = call
    else:
        compiling.keywords = [one for one in call.keywords if one.arg == "flags"]
    expression = compile(ast.fix_missing_locations(ast.Expression(compiling)), file, "eval")
    try:
        return [eval(expression, vars(importlib.import_module(name_of(path))))]  # noqa: S307 - our own source
    except NameError:
        known = [re.compile(pattern) for where, pattern in FROM_TABLES if where == file]
        assert known, f"{file}:{call.lineno}: a pattern that this test cannot find; make it a constant of its module"
        return known


def sample(nodes: Any, draw: random.Random, *, flags: int) -> str:  # noqa: ANN401 - a tree of the standard library
    """A text that these parts of a pattern would probably match; repeats are short."""
    return "".join(_of(node, draw, flags=flags) for node in nodes)


def _of(node: tuple[Any, Any], draw: random.Random, *, flags: int) -> str:  # noqa: PLR0911 - one for each kind of part
    kind, what = node
    if kind is parts.LITERAL:
        return chr(what)
    if kind in {parts.ANY, parts.NOT_LITERAL}:
        return draw.choice([sign for sign in STOCK if kind is parts.ANY or ord(sign) != what])
    if kind is parts.IN:
        return draw.choice(_members(what, flags=flags))
    if kind in {parts.MAX_REPEAT, parts.MIN_REPEAT, parts.POSSESSIVE_REPEAT}:
        least, most, body = what
        return "".join(sample(body, draw, flags=flags) for _ in range(draw.randint(least, min(most, least + 2))))
    if kind is parts.BRANCH:
        return sample(draw.choice(what[1]), draw, flags=flags)
    if kind is parts.SUBPATTERN:
        return sample(what[3], draw, flags=flags)
    if kind is parts.ATOMIC_GROUP:
        return sample(what, draw, flags=flags)
    return ""  # a place, a look around or a reference


@cache
def _members_of(written: str, flags: int) -> str:
    one = re.compile(written, flags)
    return "".join(sign for sign in map(chr, range(0x20, 0x7F)) if one.fullmatch(sign)) + "".join(
        sign for sign in STOCK if one.fullmatch(sign)
    )


def _members(items: list[tuple[Any, Any]], *, flags: int) -> str:
    """Some characters of a set, at least one."""
    categories = {
        parts.CATEGORY_DIGIT: r"\d",
        parts.CATEGORY_NOT_DIGIT: r"\D",
        parts.CATEGORY_SPACE: r"\s",
        parts.CATEGORY_NOT_SPACE: r"\S",
        parts.CATEGORY_WORD: r"\w",
        parts.CATEGORY_NOT_WORD: r"\W",
    }
    inside, first = "", ""
    for kind, what in items:
        if kind is parts.LITERAL:
            inside += re.escape(chr(what))
            first += chr(what)
        elif kind is parts.RANGE:
            inside += f"{re.escape(chr(what[0]))}-{re.escape(chr(what[1]))}"
            first += chr(what[0]) + chr(what[1])
        elif kind is parts.CATEGORY:
            inside += categories[what]
    negated = items[0][0] is parts.NEGATE
    found = _members_of(f"[{'^' if negated else ''}{inside}]", flags & ~re.DEBUG)
    return found if negated else found + first


def repeats(nodes: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:  # noqa: ANN401
    """Every part that may come often, with what comes before it."""
    for node in nodes:
        kind, what = node
        if kind in {parts.MAX_REPEAT, parts.MIN_REPEAT, parts.POSSESSIVE_REPEAT}:
            if what[1] > 10:
                yield before, what[2]
            yield from repeats(what[2], before)
        elif kind is parts.SUBPATTERN:
            yield from repeats(what[3], before)
        elif kind is parts.ATOMIC_GROUP:
            yield from repeats(what, before)
        elif kind is parts.BRANCH:
            for branch in what[1]:
                yield from repeats(branch, before)
        elif kind in {parts.ASSERT, parts.ASSERT_NOT}:
            yield from repeats(what[1], before)
        before = (*before, node)


def attacks(site: Site, *, seed: str) -> Iterator[tuple[str, str, str]]:
    """Beginnings, what to repeat after them, and ends, that may make this pattern try again and again."""
    draw = random.Random(seed)  # noqa: S311 - to repeat a failure
    tree = parser.parse(site.pattern, site.flags)
    text = str(tree)
    literals = {chr(int(code)) for code in re.findall(r"LITERAL, (\d+)", text)}
    for sign in sorted(literals | set(STOCK)):
        yield "", sign, draw.choice(TAILS)
    for before, body in repeats(tree):
        for _ in range(3):
            beginning, pump = sample(before, draw, flags=site.flags), sample(body, draw, flags=site.flags)
            if pump:
                yield beginning, pump, draw.choice(TAILS)
                yield "", beginning + pump, draw.choice(TAILS)
                yield "", beginning + pump * 40 + "\x00", ""
    for _ in range(6):
        whole = sample(tree, draw, flags=site.flags)
        yield "", whole or "a", draw.choice(TAILS)
        yield "", whole[:-1] or "a", draw.choice(TAILS)


def filled(attack: tuple[str, str, str], *, length: int, like: str | bytes) -> str | bytes:
    beginning, pump, end = attack
    text = beginning + pump * (length // len(pump)) + end
    return text.encode("latin-1", "replace") if isinstance(like, bytes) else text


@contextmanager
def at_most(limit_s: float) -> Iterator[None]:
    """Ends what takes longer, counted in this process's own time: other work on the machine does not matter."""

    def stop(*_: object) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def run(pattern: re.Pattern[Any], use: str, text: str | bytes) -> float:
    """Seconds that it takes to use a pattern on all of a text."""
    call: Callable[..., Any] = getattr(pattern, use)
    began = time.process_time()
    if use == "sub":
        call(text[:0], text)
    elif use == "finditer":
        for _ in call(text):
            pass
    else:
        call(text)
    return time.process_time() - began


def too_slow(site: Site, use: str, attack: tuple[str, str, str], *, length: int) -> str | None:
    """Why a pattern took too long, or None."""
    pattern = re.compile(site.pattern, site.flags)
    whole, half = (filled(attack, length=size, like=site.pattern) for size in (length, length // 2))
    try:
        with at_most(LIMIT_S):
            took = run(pattern, use, whole)
        if took < UNNOTICED_S:
            return None
        with at_most(6 * LIMIT_S):
            took, of_half = (min(run(pattern, use, text) for _ in range(2)) for text in (whole, half))
    except TooLongError:
        return f"{site}.{use}: over {LIMIT_S} s for {len(whole):,} characters of {attack}"
    if took < UNNOTICED_S or took < MOST_GROWTH * of_half:
        return None
    return f"{site}.{use}: {of_half:.3f} s, then {took:.3f} s for twice as much, {len(whole):,} characters of {attack}"


def test_every_pattern_is_found() -> None:
    found = sites()

    assert len(found) > 25
    assert {site.file.partition("/")[0] for site in found} == set(PACKAGES)
    asked = [site for site in found if site.file == "search/question.py"]
    assert [(site.pattern, site.uses) for site in asked] == [(r"[^\W\d_]+", ("findall",))]


def test_no_pattern_takes_longer_than_in_proportion_to_its_input(rounds: Callable[..., int]) -> None:
    length = rounds(small=8_192, full=32_768)
    slow: dict[str, str] = {}
    for site in sites():
        for use in site.uses:
            for attack in attacks(site, seed=repr(site.pattern)):
                reason = too_slow(site, use, attack, length=length)
                if reason:
                    slow.setdefault(f"{site}.{use}", reason)
                    break

    assert not slow, "\n".join(slow.values())


@pytest.mark.parametrize(
    ("pattern", "use"),
    [(r"(a+)+$", "match"), (r"\s*,", "search"), (r"x*y", "findall")],
)
def test_a_pattern_that_tries_again_and_again_would_be_seen(pattern: str, use: str) -> None:
    site = Site("none.py", pattern, 0, (use,))

    assert any(too_slow(site, use, attack, length=8_192) for attack in attacks(site, seed="x"))
