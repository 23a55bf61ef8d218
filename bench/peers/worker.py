"""One engine in a process of its own: reads a command a line, answers a line of JSON each.

python worker.py MODULE MODEL-FOLDER [PACKAGE...]

It runs in the engine's environment, so that it needs the standard library only. Whatever an engine prints goes to
stderr. Connections to anywhere but this process's machine are refused as Python asks for them.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engines import Engine

# Before any engine is imported. Models come from the folder that is given, and nothing is reported to anybody.
os.environ |= {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "true",
}
_KIB, _MIB = 1024, 1 << 20


def refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook that lets sockets reach this machine only."""
    if event == "socket.getaddrinfo" and arguments[0] not in {None, "localhost", "127.0.0.1", "::1"}:
        raise ConnectionRefusedError(f"looked up {arguments[0]}: an engine has no business there")
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and address[0] not in {"localhost", "127.0.0.1", "::1"}:
            raise ConnectionRefusedError(f"connected to {address[0]}: an engine has no business there")


def memory_mib(name: str) -> float:
    """Linux's account of this process: VmRSS now, VmHWM at its highest since it began to run Python."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / _KIB
    raise RuntimeError(f"/proc/self/status has no {name}")


def folder_mib(folder: Path) -> float:
    """What the files of a folder hold."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / _MIB


def index(engine: Engine, command: dict[str, Any]) -> dict[str, Any]:
    """Make an index from nothing."""
    began, cpu = time.perf_counter(), time.process_time()
    engine.index(Path(command["corpus"]), Path(command["folder"]))
    return {
        "index_s": time.perf_counter() - began,
        "index_cpu_s": time.process_time() - cpu,
        "peak_mib": memory_mib("VmHWM"),
        "disk_mib": folder_mib(Path(command["folder"])),
    }


def ask(engine: Engine, command: dict[str, Any]) -> dict[str, Any]:
    """Answer questions one by one, each timed."""
    found, took_ms, cpu_ms = [], [], []
    for question in command["questions"]:
        began, cpu = time.perf_counter(), time.process_time()
        found.append(engine.ask(question, command["mode"]))
        cpu_ms.append((time.process_time() - cpu) * 1000)
        took_ms.append((time.perf_counter() - began) * 1000)
    return {"found": found, "took_ms": took_ms, "cpu_ms": cpu_ms, "rss_mib": memory_mib("VmRSS")}


def embed(engine: Engine, command: dict[str, Any]) -> dict[str, Any]:
    """Embed questions one by one, each timed; the first is not counted."""
    took_ms = []
    for question in command["questions"][:1] + command["questions"]:
        began = time.perf_counter()
        engine.embed(question)
        took_ms.append((time.perf_counter() - began) * 1000)
    return {"took_ms": took_ms[1:]}


def main() -> None:
    """Load the engine, say so, and do as told until stdin ends."""
    # Engines print; what the other side reads is only ours.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    module, model, *packages = sys.argv[1:]
    sys.addaudithook(refuse_network)
    began = time.perf_counter()
    engine: Engine = import_module(module).engine(Path(model))
    said: dict[str, Any] = {
        "load_s": time.perf_counter() - began,
        "modes": engine.modes,
        "versions": {package: version(package) for package in packages},
    }
    print(json.dumps(said), file=answers, flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "open":
            began = time.perf_counter()
            engine.open(Path(command["folder"]))
            said = {"open_s": time.perf_counter() - began}
        else:
            said = {"index": index, "ask": ask, "embed": embed}[command["do"]](engine, command)
        print(json.dumps(said), file=answers, flush=True)


if __name__ == "__main__":
    main()
