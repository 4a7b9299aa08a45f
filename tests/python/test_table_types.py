"""Every type through tables: written, read, appended to, diffed, branched, merged, gone back to,
asked for by condition; and in and out of pandas and Polars."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")
pc = pytest.importorskip("pyarrow.compute")

import armillaria as am  # noqa: E402

from . import gen  # noqa: E402

TYPES = {name: type_ for name, type_ in gen.TYPES.items() if type_ != pa.binary(0)}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with am.open(tmp_path_factory.mktemp("types") / "repo", durability="none") as database:
        yield database


def rows_of(name, start, count, seed=0, shape=None):
    """Rows numbered from `start` with a column of the type."""
    column = gen.column(TYPES[name], shape or gen.Shape(count, 0.2), seed)
    return pa.table({"k": pa.array(range(start, start + count), pa.int64()), "x": column})


def came_back(got, wanted):
    """The same values and types; run ends come back plain."""
    assert got.column_names == wanted.column_names
    assert got.num_rows == wanted.num_rows
    got.validate(full=True)
    for name in wanted.column_names:
        before, after = wanted.schema.field(name), got.schema.field(name)
        if not pa.types.is_run_end_encoded(before.type):
            assert after.type == before.type
            assert after.nullable == before.nullable
        assert gen.same_values(wanted[name], got[name]), name
    return True


# ---- write, read, rewrite ----


@pytest.mark.parametrize("name", TYPES)
def test_a_table_comes_back_and_the_same_again_is_no_change(shared, name):
    for shape in (gen.Shape(300, 0.2, offset=7), gen.Shape(4000, 0.1, "few", 3, ragged=True),
                  gen.Shape(1, 1.0), gen.Shape(0)):
        table = rows_of(name, 0, shape.rows, shape=shape)
        assert shared.write("t", table, schema_mode="overwrite").rows == shape.rows
        assert came_back(shared.read("t").to_arrow(), table)
        again = pa.concat_tables([table.slice(0, 41), table.slice(41, 0), table.slice(41)])
        result = shared.write("t", again)
        assert not result.changed
        assert not result.bytes_written
        # What was read is the same content again, also where it comes in another layout.
        assert not shared.write("t", shared.read("t")).changed


@pytest.mark.parametrize("name", TYPES)
def test_a_large_table_comes_back(shared, name):
    shape = gen.Shape(30_000, 0.05, "few" if TYPES[name] in gen.DICTIONARIES.values() else "any")
    table = rows_of(name, 0, shape.rows, shape=shape)
    shared.write("large", table, schema_mode="overwrite")
    assert came_back(shared.read("large").to_arrow(), table)
    assert came_back(shared.read("large", columns=["x"], offset=17_000, limit=900).to_arrow(),
                     table.select(["x"]).slice(17_000, 900))
    picked = shared.read("large", where="k in (3, 15000, 29999) or k between 70 and 90").to_arrow()
    numbers = [3, *range(70, 91), 15_000, 29_999]
    assert picked["k"].to_pylist() == numbers
    wanted = pa.chunked_array([c for n in numbers for c in table["x"].slice(n, 1).chunks])
    assert gen.same_values(wanted, picked["x"])


def test_metadata_and_nullability_come_back(shared):
    fields = [pa.field(f"c{i}", type_, metadata={"number": str(i), "note": "ü"})
              for i, type_ in enumerate(TYPES.values())]
    fields.append(pa.field("required", pa.int32(), False))
    schema = pa.schema(fields, {"origin": "here"})
    columns = [gen.column(type_, gen.Shape(50)) for type_ in TYPES.values()]
    table = pa.table([*columns, pa.array(range(50), pa.int32())], schema)
    shared.write("all", table, schema_mode="overwrite")
    got = shared.read("all").to_arrow()
    assert came_back(got, table)
    assert got.schema.metadata == schema.metadata
    assert [f.metadata for f in got.schema] == [f.metadata for f in schema]
    assert not shared.write("all", table).changed
    assert shared.verify(deep=True).ok


# ---- history ----


@pytest.mark.parametrize("name", TYPES)
def test_append_diff_versions_branch_and_merge(shared, name):
    first, more, theirs = rows_of(name, 0, 200, 1), rows_of(name, 200, 40, 2), rows_of(name, 240, 30, 3)
    one = shared.write("h", first, schema_mode="overwrite").version
    two = shared.append("h", more).version
    both = pa.concat_tables([first, more])
    assert came_back(shared.read("h").to_arrow(), both)
    assert came_back(shared.read("h", version=one).to_arrow(), first)
    assert not shared.write("h", both).changed
    diff = shared.diff(table="h", versions=(one, two))
    assert (diff.rows_added, diff.rows_removed) == (40, 0)
    added = diff.rows().to_arrow()
    assert added["_change_type"].to_pylist() == ["insert"] * 40
    assert came_back(added.select(["k", "x"]), more)
    back = shared.diff(table="h", versions=(two, one)).rows().to_arrow()
    assert back["_change_type"].to_pylist() == ["delete"] * 40
    assert came_back(back.select(["k", "x"]), more)
    dev = shared.branch("dev")
    try:
        dev.append("h", theirs)
        shared.write("other", pa.table({"n": [one]}), schema_mode="overwrite")
        shared.merge("dev", into="main")
    finally:
        shared.delete_branch("dev")
    assert came_back(shared.read("h").to_arrow(), pa.concat_tables([both, theirs]))
    assert shared.write("h", first).changed
    assert came_back(shared.read("h").to_arrow(), first)
    assert came_back(shared.read("h", version=two).to_arrow(), both)


@pytest.mark.parametrize("name", TYPES)
def test_one_changed_value_is_one_changed_row(shared, name):
    if TYPES[name] in (pa.null(), pa.list_(pa.null())):
        pytest.skip("there is one value only")
    # A table without its row numbers, so that only the value tells rows apart.
    column = gen.column(TYPES[name], gen.Shape(300, 0.0 if "required" in name else 0.2), 5)
    valid = column.is_valid().to_numpy()
    at, source = int(np.argmin(valid)), int(np.argmax(valid))
    changed = pa.chunked_array([*column.slice(0, at).chunks, *column.slice(source, 1).chunks,
                                *column.slice(at + 1).chunks])
    if at == source:
        pytest.skip("no null to change")
    shared.write("c", pa.table({"x": column}), schema_mode="overwrite")
    result = shared.write("c", pa.table({"x": changed}))
    assert result.changed
    diff = shared.diff(table="c", versions=(result.version - 1, result.version))
    rows = diff.rows().to_arrow()
    assert sorted(rows["_change_type"].to_pylist()) == ["delete", "insert"]
    kinds = dict(zip(rows["_change_type"].to_pylist(), range(2), strict=True))
    assert rows["x"][kinds["delete"]].is_valid is False
    assert gen.same_values(column.slice(source, 1), rows["x"].slice(kinds["insert"], 1))


# ---- conditions ----

UNITS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def nanos_text(nanos):
    seconds, fraction = divmod(nanos, 10**9)
    moment = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)
    return f"{moment.isoformat(sep=' ')}.{fraction:09}"


def literal(type_, raw):
    """A value as where spells it, from what `raw` gives."""
    if pa.types.is_boolean(type_):
        return str(raw).lower()
    if pa.types.is_date32(type_):
        return f"date '{dt.date(1970, 1, 1) + dt.timedelta(days=raw)}'"
    if pa.types.is_timestamp(type_) or pa.types.is_date64(type_):
        unit = "ms" if pa.types.is_date64(type_) else type_.unit
        return f"timestamp '{nanos_text(raw * UNITS[unit])}'"
    if pa.types.is_time(type_):
        return f"time '{nanos_text(raw * UNITS[type_.unit])[11:]}'"
    if pa.types.is_duration(type_):
        return f"duration '{raw} {type_.unit}'"
    if isinstance(raw, bytes):
        return f"x'{raw.hex()}'"
    if isinstance(raw, str):
        return "'" + raw.replace("'", "''") + "'"
    return repr(raw) if isinstance(raw, float) else str(raw)


def raws(column):
    """Values that Python orders as where does; of text, its bytes' order is that of code points."""
    type_ = column.type
    if pa.types.is_timestamp(type_) or pa.types.is_duration(type_) or pa.types.is_date64(type_):
        return column.cast(pa.int64()).to_pylist()
    if pa.types.is_time(type_) or pa.types.is_date32(type_):
        return column.cast(pa.int32() if type_.bit_width == 32 else pa.int64()).to_pylist()
    return column.to_pylist()


