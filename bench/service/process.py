"""A real `cari serve` process, and what its memory is made of."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

_START_S = 180.0
_STOP_S = 40.0
_MIB = 1024


def command(*, hashing: bool) -> list[str]:
    """How `cari` is run, with its model or with the hashing encoder in its place."""
    if hashing:
        return [sys.executable, str(Path(__file__).with_name("hashing.py"))]
    return [sys.executable, "-c", "from api.command import main; main()"]


@contextmanager
def service(index: Path, *, workers: int = 1, hashing: bool, log: Path) -> Iterator[tuple[str, int]]:
    """Serves an index while the block runs; gives its address and the process id.

    Raises:
        RuntimeError: it did not become ready, or did not leave with 0.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    arguments = ["serve", "--index", str(index), "--port", str(port), "--workers", str(workers)]
    with log.open("wb") as stderr:
        running = subprocess.Popen([*command(hashing=hashing), *arguments, "--log-level", "warning"], stderr=stderr)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_ready(url, running, log=log)
        yield url, running.pid
        running.send_signal(signal.SIGTERM)
        if running.wait(_STOP_S) != 0:
            raise RuntimeError(f"the service left with {running.returncode}: {log.read_text()[-2000:]}")
    finally:
        if running.poll() is None:
            running.kill()
            running.wait()


def _wait_ready(url: str, running: subprocess.Popen[bytes], *, log: Path) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and running.poll() is None:
        try:
            with urlopen(f"{url}/readyz", timeout=10):  # noqa: S310 - our own process
                return
        except OSError:  # refused, not ready, or too busy to say
            time.sleep(0.1)
    raise RuntimeError(f"the service did not become ready: {log.read_text()[-2000:]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Of one process, in MiB: resident, its share of it (pages that n processes hold count 1/n), and what of the
    resident part is mapped from files or private to it.
    """

    pid: int
    name: str
    rss: float
    pss: float
    file: float
    anonymous: float


def memory(pid: int) -> list[Memory]:
    """Of a service and its workers, from Linux's own accounts."""
    family = [pid, *(int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    found = []
    for one in family:
        rollup = Path(f"/proc/{one}/smaps_rollup").read_text(encoding="ascii")
        kib = {name: int(size) for name, size in re.findall(r"^(\w+):\s+(\d+) kB", rollup, re.MULTILINE)}
        found.append(
            Memory(
                pid=one,
                name="parent" if one == pid else _role(one),
                rss=kib["Rss"] / _MIB,
                pss=kib["Pss"] / _MIB,
                file=(kib["Rss"] - kib["Anonymous"]) / _MIB,
                anonymous=kib["Anonymous"] / _MIB,
            )
        )
    return found


def _role(pid: int) -> str:
    arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
    return "tracker" if b"resource_tracker" in arguments else "worker"


def mapped(pid: int) -> dict[str, tuple[float, float]]:
    """Resident MiB and this process's share of them, by mapped file of the index or the model."""
    sizes: dict[str, tuple[float, float]] = {}
    name = ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        head = re.match(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+\s*(.*)", line)
        if head:
            name = Path(head[1]).name if re.search(r"/generations/|graph\.bin", head[1]) else ""
        elif name and (size := re.match(r"(Rss|Pss):\s+(\d+) kB", line)):
            rss, pss = sizes.get(name, (0.0, 0.0))
            more = int(size[2]) / _MIB
            sizes[name] = (rss + more, pss) if size[1] == "Rss" else (rss, pss + more)
    return sizes


def generation(url: str) -> str:
    """What is being served."""
    with urlopen(f"{url}/v1/index", timeout=30) as answer:  # noqa: S310 - our own process
        return str(json.load(answer)["generation"])
