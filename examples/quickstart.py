#!/usr/bin/env python3
"""A table in, changed, and read as it was before.

Usage: quickstart.py FOLDER
"""

import sys

import pyarrow as pa

import armillaria as am


def main(folder: str) -> None:
    prices = pa.table({"item": ["apple", "pear", "plum"], "price": [30, 45, 20]})
    dearer = pa.table({"item": ["apple", "pear", "plum"], "price": [30, 50, 20]})

    with am.open(folder) as db:  # made if the folder is absent or empty
        print(db.write("prices", prices, message="first prices"))
        print(db.write("prices", dearer, message="pears are scarce"))
        print(db.write("prices", dearer).changed, "(the same rows again make no commit)")

        for version in db.versions("prices"):
            print(version)

        where = "item = 'pear'"
        print("before:", db.read("prices", where=where, version=1).to_arrow().to_pylist())
        print("now:   ", db.read("prices", where=where).to_arrow().to_pylist())
        print("intact:", db.verify().ok)


if __name__ == "__main__":
    main(sys.argv[1])