def plain_column(column):
    if pa.types.is_dictionary(column.type):
        return pa.chunked_array([gen.decoded(c) for c in column.chunks], column.type.value_type)
    if pa.types.is_run_end_encoded(column.type):
        return pa.chunked_array([pc.run_end_decode(c) for c in column.chunks],
                                column.type.value_type)
    return column


def place(value):
    return (math.inf, 1) if isinstance(value, float) and value != value else (value, 0)


ORDERED = [name for name in TYPES if name in gen.FLAT or name in gen.DICTIONARIES
           or name in gen.ENCODED]


@pytest.mark.parametrize("name", ORDERED)
def test_conditions_on_every_type_that_has_an_order(shared, name):
    if TYPES[name] == pa.null():
        pytest.skip("no values")
    table = rows_of(name, 0, 1500, shape=gen.Shape(1500, 0.1, "few" if "dict" in name else "any"))
    shared.write("w", table, schema_mode="overwrite")
    column = plain_column(table["x"])
    type_, values = column.type, raws(column)

    def check(where, wanted):
        got = shared.read("w", where=where).to_arrow()
        numbers = [i for i, value in enumerate(values) if wanted(value)]
        assert got["k"].to_pylist() == numbers, where

    check("x is null", lambda v: v is None)
    check("x is not null", lambda v: v is not None)
    present = [v for v in values if v is not None and v == v and v not in (math.inf, -math.inf)]
    for pivot in (present[0], present[len(present) // 2], min(present), max(present)):
        text = literal(type_, pivot)
        check(f"x = {text}", lambda v, p=pivot: v == p)
        check(f"x <> {text}", lambda v, p=pivot: v is not None and v != p)
        if not pa.types.is_boolean(type_):
            check(f"x < {text}", lambda v, p=pivot: v is not None and place(v) < place(p))
            check(f"x >= {text}", lambda v, p=pivot: v is not None and place(v) >= place(p))
            other = present[3]
            low, high = sorted([pivot, other])
            check(f"x between {literal(type_, low)} and {literal(type_, high)}",
                  lambda v, a=low, b=high: v is not None and a <= v <= b)
            check(f"x in ({text}, {literal(type_, other)})",
                  lambda v, p=pivot, o=other: v in (p, o))


@pytest.mark.parametrize("name", [n for n in TYPES if n not in ORDERED])
def test_null_is_asked_for_in_every_other_type(shared, name):
    table = rows_of(name, 0, 300)
    shared.write("w", table, schema_mode="overwrite")
    valid = table["x"].is_valid().to_pylist()
    nulls = [i for i, is_valid in enumerate(valid) if not is_valid]
    assert shared.read("w", where="x is null").to_arrow()["k"].to_pylist() == nulls
    assert shared.read("w", where="x is not null").num_rows == 300 - len(nulls)


# ---- pandas and Polars ----


def through(db, frame):
    db.write("f", frame, schema_mode="overwrite")
    assert not db.write("f", frame).changed
    return db.read("f")


def test_pandas_dtypes_come_back(shared):
    pd = pytest.importorskip("pandas")
    letters = [f"v{i % 150}" for i in range(3000)]
    frame = pd.DataFrame({
        "i8": np.arange(3000).astype("int8"), "u64": np.arange(3000).astype("uint64"),
        "f16": np.arange(3000).astype("float16"), "f": np.linspace(0, 1, 3000),
        "b": np.arange(3000) % 3 == 0, "s": pd.Series(letters, dtype="str"),
        "Int64": pd.array([None if i % 7 == 0 else i for i in range(3000)], dtype="Int64"),
        "boolean": pd.array([None if i % 7 == 0 else i % 2 == 0 for i in range(3000)],
                            dtype="boolean"),
        "Float32": pd.array([None if i % 7 == 0 else i / 2 for i in range(3000)], dtype="Float32"),
        "string": pd.array(letters, dtype="string"),
        "few": pd.Categorical([f"c{i % 5}" for i in range(3000)]),
        "many": pd.Categorical(letters),
        "numbers": pd.Categorical(np.arange(3000) % 11),
        "time": pd.date_range("2020-01-01", periods=3000, freq="7h"),
        "zoned": pd.date_range("2020-01-01", periods=3000, freq="7h", tz="Europe/Rome"),
        "delta": pd.to_timedelta(np.arange(3000), unit="s"),
        "arrow": pd.array(range(3000), dtype=pd.ArrowDtype(pa.int16())),
        "arrow text": pd.array(letters, dtype=pd.ArrowDtype(pa.large_string())),
    })
    back = through(shared, frame).to_pandas()
    pd.testing.assert_frame_equal(back, frame, check_categorical=False)
    for name in ("few", "many", "numbers"):
        assert set(back[name].cat.categories) == set(frame[name].cat.categories)


@pytest.mark.parametrize("index", ["strings", "times", "multi", "range"])
def test_pandas_indexes_come_back(shared, index):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"v": np.arange(600) / 3})
    if index == "strings":
        frame.index = pd.Index([f"r{i}" for i in range(600)], name="label")
    elif index == "times":
        frame.index = pd.date_range("2020-01-01", periods=600, tz="UTC", name="at")
    elif index == "multi":
        frame.index = pd.MultiIndex.from_product([list("abcdef"), range(100)], names=["l", "n"])
    else:
        frame.index = pd.RangeIndex(5, 605)
    back = through(shared, frame).to_pandas()
    pd.testing.assert_frame_equal(back, frame, check_freq=False, check_index_type=False)


