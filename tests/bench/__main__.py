"""The benchmarks, all or those that are named, into `docs/performance.md`: `make bench ARGS="cold-S-20 --times 3"`.

Each part runs `--times` times, and the run with the median of its figure is kept. A figure that was not measured now
stays as it was.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from tests.bench.big import big
from tests.bench.calls import calls
from tests.bench.cold import cold
from tests.bench.writes import beside_a_census, burst

PAGE: Final = Path(__file__).parents[2] / "docs" / "performance.md"
Row = dict[str, str]

PARTS: Final[dict[str, tuple[str, str, Callable[[], Row]]]] = {
    **{
        f"cold-{shape}-{tps}": ("cold", "wall ÷ bound", partial(cold, shape, tps))
        for shape, tps in (("S", 20), ("M", 20), ("W", 20), ("S", 200), ("M", 200))
    },
    **{f"cold-{shape}-200-at-once": ("cold", "wall ÷ bound", partial(cold, shape, 200, 0)) for shape in ("S", "M")},
    "cold-S-20-shared": ("cold", "wall", partial(cold, "S", 20, beside=True)),
    "grant-1": ("grant", "ratio", beside_a_census),
    "grant-2": ("grant", "ratio", partial(beside_a_census, 2)),
    "calls": ("calls", "CPU per call", calls),
    "burst": ("burst", "wall ÷ bound", burst),
    "big": ("big", "peak memory", big),
}
"""Each part's table, the figure of which the median is kept, and what measures it."""


def measured(name: str, times: int) -> Row:
    """The median run of a part."""
    _, figure, measure = PARTS[name]
    runs = sorted((measure() for _ in range(times)), key=lambda row: _number(row[figure]))
    return runs[len(runs) // 2]


def _number(text: str) -> float:
    found = re.search(r"[\d.]+", text)
    return float(found[0]) if found else 0.0


def write(name: str, row: Row) -> None:
    """Put the row into its table, between the table's marks; a row of the same part before is replaced."""
    table = PARTS[name][0]
    begin, end = f"<!-- {table} -->", f"<!-- end of {table} -->"
    text = PAGE.read_text()
    before, _, rest = text.partition(begin)
    inside, _, after = rest.partition(end)
    rows = {found[1]: line for line in inside.splitlines() if (found := re.search(r"<!-- (\S+) --> \|$", line))}
    rows[name] = "| " + " | ".join(row.values()) + f" <!-- {name} --> |"
    head = ["| " + " | ".join(row) + " |", "|" + " --- |" * len(row)]
    lines = [*head, *(rows[each] for each in PARTS if each in rows)]
    PAGE.write_text(before + begin + "\n" + "\n".join(lines) + "\n" + end + after)


def machine() -> str:
    """What it ran on, in general words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GB of memory, Python {platform.python_version()}"


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"parts, or tables of them; all: {', '.join(PARTS)}")
    parser.add_argument("--times", type=int, default=1, help="runs of each part, of which the median is kept")
    asked = parser.parse_args()
    names = [
        name for name in PARTS if not asked.parts or any(part in (name, name.split("-")[0]) for part in asked.parts)
    ]
    for name in names:
        row = measured(name, asked.times)
        write(name, row)
        sys.stdout.write(f"{name}: " + ", ".join(f"{key} {value}" for key, value in row.items()) + "\n")
        sys.stdout.flush()
    sys.stdout.write(machine() + "\n")


if __name__ == "__main__":
    main()
