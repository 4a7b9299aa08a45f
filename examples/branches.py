#!/usr/bin/env python3
"""A tag, a branch that tries something, its diff, its merge; two tables in one transaction.

Usage: branches.py FOLDER
"""

import sys

import pyarrow as pa

import armillaria as am


def main(folder: str) -> None:
    stock = pa.table({"item": ["apple", "pear", "plum"], "boxes": [12, 7, 3]})
    sales = pa.table({"item": ["apple"], "sold": [2]})

    with am.open(folder) as db:
        with db.transaction(message="opening") as tx:  # both tables or neither
            tx.write("stock", stock)
            tx.write("sales", sales)
        db.tag("opening")

        trial = db.branch("trial")  # costs one row, whatever the tables hold
        trial.write("stock", stock.set_column(1, "boxes", pa.array([12, 7, 30])),
                    message="a delivery of plums")
        print("main: ", db.read("stock").to_arrow()["boxes"].to_pylist())
        print("trial:", trial.read("stock").to_arrow()["boxes"].to_pylist())

        for change in db.diff("main", "trial"):
            print(f"{change.table}: {change.kind}, "
                  f"{change.rows_added} rows added, {change.rows_removed} removed, "
                  f"{change.rows_changed} changed")

        print(db.merge("trial").kind)
        print("main: ", db.read("stock").to_arrow()["boxes"].to_pylist())
        print("tag:  ", db.read("stock", ref="opening").to_arrow()["boxes"].to_pylist())


if __name__ == "__main__":
    main(sys.argv[1])
