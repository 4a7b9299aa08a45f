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


# ---- pages, Bloom filters, dictionaries ----

MANY = 30_000


def sorted_table():
    pick = random.Random(9)
    return pa.table({
        "id": pa.array(range(MANY)),
        "x": pa.array([pick.choice([None, 1.0, float("nan"), i / 7]) for i in range(MANY)]),
        "word": pa.array([f"w{i // 500:05}" for i in range(MANY)]),
        "late": pa.array([i > MANY // 2 for i in range(MANY)]),
        "gap": pa.array([None if 5000 < i < 12_000 else i % 7 for i in range(MANY)], pa.int16()),
        "list": pa.array([[i, None][: i % 3] for i in range(MANY)]),
    })


SORTED = sorted_table()
PAGED_WHERES = [
    "id = 777", "id in (3, 29999)", "x > 2000 and id < 25000", "word = 'w00010'", "late and id < 15100", "not late",
    "gap is null", "gap is not null and id > 4990 and id < 5010", "gap = 3 and word like 'w0001%'",
    "word = 'w00001' or word = 'w00039'", "id = 0 or id = 29999", "id between 9000 and 9000",
]


def paged_files():
    for options in ({"data_page_size": 3000, "row_group_size": 7000}, {"max_rows_per_page": 777},
                    {"max_rows_per_page": 500, "use_dictionary": False, "data_page_version": "2.0"}):
        sink = io.BytesIO()
        pq.write_table(SORTED, sink, write_page_index=True, **options)
        yield sink.getvalue()
    yield am.ParquetEncoder().encode(SORTED)


PAGED = list(paged_files())


@pytest.mark.parametrize("where", PAGED_WHERES)
def test_rows_are_found_where_pages_are_left_out(where, tmp_path):
    source = SORTED
    assert source is not None
    wanted = duckdb.sql(f"select id, list, gap from source where {where} order by id").to_arrow_table()
    for data in PAGED:
        path = tmp_path / "t.parquet"
        path.write_bytes(data)
        for got in (am.ParquetDecoder().decode(data, columns=["id", "list", "gap"], where=where).to_arrow(),
                    am.read_parquet(path, columns=["id", "list", "gap"], where=where).to_arrow()):
            got.validate(full=True)
            assert got.to_pydict() == wanted.to_pydict()


def test_pages_rule_out_a_row_group_whose_bounds_do_not():
    table = pa.table({"n": pa.array([i for i in range(2000) if i // 500 != 2])})
    sink = io.BytesIO()
    pq.write_table(table, sink, write_page_index=True, max_rows_per_page=500, use_dictionary=False)
    assert am.ParquetDecoder().pruning_stats(sink.getvalue(), "n = 1200") == (1, 1, 0)
    assert am.ParquetDecoder().pruning_stats(sink.getvalue(), "n = 1600") == (1, 0, 1)


EVEN = pa.table({
    "k": pa.array([2 * i for i in range(500)] * 4),
    "small": pa.array([2 * (i % 60) - 60 for i in range(2000)], pa.int8()),
    "unsigned": pa.array([2**63 + 2 * i for i in range(500)] * 4, pa.uint64()),
    "day": pa.array([2 * i for i in range(500)] * 4, pa.int32()).cast(pa.date32()),
    "s": pa.array([f"v{2 * i:04}" for i in range(500)] * 4),
})
ABSENT = ["k = 333", "k in (1, 3, 5)", "small = -33", "unsigned = 9223372036854775813", "s = 'v0001'",
          "s in ('v0001', 'v0003')", "day = date '1970-01-02'", "k = 1 or s = 'v0333'"]
PRESENT = ["k = 334", "k in (1, 4)", "small = -34", "unsigned = 9223372036854775814", "s = 'v0002'",
           "s in ('v0001', 'v0004')", "day = date '1970-01-03'", "k = 1 or s = 'v0334'"]


def even_files():
    sink = io.BytesIO()
    pq.write_table(EVEN, sink)
    yield sink.getvalue()  # dictionaries
    sink = io.BytesIO()
    pq.write_table(EVEN, sink, use_dictionary=False,
                   bloom_filter_options={name: {"ndv": 500, "fpp": 0.0001} for name in EVEN.column_names})
    yield sink.getvalue()


@pytest.mark.parametrize("data", list(even_files()), ids=["dictionary", "bloom filter"])
def test_values_that_are_in_no_dictionary_or_bloom_filter_rule_out(data):
    decoder = am.ParquetDecoder()
    assert [decoder.pruning_stats(data, where) for where in ABSENT] == [(1, 1, 0)] * len(ABSENT)
    assert [decoder.pruning_stats(data, where) for where in PRESENT] == [(1, 0, 1)] * len(PRESENT)
    assert decoder.decode(data, where="k = 333").to_arrow().num_rows == 0
    assert decoder.decode(data, where="k = 334").to_arrow().num_rows == 4


def test_booleans_have_bounds():
    sink = io.BytesIO()
    pq.write_table(pa.table({"flag": [True, True, None]}), sink)
    decoder = am.ParquetDecoder()
    assert decoder.pruning_stats(sink.getvalue(), "not flag") == (1, 1, 0)
    assert decoder.pruning_stats(sink.getvalue(), "flag") == (1, 0, 1)


# ---- Bloom filters that we write ----

KEYS = 5000


def keyed_table():
    """Even keys, each once: nothing that a dictionary is made of."""
    numbers = list(range(0, 2 * KEYS, 2))
    random.Random(3).shuffle(numbers)
    column = pa.array(numbers)
    return pa.table({
        "k": column, "small": column.cast(pa.int32()), "u": pa.array([2**63 + n for n in numbers], pa.uint64()),
        "day": column.cast(pa.int32()).cast(pa.date32()), "at": column.cast(pa.timestamp("us")),
        "s": pa.array([f"key {n:06}" for n in numbers]), "b": pa.array([b"%d" % n for n in numbers]),
        "other": column,
    })


KEYED = keyed_table()
LOOKED_FOR = {"k": "{}", "small": "{}", "s": "'key {:06}'"}


def keyed_file(tmp_path, how):
    names = ["k", "small", "u", "day", "at", "s", "b"]
    if how == "encoder":
        return am.ParquetEncoder(bloom_columns=names).encode(KEYED)
    assert am.write_parquet(KEYED, tmp_path / "keyed.parquet", bloom_columns=names) == KEYS
    return (tmp_path / "keyed.parquet").read_bytes()


@pytest.mark.parametrize("how", ["encoder", "file"])
def test_bloom_filters_are_written_on_request_and_used(how, tmp_path):
    data, decoder = keyed_file(tmp_path, how), am.ParquetDecoder()
    plain = am.ParquetEncoder().encode(KEYED)
    chunks = decoder.metadata(data).chunks[0]
    assert [c.path for c in chunks if c.has_bloom_filter] == KEYED.column_names[:-1]
    assert not any(c.has_dictionary for c in chunks)
    assert not any(c.has_bloom_filter for c in decoder.metadata(plain).chunks[0])
    wanted = {name: (lambda n, form=form, name=name: f"{name} = {form.format(n)}")
              for name, form in LOOKED_FOR.items()}
    wanted |= {"u": lambda n: f"u in ({2**63 + n})",
               "day": lambda n: f"day = date '{pa.scalar(n, pa.int32()).cast(pa.date32()).as_py()}'",
               "at": lambda n: f"at = timestamp '1970-01-01 00:00:00.{n:06}'",
               "b": lambda n: f"b = x'{(b'%d' % n).hex()}'"}
    for name, where in wanted.items():
        assert all(decoder.pruning_stats(data, where(n)) == (1, 0, 1) for n in range(0, 2 * KEYS, 200))
        ruled_out = sum(decoder.pruning_stats(data, where(n))[1] for n in range(101, 2 * KEYS, 200))
        assert ruled_out >= 45, name  # of 50: a filter errs now and then, but never the other way
        assert decoder.pruning_stats(plain, where(101)) == (1, 0, 1)
    assert decoder.decode(data, where="k = 400 or s = 'key 000402'").num_rows == 2
    assert decoder.pruning_stats(data, "other = 101") == (1, 0, 1)
    assert decoder.decode(data).to_arrow().equals(KEYED)
    assert pq.read_table(io.BytesIO(data)).equals(KEYED)


def test_duckdb_finds_our_keys_in_our_bloom_filters(tmp_path):
    path = tmp_path / "keyed.parquet"
    am.write_parquet(KEYED, path, bloom_columns=["k", "s"])

    def excluded(column, value):
        return duckdb.sql(f"select bloom_filter_excludes from parquet_bloom_probe('{path}', '{column}', {value})"
                          ).fetchall() == [(True,)]

    for n in range(0, 2 * KEYS, 200):
        assert not excluded("k", n)
        assert not excluded("s", f"'key {n:06}'")
    assert sum(excluded("k", n) for n in range(101, 2 * KEYS, 200)) >= 45
    assert sum(excluded("s", f"'key {n:06}'") for n in range(101, 2 * KEYS, 200)) >= 45


def test_a_bloom_filter_for_a_column_that_is_not_there_is_refused(tmp_path):
    for write in (lambda: am.ParquetEncoder(bloom_columns="kk").encode(KEYED),
                  lambda: am.write_parquet(KEYED, tmp_path / "x.parquet", bloom_columns=["k", "kk"])):
        with pytest.raises(am.NotFoundError, match="kk"):
            write()
    assert list(tmp_path.iterdir()) == []
