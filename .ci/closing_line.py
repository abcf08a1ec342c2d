"""The last line of .ci/run: what all its parts counted, from the closing lines in their logs.

python .ci/closing_line.py LOG…   prints "N passed, N failed, N skipped, N known bugs"; a sample that was run says so
before.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

COUNTED = {
    "passed": ("passed", "held", "observed"),
    "failed": ("failed", "error", "errors", "broken", "unknown", "differ"),
    "skipped": ("skipped",),
    "known bugs": ("known bug", "known bugs"),
}
"""Word of the last line -> words of pytest's closing line and of the plugin's."""
CLOSING = re.compile(r"\b\d[\d,]* (?:passed|failed)\b.* in \d|\b\d[\d,]* held\b.*\bunknown\b")
SAMPLED = re.compile(r"^sampled .*")


def counts(text: str) -> Counter[str]:
    """What the closing lines of a log count."""
    found: Counter[str] = Counter()
    for line in filter(CLOSING.search, text.splitlines()):
        for number, word in re.findall(r"(\d[\d,]*) (known bugs?|\w+)", line):
            for name, words in COUNTED.items():
                if word in words:
                    found[name] += int(number.replace(",", ""))
    return found


def main(paths: list[str]) -> int:
    """0; 1 when something failed."""
    total: Counter[str] = Counter()
    for path in map(Path, paths):
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        total += counts(text)
        for line in text.splitlines():
            if SAMPLED.match(line):
                print(f"{path.stem}: {line}")
    print(", ".join(f"{total[name]:,} {name}" for name in COUNTED))
    return int(total["failed"] > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
