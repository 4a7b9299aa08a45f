"""A database: opening, writing, reading back, history, and the errors on the way."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import pyarrow as pa
import pytest

import armillaria as am

from .conftest import numbers

HEX = re.compile(r"[0-9a-f]{64}\Z")
UTC = dt.timezone.utc


# ---- opening ----


def test_a_new_repository_has_main_and_nothing_else(db):
    assert db.tables() == []
    assert db.log() == []
    assert list(db.changes()) == []
    assert db.branches() == {"main": None}
    assert db.tags() == {}
    assert db.verify().ok
    assert db.ref == "main"


def test_opening_makes_the_folder_unless_told_not_to(tmp_path):
    with pytest.raises(am.NotFoundError, match="there"):
        am.open(tmp_path / "there", create=False)
    am.open(tmp_path / "there").close()
    am.open(tmp_path / "there", create=False).close()


def test_a_folder_with_something_else_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(am.InvalidArgumentError, match=str(tmp_path)):
        am.open(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_what_is_read_after_close_raises_but_scans_go_on(db, people):
    db.write("people", people)
    scan = db.read("people")
    view = db.at("main")
    db.close()
    assert db.closed and view.closed
    with pytest.raises(am.Error, match="^the database is closed$"):
        db.tables()
    with pytest.raises(am.Error, match="^the database is closed$"):
        view.tables()
    assert scan.to_arrow().equals(people)
    assert scan.to_arrow().equals(people)
    db.close()


def test_a_handle_sees_what_another_handle_committed(db, people, tmp_path):
    other = am.open(tmp_path / "repo")
    db.write("people", people)
    assert other.tables() == ["people"]
    other.write("more", people)
    assert db.tables() == ["more", "people"]


@pytest.mark.parametrize("options, problem", [
    ({"durability": "some"}, "durability must be one of full, normal, none, not 'some'"),
    ({"threads": -1}, "threads must be at least 0, not -1"),
    ({"memory": -5}, "memory must be at least 0, not -5"),
    ({"cache_bytes": -1}, "cache_bytes must be at least 0, not -1"),
    ({"lock_timeout": -1}, "lock_timeout must be at least 0, not -1"),
])
def test_bad_options_are_refused_by_name(tmp_path, options, problem):
    with pytest.raises(am.InvalidArgumentError) as caught:
        am.open(tmp_path / "repo", **options)
    assert str(caught.value) == problem
    assert not (tmp_path / "repo").exists()


@pytest.mark.parametrize("durability", ["full", "normal", "none"])
def test_every_durability_reads_what_it_wrote(tmp_path, people, durability):
    with am.open(tmp_path / "repo", durability=durability, cache_bytes=0, threads=1) as db:
        db.write("people", people)
    with am.open(tmp_path / "repo") as db:
        assert db.read("people").to_arrow().equals(people)


def test_a_scratch_repository_refuses_to_be_durable(tmp_path):
    am.open(tmp_path / "repo", durability="none").close()
    with pytest.raises(am.InvalidArgumentError, match="none"):
        am.open(tmp_path / "repo", durability="full")


def test_a_read_only_handle_reads_and_refuses_to_write(tmp_path, people):
    am.open(tmp_path / "repo").write("people", people)
    with am.open(tmp_path / "repo", read_only=True) as db:
        assert db.read_only
        assert db.read("people").to_arrow().equals(people)
        with pytest.raises(am.Error, match="read"):
            db.write("people", people.slice(1))
        with pytest.raises(am.Error, match="read"):
            db.branch("dev")


# ---- writing ----


def test_a_write_says_what_it_did(db, people):
    result = db.write("people", people, message="load")
    assert (result.table, result.version, result.changed, result.rows) == ("people", 1, True, 3)
    assert HEX.match(result.commit)
    assert result.ranges == 1
    assert result.chunks_written == 1 and result.chunks_reused == 0
    assert result.bytes_written > 0 and result.seconds > 0
    assert "people: version 1, 3 rows" in str(result)


def test_overwriting_keeps_the_old_rows_as_a_version(db, people):
    db.write("people", people)
    db.write("people", people.slice(1))
    assert db.count("people") == 2
    assert db.read("people", version=1).to_arrow().equals(people)
    assert db.read("people", version=2).to_arrow().equals(people.slice(1))


def test_an_append_goes_behind_and_makes_an_absent_table(db):
    assert db.append("n", numbers(0, 3)).version == 1
    assert db.append("n", numbers(3, 5)).version == 2
    assert db.read("n").to_arrow().equals(numbers(0, 5))


def test_an_empty_append_makes_no_commit_and_an_empty_write_an_empty_table(db, people):
    db.write("people", people)
    before = db.log()[0].commit
    result = db.append("people", people.slice(0, 0))
    assert not result.changed and result.commit == before and result.version == 1
    assert db.write("empty", people.slice(0, 0)).rows == 0
    assert db.schema("empty") == people.schema
    assert db.read("empty").to_arrow().equals(people.slice(0, 0))


def test_modes_error_and_ignore_leave_an_existing_table_alone(db, people):
    db.write("people", people, mode="error")
    with pytest.raises(am.AlreadyExistsError, match="people"):
        db.write("people", people.slice(1), mode="error")
    assert not db.write("people", people.slice(1), mode="ignore").changed
    assert db.count("people") == 3
    assert db.write("other", people, mode="ignore").changed


def test_unknown_modes_are_refused_by_name(db, people):
    with pytest.raises(am.InvalidArgumentError) as caught:
        db.write("people", people, mode="upsert")
    assert str(caught.value) == "mode must be one of overwrite, append, error, ignore, not 'upsert'"
    with pytest.raises(am.InvalidArgumentError, match="^schema_mode must be one of"):
        db.write("people", people, schema_mode="loose")


def test_author_message_and_metadata_come_back_in_the_log(db, people):
    result = db.write("people", people, message="load", author="ann",
                      metadata={"job": "7", "ünï": "cödé"})
    commit = db.log()[0]
    assert commit.commit == result.commit
    assert (commit.author, commit.message) == ("ann", "load")
    assert commit.metadata == {"job": "7", "ünï": "cödé"}
    assert commit.time.tzinfo is UTC and commit.parents == []
    assert [(change.table, change.op, change.new_version) for change in commit.tables] == [
        ("people", "create", 1)]
    assert db.show(result.commit[:12]) == commit


def test_the_author_comes_from_the_handle(tmp_path, people, monkeypatch):
    with am.open(tmp_path / "repo", author="carol") as db:
        db.write("people", people)
        assert db.log()[0].author == "carol"
    monkeypatch.setenv("ARMI_AUTHOR", "dave")
    with am.open(tmp_path / "repo") as db:
        db.append("people", people)
        assert db.log()[0].author == "dave"


def test_expected_is_compare_and_swap(db):
    first = db.write("n", numbers(0, 1)).commit
    db.append("n", numbers(1, 2), expected=first)
    with pytest.raises(am.ConflictError):
        db.append("n", numbers(2, 3), expected=first)
    assert db.count("n") == 2


@pytest.mark.parametrize("spell", [uuid.UUID, lambda text: uuid.UUID(text).bytes,
                                   lambda text: text.replace("-", "")])
def test_the_same_txid_lands_once(db, spell):
    txid = spell("12345678-1234-5678-1234-567812345678")
    first = db.append("n", numbers(0, 1), txid=txid)
    again = db.append("n", numbers(0, 1), txid=txid)
    assert again.commit == first.commit
    assert db.count("n") == 1


def test_a_malformed_txid_is_refused(db):
    for txid in ("zz" * 16, b"short", 7):
        with pytest.raises(am.InvalidArgumentError, match="^txid must be 16 bytes"):
            db.append("n", numbers(0, 1), txid=txid)


def test_a_dropped_table_is_gone_and_its_history_stays(db, people):
    db.write("people", people)
    commit = db.drop("people", message="done")
    assert db.tables() == [] and not db.exists("people")
    assert db.log()[0].commit == commit and db.log()[0].message == "done"
    with pytest.raises(am.NotFoundError, match="^Table not found: people$"):
        db.read("people")
    assert db.read("people", version=1).to_arrow().equals(people)
    assert db.write("people", people.slice(1)).version == 2
    with pytest.raises(am.NotFoundError, match="^Table not found: nobody$"):
        db.drop("nobody")


@pytest.mark.parametrize("name", ["a/b", "a\\b", "a@b", 'a"b', ".a", "-a", "", "__a", "a\nb",
                                  "x" * 256, "a\0b", "\ud800"])
def test_bad_table_names_are_refused(db, people, name):
    with pytest.raises(am.InvalidArgumentError, match="^Invalid table name"):
        db.write(name, people)
    assert db.log() == []


@pytest.mark.parametrize("name", ["a", "a.b", "Ünï cödé 表", "x" * 255, "select", "a-b"])
def test_good_table_names_are_taken_exactly(db, people, name):
    db.write(name, people)
    assert db.tables() == [name]
    assert db.read(name).num_rows == 3


def test_names_are_case_sensitive(db, people):
    db.write("t", people)
    db.write("T", people.slice(1))
    assert db.tables() == ["T", "t"]
    assert (db.count("t"), db.count("T")) == (3, 2)


# ---- the past ----


def test_versions_count_the_commits_that_changed_the_table(db, people):
    db.write("people", people, message="one")
    db.write("other", people)
    db.write("people", people)  # the same: no version
    db.write("people", people.slice(1), message="two")
    versions = db.versions("people")
    assert [(v.version, v.message, v.rows) for v in versions] == [(1, "one", 3), (2, "two", 2)]
    assert all(HEX.match(v.commit) and v.bytes > 0 and v.time.tzinfo is UTC for v in versions)
    assert versions[0].time < versions[1].time
    with pytest.raises(am.NotFoundError, match="^Table not found: nobody$"):
        db.versions("nobody")


def test_as_of_takes_datetimes_and_texts_and_naive_means_utc(db, people):
    db.write("people", people)
    then = db.versions("people")[0].time
    db.write("people", people.slice(1))
    offset = dt.timezone(dt.timedelta(hours=5, minutes=30))
    for moment in (then, then.replace(tzinfo=None), then.isoformat(),
                   then.astimezone(offset), then.replace(tzinfo=None).isoformat(),
                   then.isoformat().replace("+00:00", "Z")):
        assert db.read("people", as_of=moment).num_rows == 3, moment
        assert db.count("people", as_of=moment) == 3
        assert db.tables(as_of=moment) == ["people"]
    assert db.read("people", as_of=dt.datetime.now(UTC) + dt.timedelta(hours=1)).num_rows == 2


def test_as_of_before_the_first_commit_names_its_time(db, people):
    db.write("people", people)
    first = db.versions("people")[0].time
    with pytest.raises(am.NotFoundError, match=f"{first:%Y-%m-%d %H:%M:%S}"):
        db.read("people", as_of="2001-01-01")


def test_version_and_as_of_exclude_each_other(db, people):
    db.write("people", people)
    with pytest.raises(am.InvalidArgumentError):
        db.read("people", version=1, as_of="2100-01-01")


def test_missing_versions_are_named(db, people):
    db.write("people", people)
    with pytest.raises(am.NotFoundError) as caught:
        db.read("people", version=9)
    assert str(caught.value) == "Version not found: people version 9"
    assert caught.value.kind == "version"
    assert isinstance(caught.value, LookupError)
    for version in (0, -1):
        with pytest.raises(am.InvalidArgumentError, match="^version must be at least 1"):
            db.read("people", version=version)
    with pytest.raises(TypeError, match="version must be an int, not str"):
        db.read("people", version="1")
    with pytest.raises(am.InvalidArgumentError, match="ISO 8601"):
        db.read("people", as_of="yesterday")


def test_exists_count_and_schema_take_versions(db, people):
    db.write("people", people)
    db.write("people", people.select(["id"]), schema_mode="overwrite")
    assert db.exists("people", version=1) and not db.exists("people", version=3)
    assert not db.exists("nobody")
    assert db.schema("people", version=1) == people.schema
    assert db.schema("people").names == ["id"]
    assert db.count("people", version=1) == 3
    with pytest.raises(am.NotFoundError, match="^Branch not found: nowhere$"):
        db.exists("people", ref="nowhere")


def test_the_log_is_newest_first_and_can_be_narrowed(db, people):
    for step in range(3):
        db.append("n", numbers(step, step + 1), message=f"n {step}")
        db.append("m", numbers(step, step + 1), message=f"m {step}")
    assert [commit.message for commit in db.log()] == ["m 2", "n 2", "m 1", "n 1", "m 0", "n 0"]
    assert [commit.message for commit in db.log("n")] == ["n 2", "n 1", "n 0"]
    assert [commit.message for commit in db.log("n", limit=2)] == ["n 2", "n 1"]
    assert db.log(limit=0) == []
    assert db.log()[0].parents == [db.log()[1].commit]
    with pytest.raises(am.NotFoundError, match="nobody"):
        db.log("nobody")


def test_unknown_commits_are_named(db, people):
    db.write("people", people)
    with pytest.raises(am.NotFoundError, match="^Commit not found: abcdef0123$"):
        db.show("abcdef0123")


# ---- schemas ----


def test_a_schema_is_seen_without_pyarrow_and_taken_by_it(db, people):
    people = people.replace_schema_metadata({"unit": "person"})
    db.write("people", people)
    schema = db.schema("people")
    assert schema.names == ["id", "name", "score", "born"]
    assert schema.types == ["int64", "string", "double", "date32[day]"]
    assert schema.field("name").nullable and schema.field(0).name == "id"
    assert schema.metadata == {b"unit": b"person"}
    assert pa.schema(schema).equals(people.schema, check_metadata=True)
    assert schema.to_arrow() == people.schema
    assert schema == db.read("people").schema and schema == people.schema
    assert schema != people.select(["id"]).schema
    assert str(schema).splitlines()[1] == "name: string"
    with pytest.raises(KeyError):
        schema.field("nothing")


def test_columns_match_by_name_and_a_missing_nullable_one_becomes_null(db, people):
    db.write("people", people)
    db.append("people", people.select(["score", "id", "name"]))
    assert db.read("people", columns=["born"]).to_arrow()["born"].to_pylist()[3:] == [None] * 3
    assert db.read("people").column_names == people.column_names


def test_an_unknown_column_is_refused_with_a_way_out(db, people):
    db.write("people", people)
    extra = people.append_column("extra", pa.array([1, 2, 3]))
    with pytest.raises(am.SchemaMismatchError, match="extra") as caught:
        db.write("people", extra)
    assert str(caught.value).endswith('schema_mode="overwrite" takes the new schema')
    assert db.log()[0].message == "" and db.schema("people") == people.schema


def test_a_type_that_does_not_fit_is_refused_with_both_types(db, people):
    db.write("people", people)
    wrong = people.set_column(0, "id", pa.array(["a", "b", "c"]))
    with pytest.raises(am.SchemaMismatchError) as caught:
        db.append("people", wrong)
    assert "id" in str(caught.value)
    assert "string" in str(caught.value) and "int64" in str(caught.value)


def test_schema_mode_merge_adds_and_overwrite_replaces(db, people):
    db.write("people", people)
    extra = people.append_column("extra", pa.array([1, 2, 3]))
    db.append("people", extra, schema_mode="merge")
    assert db.read("people").to_arrow()["extra"].to_pylist() == [None] * 3 + [1, 2, 3]
    db.write("people", people.select(["name"]), schema_mode="overwrite")
    assert db.schema("people").names == ["name"]
    assert db.read("people", version=1).to_arrow().equals(people)


def test_a_null_in_a_column_that_has_none_is_refused(db):
    schema = pa.schema([pa.field("n", pa.int64(), nullable=False)])
    db.write("n", pa.table({"n": [1, 2]}, schema=schema))
    db.append("n", pa.table({"n": pa.array([3], pa.int64())}))
    with pytest.raises(am.ConstraintError, match="n"):
        db.append("n", pa.table({"n": pa.array([4, None], pa.int64())}))
    assert db.count("n") == 3


def test_duplicate_column_names_are_refused(db):
    twice = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(am.InvalidArgumentError, match="a"):
        db.write("t", twice)


# ---- what comes in ----


@pytest.mark.parametrize("thing", [{"a": [1]}, [1, 2], "text", 7, None, object(), pa.Table])
def test_what_is_not_tabular_raises_type_error_naming_the_type(db, thing):
    with pytest.raises(TypeError, match=re.escape(type(thing).__name__)):
        db.write("t", thing)
    assert db.log() == []


def test_a_single_column_is_not_a_table(db):
    for column in (pa.array([1]), pa.chunked_array([[1]])):
        with pytest.raises(TypeError, match="is a single column"):
            db.write("t", column)


def test_batches_readers_and_our_own_scans_are_taken(db, people):
    db.write("batch", people.to_batches()[0])
    db.write("reader", people.to_reader())
    db.write("scan", db.read("batch"))
    db.write("struct", pa.StructArray.from_arrays(
        [column.combine_chunks() for column in people.columns], names=people.column_names))
    for name in db.tables():
        assert db.read(name).to_arrow().equals(people), name


def test_polars_duckdb_and_pandas_are_taken(db, people):
    polars = pytest.importorskip("polars")
    duckdb = pytest.importorskip("duckdb")
    db.write("polars", polars.from_arrow(people))
    db.write("duckdb", duckdb.from_arrow(people))
    db.write("pandas", people.select(["id", "score"]).to_pandas())
    for name in ("polars", "duckdb"):
        assert db.read(name).to_arrow().to_pylist() == people.to_pylist(), name
    assert db.read("pandas").to_arrow().to_pylist() == people.select(["id", "score"]).to_pylist()
    with pytest.raises(TypeError, match="LazyFrame"):
        db.write("lazy", polars.from_arrow(people).lazy())


def test_a_stream_that_fails_writes_nothing(db, people):
    def batches():
        yield people.to_batches()[0]
        raise RuntimeError("the source broke")

    with pytest.raises(am.InvalidArgumentError, match="the source broke"):
        db.write("t", pa.RecordBatchReader.from_batches(people.schema, batches()))
    assert db.tables() == [] and db.log() == []


# ---- upkeep ----


def test_verify_counts_and_stats_have_stable_keys(db, people):
    db.write("people", people)
    result = db.verify(deep=True)
    assert result.ok and result.problems == [] and result.objects > 0 and result.bytes > 0
    assert str(result).startswith("ok: ")
    stats = db.stats()
    assert (stats["tables"], stats["rows"], stats["commits"], stats["versions"]) == (1, 3, 1, 1)
    assert set(stats["cache"]) == {"hits", "misses", "evictions", "entries", "bytes", "capacity"}
    table = db.stats("people")
    assert (table["table"], table["version"], table["rows"]) == ("people", 1, 3)
    assert table["chunks"] == 1 and table["key"] == []
    with pytest.raises(am.InvalidArgumentError):
        db.stats(version=1)


def test_the_cache_is_counted_and_can_be_off(tmp_path, people):
    with am.open(tmp_path / "repo") as db:
        db.write("people", people)
        for _ in range(3):
            db.read("people").to_arrow()
        assert db.stats()["cache"]["hits"] > 0
    with am.open(tmp_path / "repo", cache_bytes=0) as db:
        db.read("people").to_arrow()
        assert db.stats()["cache"]["capacity"] == 0


def test_objects_print_readably(db, people):
    assert repr(db).startswith("Database('")
    result = db.write("people", people)
    assert "Scan(id: int64" in repr(db.read("people"))
    assert f"{result.commit[:12]}" in str(db.log()[0])
    assert "create people" in str(db.log()[0])
    assert "version 1" in str(db.versions("people")[0])
