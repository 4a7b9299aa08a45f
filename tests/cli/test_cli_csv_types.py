"""CSV for a table that is there is read as the table's types, not as what the text alone suggests."""

import pyarrow as pa
import pyarrow.parquet as pq

TYPED = pa.table({
    "zip": ["00501"],
    "ratio": [1.5],
    "small": pa.array([1], pa.int8()),
    "at": pa.array([0], pa.timestamp("s")),
    "word": pa.array(["x"]).dictionary_encode(),
    "empty": pa.array([2.5], pa.float64()),
})


def start(repo):
    pq.write_table(TYPED, repo.folder / "typed.parquet")
    repo.ok("import", "t", "typed.parquet")
    return repo


def rows(repo, text):
    (repo.folder / "more.csv").write_text("zip,ratio,small,at,word,empty\n" + text)


def test_a_csv_is_appended_as_the_types_of_the_table(repo):
    start(repo)
    rows(repo, "10001,8,127,2020-01-01 00:00:00,y,\n")
    repo.ok("import", "t", "more.csv", "--append")
    repo.ok("export", "t", "out.parquet")
    back = pq.read_table(repo.folder / "out.parquet")
    wanted = pq.read_table(repo.folder / "typed.parquet").schema  # seconds come back as Parquet's milliseconds
    assert back.schema.types == wanted.types
    assert back.slice(1).to_pylist()[0] | {"at": None} == {
        "zip": "10001", "ratio": 8.0, "small": 127, "at": None, "word": "y", "empty": None}


def test_a_value_that_does_not_fit_is_named_with_its_row(repo):
    start(repo)
    rows(repo, "1,1,1,2020-01-01 00:00:00,y,\n1,1,128,2020-01-01 00:00:00,y,\n")
    said = repo.fails(3, "import", "t", "more.csv", "--append")
    assert said == 'more.csv: row 3: 128 does not fit column "small" (int8)'
    rows(repo, "1,1,1,2020-01-01 00:00:00.5,y,\n")
    said = repo.fails(3, "import", "t", "more.csv", "--append")
    assert said == 'more.csv: row 2: the time does not fit column "at" (timestamp[s])'
    assert repo.ok("export", "t", "-", "--format", "csv", "--columns", "small").splitlines() == ["small", "1"]


def test_overwriting_the_schema_infers_anew(repo):
    start(repo)
    rows(repo, "10001,8,127,2020-01-01 00:00:00,y,3\n")
    repo.ok("import", "t", "more.csv", "--schema", "overwrite")
    repo.ok("export", "t", "out.parquet")
    assert pq.read_schema(repo.folder / "out.parquet").field("zip").type == pa.int64()
