#!/usr/bin/env python3
"""A layer includes only layers of lower rank; what is `_internal` stays in its folder.

The ranks are those of ARCHITECTURE.md. Prints each offence and exits 1 if there is one.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

RANKS = {
    "base": 0,
    "os": 1, "hash": 1, "codec": 1,
    "arrow": 2,
    "predicate": 3,
    "parquet": 4, "io": 4, "store": 4,
    "catalog": 5,
    "tree": 6,
    "table": 7,
    "repo": 8,
    "cli": 9,
}
PUBLIC_ONLY = ("cli",)  # as users do: <armillaria/…> and its own headers, nothing else of src/
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def offences_of(path: pathlib.Path, layer: str) -> list[str]:
    found = []
    for kind, name in INCLUDE.findall(path.read_text()):
        if kind == "<":
            continue
        if "/" not in name:
            if layer not in PUBLIC_ONLY:
                found.append(f'includes "{name}" without its folder')
            continue
        other = name.split("/")[0]
        if other == layer:
            continue
        if layer in PUBLIC_ONLY or other not in RANKS:
            found.append(f'may not include "{name}"')
        elif RANKS[other] >= RANKS[layer]:
            found.append(f'rank {RANKS[layer]} includes "{name}" of rank {RANKS[other]}')
        elif name.endswith("_internal.h"):
            found.append(f'includes "{name}", which belongs to {other}/ alone')
    return [f"{path.relative_to(ROOT)}: {text}" for text in found]


def main() -> int:
    offences, seen, files = [], {}, 0
    for layer in sorted(p.name for p in (ROOT / "src").iterdir() if p.is_dir()):
        if layer not in RANKS:
            offences.append(f"src/{layer}: has no rank")
            continue
        if not (ROOT / "src" / layer / "README.md").exists():
            offences.append(f"src/{layer}: has no README.md")
        for path in sorted((ROOT / "src" / layer).glob("*.[ch]")):
            files += 1
            offences += offences_of(path, layer)
            if path.name in seen:
                offences.append(f"{path.relative_to(ROOT)}: the name is taken by {seen[path.name]}")
            seen[path.name] = path.relative_to(ROOT)
    for path in sorted((ROOT / "python" / "src").glob("*.[ch]")):
        files += 1
        for kind, name in INCLUDE.findall(path.read_text()):
            if kind == '"' and "/" in name:
                offences.append(f'{path.relative_to(ROOT)}: may not include "{name}"')
    print("\n".join(offences) if offences else f"layers: {files} files, every include goes down")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
