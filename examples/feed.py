#!/usr/bin/env python3
"""The change feed: what happened since a commit, to any table, with the rows; no opt-in.

Usage: feed.py FOLDER
"""

import sys

import pyarrow as pa

import armillaria as am


def tell(db: am.Database, since: str | None) -> str | None:
    """Prints what came after `since` and returns where to go on."""
    for change in db.changes(since=since):
        print(f"{change.table} {change.old_version} -> {change.new_version}: {change.message}")
        for row in change.rows().to_arrow().to_pylist():
            print("   ", row)
        since = change.commit
    return since


def main(folder: str) -> None:
    with am.open(folder) as db:
        db.write("events", pa.table({"id": [1, 2], "what": ["start", "stop"]}), message="first")
        seen = tell(db, None)

        db.append("events", pa.table({"id": [3], "what": ["start"]}), message="one more")
        db.write("notes", pa.table({"text": ["all is well"]}), message="a note")
        seen = tell(db, seen)  # a consumer keeps `seen` and resumes from it

        print("nothing new" if tell(db, seen) == seen else "more")


if __name__ == "__main__":
    main(sys.argv[1])
