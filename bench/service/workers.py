"""What one and two workers answer, and what their memory costs.

python bench/service/workers.py                    (2 minutes; workers.txt here is a run of it)
python bench/service/workers.py --seconds 3 --clients 5 --hashing
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from pathlib import Path

from clients import ask
from corpora import SAMPLE, questions
from process import mapped, memory, service
from swap import build


def main() -> None:
    """Print a line of figures for each number of workers, and one for each process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--index", type=Path, help="an index that is there; otherwise the sample is indexed")
    parser.add_argument("--hashing", action="store_true", help="the hashing encoder instead of the model")
    parser.add_argument("--out", type=Path, help="write the figures there too")
    options = parser.parse_args()
    lines = [
        (
            f"{options.clients} clients without a pause, {options.seconds:g} s, "
            f"{len(os.sched_getaffinity(0))} cores, {'hashing encoder' if options.hashing else 'model'}; MiB"
        )
    ]
    with tempfile.TemporaryDirectory() as temporary:
        index = options.index or Path(temporary) / "index"
        if options.index is None:
            asyncio.run(build(SAMPLE, index=index, hashing=options.hashing))
        for workers in options.workers:
            log = Path(temporary) / "service.log"
            with service(index, workers=workers, hashing=options.hashing, log=log) as (url, pid):
                how = {"clients": options.clients, "pause_s": 0.0}
                asyncio.run(ask(url, questions(), seconds=options.seconds / 10, **how))
                load = asyncio.run(ask(url, questions(), seconds=options.seconds, **how))
                processes = memory(pid)
                files = mapped(processes[-1].pid)
            total = sum(one.pss for one in processes)
            lines += ["", f"{workers} workers: {load}", f"  all processes together (sum of PSS) {total:.0f}"]
            lines += [
                f"  {one.name:<8} RSS {one.rss:6.0f}  PSS {one.pss:6.0f}  "
                f"of files {one.file:5.0f}  anonymous {one.anonymous:6.0f}"
                for one in processes
            ]
            lines += [
                f"    {name:<28} RSS {rss:7.1f}  PSS {pss:7.1f}"
                for name, (rss, pss) in sorted(files.items(), key=lambda item: -item[1][0])
                if rss >= 0.05  # noqa: PLR2004 - what would print as nothing
            ]
    text = "\n".join([*lines, ""])
    print(text, end="")
    if options.out:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
