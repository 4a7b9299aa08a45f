"""where on Parquet files: the rows that DuckDB keeps, and row groups ruled out by statistics."""

import io
import random

import pytest

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
duckdb = pytest.importorskip("duckdb")

import armillaria as am  # noqa: E402

ROWS = 5000
WORDS = ["", "amanita", "boletus", "Éclat", "morel", None]


def table():
    pick = random.Random(4)
    return pa.table({
        "id": pa.array(range(ROWS), pa.int64()),
        "small": pa.array([pick.choice([None, *range(-5, 6)]) for _ in range(ROWS)], pa.int8()),
        "price": pa.array([pick.choice([None, float("nan"), -0.0, 0.0, 1.5, 99.25]) for _ in range(ROWS)]),
        "word": pa.array([pick.choice(WORDS) for _ in range(ROWS)]),
        "big": pa.array([pick.randrange(2**63, 2**64) for _ in range(ROWS)], pa.uint64()),
        "flag": pa.array([pick.choice([True, False, None]) for _ in range(ROWS)]),
    })


TABLE = table()
WHERES = [
    "id < 700", "id >= 4990 or id = 3", "small = 3", "small is null", "small not in (1, 2)",
    "price > 1", "price = 0", "word = 'morel'", "word like 'b%'", "word is not null and id > 4000",
    "flag", "not flag", "big > 9223372036854775900 and small < 0", "id between 1000 and 1003",
    "id = 999999", "word < 'b' and price <= 0",
]


def files():
    for options in ({}, {"compression": "none", "use_dictionary": False},
                    {"data_page_version": "2.0", "data_page_size": 2000, "write_page_index": True}):
        sink = io.BytesIO()
        pq.write_table(TABLE, sink, row_group_size=1000, **options)
        yield sink.getvalue()


FILES = list(files())


@pytest.mark.parametrize("where", WHERES)
def test_the_rows_are_those_of_duckdb(where):
    source = TABLE
    assert source is not None  # duckdb finds it by its name
    wanted = duckdb.sql(f"select word, id, id as again from source where {where} order by id").fetchall()
    for data in FILES:
        got = am.ParquetDecoder().decode(data, columns=["word", "id"], where=where).to_arrow()
        got.validate(full=True)
        assert [(w, i, i) for w, i in zip(*(got.column(k).to_pylist() for k in (0, 1)))] == wanted


@pytest.mark.parametrize("where, pruned", [("id < 700", 4), ("id = 999999", 5), ("id >= 2500", 2),
                                           ("word > 'ÿ'", 5), ("small > 5", 5), ("price > 1", 0),
                                           ("big < 5", 5), ("id is null", 5)])
def test_row_groups_are_ruled_out_by_statistics(where, pruned):
    for data in FILES:
        assert am.ParquetDecoder().pruning_stats(data, where) == (5, pruned, 5 - pruned)


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(am.NotFoundError, match="colour"):
        am.ParquetDecoder().decode(FILES[0], where="colour = 'red'")
