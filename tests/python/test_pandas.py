"""pandas in and out: dtypes, indexes, and what is refused."""

from __future__ import annotations

import datetime as dt
import decimal

import pytest

import armillaria as am

pd = pytest.importorskip("pandas")


def roundtrip(db, frame):
    db.write("t", frame, schema_mode="overwrite")
    return db.read("t").to_pandas()


def test_a_plain_range_index_is_no_column(db):
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    pd.testing.assert_frame_equal(roundtrip(db, frame), frame)
    assert db.schema("t").names == ["a", "b"]


@pytest.mark.parametrize("index", [
    pd.Index(["p", "q", "r"], name="key"),
    pd.Index([10, 20, 30]),
    pd.RangeIndex(5, 8),
    pd.RangeIndex(0, 6, 2),
    pd.RangeIndex(3, name="n"),
    pd.date_range("2013-01-01", periods=3, tz="UTC", name="day"),
    pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["x", "y"]),
], ids=repr)
def test_any_other_index_is_a_column_and_comes_back(db, index):
    frame = pd.DataFrame({"v": [1.5, 2.5, None]}, index=index)
    back = roundtrip(db, frame)
    pd.testing.assert_frame_equal(back, frame, check_index_type=False, check_freq=False)
    assert db.read("t").num_columns == 1 + index.nlevels
    # Also of some of the rows, where a range would be wrong.
    some = db.read("t", where="v > 2").to_pandas()
    pd.testing.assert_frame_equal(some, frame.iloc[1:2], check_index_type=False,
                                  check_freq=False)


def test_dtypes_survive(db):
    frame = pd.DataFrame({
        "category": pd.Categorical(["a", "b", "a"], categories=["b", "a", "c"]),
        "ordered": pd.Categorical(["s", "l", None], categories=["s", "l"], ordered=True),
        "nullable": pd.array([1, None, 3], dtype="Int64"),
        "boolean": pd.array([True, None, False], dtype="boolean"),
        "string": pd.array(["x", None, "z"], dtype="string"),
        "float32": pd.array([1.5, 2.5, 3.5], dtype="float32"),
        "uint8": pd.array([1, 2, 3], dtype="uint8"),
        "time": pd.to_datetime(["2013-01-01", None, "2013-01-03"]),
        "zoned": pd.to_datetime(["2013-01-01", None, "2013-01-03"]).tz_localize("Europe/Berlin"),
        "delta": pd.to_timedelta(["1s", "2s", None]),
    })
    back = roundtrip(db, frame)
    pd.testing.assert_frame_equal(back, frame, check_categorical=True)


def test_arrow_backed_dtypes_survive(db):
    import pyarrow as pa

    frame = pd.DataFrame({"n": pd.array([1, None, 3], dtype=pd.ArrowDtype(pa.int32())),
                          "s": pd.array(["x", "y", None], dtype=pd.ArrowDtype(pa.string()))})
    pd.testing.assert_frame_equal(roundtrip(db, frame), frame)


@pytest.mark.parametrize("values, kinds", [
    ([{"a": 1}, {"b": 2}], "dict"),
    ([1, "a"], "int, str"),
    ([object(), None], "object"),
    ([[1], [2, 3]], "list"),
    ([1.5, b"x"], "bytes, float"),
])
def test_objects_that_are_not_strings_are_refused_by_column(db, values, kinds):
    frame = pd.DataFrame({"fine": [1, 2], "odd": pd.Series(values, dtype=object)})
    with pytest.raises(am.InvalidArgumentError) as caught:
        db.write("t", frame)
    assert str(caught.value) == (
        f'Column "odd" holds objects that are not strings ({kinds}): give it a dtype')
    assert db.tables() == []


@pytest.mark.parametrize("values", [
    ["x", None], [None, None], [b"x", b"y"], [dt.date(2013, 1, 1), None],
    [dt.time(5, 15), dt.time(6, 0)], [decimal.Decimal("1.5"), None],
], ids=repr)
def test_objects_that_pandas_itself_hands_out_are_taken(db, values):
    frame = pd.DataFrame({"v": pd.Series(values, dtype=object)})
    back = roundtrip(db, frame)
    assert [None if pd.isna(v) else v for v in back["v"]] == values


def test_appending_a_frame(db):
    frame = pd.DataFrame({"v": [1, 2]}, index=pd.Index(["a", "b"], name="k"))
    db.write("t", frame)
    db.append("t", pd.DataFrame({"v": [3]}, index=pd.Index(["c"], name="k")))
    back = db.read("t").to_pandas()
    assert back["v"].to_dict() == {"a": 1, "b": 2, "c": 3} and back.index.name == "k"


def test_an_edited_frame_is_written_back_as_one_change(db):
    frame = pd.DataFrame({"id": range(1000), "v": [float(i) for i in range(1000)]})
    db.write("t", frame)
    back = db.read("t").to_pandas()
    back.loc[back["id"] == 7, "v"] = -1
    result = db.write("t", back)
    assert result.version == 2 and result.columns_encoded == 1
    assert not db.write("t", db.read("t").to_pandas()).changed


def test_duplicate_columns_are_refused(db):
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises((am.InvalidArgumentError, ValueError), match="a"):
        db.write("t", frame)