def test_polars_frames_come_back(shared):
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({
        "i": pl.Series(range(2000), dtype=pl.Int16), "u": pl.Series(range(2000), dtype=pl.UInt64),
        "f": [float(i) if i % 5 else math.nan for i in range(2000)],
        "s": [None if i % 9 == 0 else f"text {i}" for i in range(2000)],
        "b": [b"\xff" * (i % 4) for i in range(2000)],
        "day": [dt.date(2020, 1, 1) + dt.timedelta(days=i) for i in range(2000)],
        "at": [dt.datetime(2020, 1, 1) + dt.timedelta(hours=i) for i in range(2000)],
        "span": [dt.timedelta(seconds=i) for i in range(2000)],
        "t": [dt.time(i % 24, i % 60) for i in range(2000)],
        "l": [[i, None] if i % 3 else None for i in range(2000)],
        "st": [{"a": i, "b": str(i)} for i in range(2000)],
        "cat": pl.Series([f"c{i % 8}" for i in range(2000)], dtype=pl.Categorical),
        "e": pl.Series(["lo", "hi"] * 1000, dtype=pl.Enum(["lo", "hi"])),
        "nothing": [None] * 2000,
        "a": pl.Series([[1, 2]] * 2000, dtype=pl.Array(pl.Int8, 2)),
    }).with_columns(pl.col("i").cast(pl.Decimal(20, 2)).alias("d"),
                    pl.col("at").dt.replace_time_zone("Asia/Tokyo").alias("zoned"))
    back = through(shared, frame).to_polars()
    assert back.columns == frame.columns
    same = [name for name in frame.columns if name != "e"]
    assert [n for n in same if back[n].dtype != frame[n].dtype] == []
    assert back.select(same).equals(frame.select(same), null_equal=True)
    assert back["e"].cast(pl.String).equals(frame["e"].cast(pl.String))


def test_duckdb_relations_come_back(shared):
    duckdb = pytest.importorskip("duckdb")
    query = """
        select i::tinyint as i8, i::ubigint as u64, (i / 7)::decimal(30, 4) as d, 'text ' || i as s,
               i::varchar::blob as b, date '2020-01-01' + i::int as day,
               timestamp '2020-01-01' + interval (i) hour as at, time '01:02:03' as t,
               [i, null] as l, {'a': i, 'b': 'x'} as st, map {'k': i} as m, null as nothing,
               (case when i % 2 = 0 then 'lo' else 'hi' end)::enum('lo', 'hi') as e,
               array_value(i, i + 1) as a, i::float as f, i % 3 = 0 as flag, i::hugeint as h
        from range(100) as r(i)"""
    with duckdb.connect() as connection:
        wanted = connection.sql(query).to_arrow_table()
        shared.write("f", connection.sql(query), schema_mode="overwrite")
    got = shared.read("f").to_arrow()
    assert came_back(got, wanted)
    assert not shared.write("f", wanted).changed
