# Reads the articles under a path in a process of its own, and prints what that took, as JSON.

from __future__ import annotations

import json
import re
import resource
import sys
import tempfile
import time
from pathlib import Path

from corpus import Rejection, read_articles

GIB = 1024**3


def memory_mib(field: str) -> float:
    """`VmRSS`, what the process holds, or `VmHWM`, the most that it held since that was reset."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) / 1024


def main(path: Path) -> None:
    # A reader that holds everything ends here, and not with the machine.
    resource.setrlimit(resource.RLIMIT_AS, (4 * GIB, 4 * GIB))
    # Tables of languages are loaded with the first article: they are no memory of any record.
    with tempfile.NamedTemporaryFile(suffix=".txt") as first:
        first.write(b"Pemerintah kota menambah dua ratus bus listrik untuk melayani jalur timur.")
        first.flush()
        list(read_articles([Path(first.name)], quarantine=print))
    before = memory_mib("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # resets VmHWM
    rejections: list[Rejection] = []
    articles = chars = 0
    began = time.process_time()
    for article in read_articles([path], quarantine=rejections.append):
        articles += 1
        chars += len(article.text)
    result = {
        "articles": articles,
        "chars": chars,
        "rejections": [[rejection.place, rejection.reason] for rejection in rejections],
        "cpu_s": time.process_time() - began,
        "grew_mib": memory_mib("VmHWM") - before,
    }
    print(json.dumps(result))  # noqa: T201 - its answer


main(Path(sys.argv[1]))
