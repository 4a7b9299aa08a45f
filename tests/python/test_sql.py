"""SQL over tables, versions and branches, by DuckDB."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

import armillaria as am

duckdb = pytest.importorskip("duckdb")
pytest.importorskip("sqlglot")

from armillaria.sql_names import TableName, read_statement  # noqa: E402


def table(start: int) -> pa.Table:
    return pa.table({"id": [1, 2, 3], "a": pa.array([start, start + 1, start + 2], pa.int64()),
                     "b": ["x", "y", None]})


@pytest.fixture
def data(db):
    db.write("t", table(10), message="one")
    db.write("t", table(20), message="two")
    db.write("a.b", table(5))
    db.write("Mixed", table(7))
    db.branch("dev").write("t", table(100), message="on dev")
    db.branch("feature-x").write("t", table(1000))
    return db


def rows(scan: am.Scan) -> list[tuple]:
    columns = [column.to_pylist() for column in scan.to_arrow().columns]
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize("query, wanted", [
    ("select a from t order by a", [(20,), (21,), (22,)]),
    ("SELECT t.a FROM t WHERE t.b = 'y'", [(21,)]),
    ("select count(*) from t", [(3,)]),
    ("select count(*) from t x, t y", [(9,)]),
    ("from t select id limit 1", [(1,)]),
    ("select a from t AT (VERSION => 1) order by a", [(10,), (11,), (12,)]),
    ("select n.a - o.a as d from t n join t AT (VERSION => 1) o using (id)", [(10,)] * 3),
    ("select n.a, o.a from t n join t at (version=>1) as o on n.id = o.id where n.id = 1",
     [(20, 10)]),
    ("select a from t@dev order by a", [(100,), (101,), (102,)]),
    ("select t.a from t@dev where t.id = 1", [(100,)]),
    ("select m.a, d.a from t m join t@dev d using (id) where id = 2", [(21, 101)]),
    ('select m.a, d.a from t m join "t@feature-x" d using (id) where id = 2', [(21, 1001)]),
    ('select t.a, "t@dev".a from t join t@dev using (id) where id = 3', [(22, 102)]),
    ('select a from "t"@dev where id = 1', [(100,)]),
    ("select a from t@dev AT (VERSION => 1) where id = 1", [(10,)]),
    ("with t as (select 1 as a) select a from t", [(1,)]),
    ("with t as (select a + 1 as a from t) select max(a) from t", [(23,)]),
    ("with u as (select * from t@dev), v as (select * from u) select max(a) from v", [(102,)]),
    ("with recursive n(i) as (select 1 union all select i + 1 from n where i < 3) "
     "select max(i) from n", [(3,)]),
    ("select max(a) from (select * from t union all select * from t@dev)", [(102,)]),
    ("select a from t where id in (select id from t@dev where a = 101)", [(21,)]),
    ("select count(*) from MIXED", [(3,)]),
    ('select b.id from a.b order by 1', [(1,), (2,), (3,)]),
    ('select max(a) from "a.b"', [(7,)]),
    ("select '/* t@dev */' as s, 't@dev' as u from t limit 1", [("/* t@dev */", "t@dev")]),
    ("select a -- from t@dev\nfrom t where id = 1", [(20,)]),
    ("select @(-a) as positive from t where id = 1", [(20,)]),
    ("select (t).a from t where id = 1", [(20,)]),
    ("select id from t natural join (select id from t@dev) where id = 2", [(2,)]),
    ("select 1 as one", [(1,)]),
    ("values (1), (2)", [(1,), (2,)]),
])
def test_statements_mean_what_they_say(data, query, wanted):
    assert rows(data.sql(query)) == wanted


def test_times_look_into_the_past(data):
    then = data.versions("t")[0].time
    query = "select a from t AT (TIMESTAMP => '%s') where id = 1"
    assert rows(data.sql(query % then.isoformat())) == [(10,)]
    assert rows(data.sql(query % then.replace(tzinfo=None).isoformat(sep=" "))) == [(10,)]
    assert rows(data.sql(query % (dt.datetime.now() + dt.timedelta(days=2)))) == [(20,)]
    with pytest.raises(am.NotFoundError):
        data.sql(query % "2001-01-01")
    with pytest.raises(am.InvalidArgumentError):
        data.sql(query % "yesterday")


def test_parameters_and_versions_leave_the_text_alone(data):
    assert rows(data.sql("select a from t where id = ?", [2])) == [(21,)]
    assert rows(data.sql("select a from t where id = $id", {"id": 3})) == [(22,)]
    assert rows(data.sql("select a from t where id = 1", versions={"t": 1})) == [(10,)]
    assert rows(data.sql("select a from T where id = ?", [1], versions={"t": 1})) == [(10,)]
    assert rows(data.sql("select a from t AT (VERSION => 2) where id = 1", versions={"t": 1})) == [
        (20,)]
    with pytest.raises(am.NotFoundError, match="^Version not found: t version 9$"):
        data.sql("select a from t", versions={"t": 9})


def test_the_answer_is_a_scan_that_stays(data):
    scan = data.sql("select id, a, b from t order by id")
    data.write("t", table(0))
    data.close()
    assert isinstance(scan, am.Scan)
    assert (scan.num_rows, scan.column_names) == (3, ["id", "a", "b"])
    assert scan.to_arrow()["a"].to_pylist() == [20, 21, 22]
    assert scan.to_arrow()["a"].to_pylist() == [20, 21, 22]


def test_an_answer_can_be_written_as_a_table(data):
    data.write("sums", data.sql("select b, count(*) as n from t group by b"))
    assert data.count("sums") == 3


def test_views_and_transactions_answer_for_themselves(data):
    assert rows(data.at("dev").sql("select min(a) from t")) == [(100,)]
    assert rows(data.at("dev").sql("select min(a) from t@main")) == [(20,)]
    with data.transaction() as tx:
        tx.write("t", table(0))
        tx.write("fresh", table(3))
        assert rows(tx.sql("select min(a) from t")) == [(0,)]
        assert rows(tx.sql("select min(a) from fresh")) == [(3,)]
        assert rows(tx.sql("select min(a) from t AT (VERSION => 1)")) == [(10,)]
        assert rows(tx.sql("select min(a) from mixed")) == [(7,)]
        assert rows(data.sql("select min(a) from t")) == [(20,)]
        tx.abort()


def test_the_change_log_is_a_table(data):
    log = data.sql("select * from __changelog order by time, table_name")
    assert log.column_names == ["commit", "time", "author", "message", "op", "table_name",
                                "old_version", "new_version"]
    first = log.to_arrow().to_pylist()[0]
    assert (first["op"], first["table_name"], first["message"]) == ("create", "t", "one")
    assert (first["old_version"], first["new_version"]) == (None, 1)
    assert first["commit"] == data.versions("t")[0].commit
    assert first["time"] == data.versions("t")[0].time
    assert rows(data.sql("select message from __changelog@dev where message = 'on dev'")) == [
        ("on dev",)]
    with pytest.raises(am.InvalidArgumentError):
        data.sql("select * from __changelog AT (VERSION => 1)")


def test_the_change_log_of_nothing_is_empty(db):
    assert db.sql("select * from __changelog").num_rows == 0


def test_names_that_differ_only_in_case_are_told_apart(db):
    db.write("t", table(1))
    db.write("T", table(50))
    assert rows(db.sql("select min(a) from t")) == [(1,)]
    assert rows(db.sql("select min(a) from T")) == [(50,)]
    assert rows(db.sql("select min(x.a), min(y.a) from t x, T y")) == [(1, 50)]


@pytest.mark.parametrize("query, error", [
    ("selec 1", duckdb.ParserException),
    ("select nope from t", duckdb.BinderException),
    ("select * from nope", duckdb.CatalogException),
    ("select cast(b as int) from t", duckdb.ConversionException),
    ("select * from t where", duckdb.ParserException),
    ("select 'open", duckdb.Error),
])
def test_bad_sql_raises_duckdbs_own_exception(data, query, error):
    with pytest.raises(error):
        data.sql(query)


@pytest.mark.parametrize("query, error, message", [
    ("select * from nope@dev", am.NotFoundError, "^Table not found: nope$"),
    ("select * from t@nowhere", am.NotFoundError, "^Branch not found: nowhere$"),
    ("select * from t AT (VERSION => 9)", am.NotFoundError, "^Version not found: t version 9$"),
    ("select * from t AT (VERSION => 'x')", am.InvalidArgumentError, "takes a number"),
    ("select * from t AT (TIMESTAMP => 3)", am.InvalidArgumentError, "takes a text"),
    ("select * from t AT (COMMIT => 'x')", am.InvalidArgumentError, "VERSION"),
    ("select * from t@ where 1", am.InvalidArgumentError, "must follow the @"),
])
def test_bad_places_are_named(data, query, error, message):
    with pytest.raises(error, match=message):
        data.sql(query)


def test_python_variables_are_no_tables(data):
    repo = resolver = statement = table(0)  # noqa: F841
    for name in ("repo", "resolver", "statement", "opened"):
        with pytest.raises(duckdb.CatalogException):
            data.sql(f"select * from {name}")


def test_a_dropped_table_is_there_by_version(data):
    data.drop("t")
    with pytest.raises(duckdb.CatalogException):
        data.sql("select * from t")
    assert rows(data.sql("select min(a) from t AT (VERSION => 2)")) == [(20,)]


@pytest.mark.parametrize("query, columns", [
    ("select a from t where b = 'x'", {"a", "b"}),
    ("select count(*) from t", set()),
    ("select sum(a) as s from t group by id having max(b) > ''", {"a", "id", "b"}),
    ("select x.a from t x join t y using (id)", {"a", "id"}),
    ("select * from t", None),
    ("select x.* from t x", None),
    ("select t from t", None),
    ("select columns('a') from t", None),
    ("from t", None),
    ("describe t", None),
    ("select a from t natural join t u", None),
    ("select * exclude (a) from t", None),
])
def test_only_columns_that_may_be_needed_are_read(query, columns):
    names = {"t": TableName(("t",))}
    statement = read_statement(query, lambda name: names.get(name.dotted.lower()))
    if columns is None:
        assert statement.columns is None
    else:
        assert statement.columns & {"a", "b", "id"} == columns


def test_threads_may_ask_at_once(data):
    import threading

    errors = []

    def work():
        try:
            for _ in range(5):
                assert rows(data.sql("select sum(a)::int from t")) == [(63,)]
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


NO_DUCKDB = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == sys.argv[2]:
            raise ImportError(name, name=name)
sys.meta_path.insert(0, Block())
import armillaria as am
try:
    am.open(sys.argv[1]).sql("select 1")
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize("module", ["duckdb", "sqlglot"])
def test_without_the_extra_it_says_what_to_install(tmp_path, run_python, module):
    assert run_python(NO_DUCKDB, tmp_path / "repo", module) == (
        f"SQL needs {module}: pip install 'armillaria[sql]'\n")


def test_scans_of_sql_are_fed_to_duckdb_itself(data):
    scan = data.read("t", where="a > 20")
    connection = duckdb.connect()
    connection.register("s", scan)
    assert connection.execute("select count(*) from s").fetchone() == (2,)
    assert connection.execute("select count(*) from s").fetchone() == (2,)
