"""Bad input, at every door: one line that names the object, the right exit status, nothing changed."""

import os
import shutil
import sqlite3

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

TABLE = pa.table({"a": pa.array(range(1000)), "b": [f"row {i}" for i in range(1000)]})


def state(repo):
    """Everything that a reader can see, and every file but SQLite's own."""
    files = {p.relative_to(repo.repo): p.read_bytes() for p in repo.repo.rglob("*")
             if p.is_file() and not p.name.startswith("catalog.db")}
    return repo.ok("log", "--json"), repo.ok("branch", "--json"), repo.ok("tag", "--json"), files


@pytest.fixture
def full(repo):
    pq.write_table(TABLE, repo.folder / "good.parquet")
    repo.ok("import", "t", "good.parquet", "-m", "first")
    return repo


@pytest.fixture
def unchanged(full):
    before = state(full)
    yield full
    assert state(full) == before


def test_a_file_that_is_not_parquet(unchanged):
    (unchanged.folder / "x.parquet").write_text("<html>404</html>\n")
    said = unchanged.fails(3, "import", "t", "x.parquet")
    assert "x.parquet" in said and "not a Parquet file" in said
    (unchanged.folder / "y.bin").write_bytes(bytes(range(256)) * 40)
    assert "y.bin" in unchanged.fails(3, "import", "t", "y.bin")
    (unchanged.folder / "z.csv").write_bytes(b"")
    assert "z.csv is empty" in unchanged.fails(3, "import", "t", "z.csv")
    feather.write_feather(TABLE, unchanged.folder / "t.arrow", compression="uncompressed")
    said = unchanged.fails(3, "import", "t", "t.arrow")
    assert "t.arrow" in said and "Arrow IPC" in said


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_parquet_file(unchanged, share):
    data = (unchanged.folder / "good.parquet").read_bytes()
    (unchanged.folder / "cut.parquet").write_bytes(data[: int(len(data) * share)])
    assert "cut.parquet" in unchanged.fails(3, "import", "t", "cut.parquet")
    assert "standard input" in unchanged.fails(3, "import", "t", "-", stdin=data[: int(len(data) * share)])


def test_damage_inside_a_parquet_file_is_found(unchanged):
    data = bytearray((unchanged.folder / "good.parquet").read_bytes())
    data[4:40] = bytes(36)
    (unchanged.folder / "torn.parquet").write_bytes(data)
    assert "torn.parquet" in unchanged.fails(3, "import", "t", "torn.parquet")


def test_a_csv_whose_row_70000_has_a_field_too_many(unchanged):
    rows = [f"{i},x,{i * 0.5}" for i in range(1, 80001)]
    rows[69998] += ",surplus"  # the header is row 1
    (unchanged.folder / "bad.csv").write_text("\n".join(["id,name,value", *rows]) + "\n")
    said = unchanged.fails(3, "import", "t", "bad.csv")
    assert "bad.csv" in said and "row 70000" in said and "4 fields" in said and "3" in said


def test_one_bad_file_of_many_stops_all(unchanged):
    (unchanged.folder / "bad.csv").write_text('a,b\n1,"open\n')
    said = unchanged.fails(3, "import", "new=good.parquet", "t=bad.csv")
    assert "bad.csv" in said


@pytest.mark.parametrize("name", ["a/b", "a\\b", "a@b", 'a"b', ".hidden", "__x", "a\nb", "x" * 256, ""])
def test_a_bad_table_name(unchanged, name):
    said = unchanged.fails(3, "import", name, "good.parquet")
    assert "Invalid table name" in said


def test_files_that_are_not_there(unchanged):
    assert "gone.csv: No such file" in unchanged.fails(3, "import", "t", "gone.csv")
    assert "folder" in unchanged.fails(3, "import", "t", ".")
    assert "gone/out.csv" in unchanged.fails(3, "export", "t", "gone/out.csv")
    assert "gone/out.parquet" in unchanged.fails(3, "export", "t", "gone/out.parquet")
    assert "out.xyz" in unchanged.fails(3, "export", "t", "out.xyz")


def test_a_folder_that_is_not_a_repository(armi):
    other = armi.folder / "other"
    other.mkdir()
    (other / "letter.txt").write_text("dear")
    for words in (("ls",), ("init",), ("import", "t", "x.csv"), ("verify",)):
        said = armi.fails(3, "-C", other, *words)
        assert "other" in said
    assert [p.name for p in other.iterdir()] == ["letter.txt"]
    said = armi.fails(3, "ls")
    assert str(armi.repo) in said and "armi init" in said
    assert not armi.repo.exists()


def test_a_repository_of_a_newer_version(full):
    mark = full.repo / "FORMAT"
    text = mark.read_text()
    assert text.startswith("armillaria 1\n")
    mark.write_text(text.replace("armillaria 1\n", "armillaria 99\n", 1))
    for words in (("ls",), ("import", "t", "good.parquet"), ("verify",), ("init",)):
        assert "newer" in full.fails(3, *words)


def test_a_catalog_that_is_not_ours(full):
    for path in full.repo.glob("catalog.db*"):
        path.unlink()
    with sqlite3.connect(full.repo / "catalog.db") as foreign:
        foreign.execute("create table customers (name text)")
    foreign.close()
    before = (full.repo / "catalog.db").read_bytes()
    assert "catalog.db" in full.fails(3, "ls")
    assert "catalog.db" in full.fails(3, "import", "t", "good.parquet")
    assert (full.repo / "catalog.db").read_bytes() == before


def footer_of(data):
    size = int.from_bytes(data[-8:-4], "little")
    return len(data) - 8 - size, len(data) - 8


def test_a_type_that_tables_do_not_carry(unchanged):
    table = pa.table({"fine": [1], "odd": pa.array([b"abc"], pa.binary(3))})
    path = unchanged.folder / "odd.parquet"
    pq.write_table(table, path, store_schema=False)
    data = bytearray(path.read_bytes())
    start, end = footer_of(data)
    fixed, unknown = b"\x15\x0e", b"\x15\x12"  # physical types 7 and 9 as the footer spells them
    assert data[start:end].count(fixed) == 2
    data[start:end] = data[start:end].replace(fixed, unknown)
    path.write_bytes(data)
    said = unchanged.fails(3, "import", "t", "odd.parquet", "--schema", "overwrite")
    assert "odd.parquet" in said and '"odd"' in said and "type 9" in said


def test_an_encrypted_parquet_file(unchanged):
    data = (unchanged.folder / "good.parquet").read_bytes()
    (unchanged.folder / "secret.parquet").write_bytes(b"PARE" + data[4:-4] + b"PARE")
    said = unchanged.fails(3, "import", "t", "secret.parquet")
    assert "secret.parquet" in said and "encrypted" in said


def test_names_that_are_not_there(unchanged):
    assert unchanged.fails(3, "head", "gone") == "Table not found: gone"
    assert unchanged.fails(3, "head", "t@gone") == "Branch not found: gone"
    assert unchanged.fails(3, "head", "t", "--version", "9") == "Version not found: t version 9"
    assert unchanged.fails(3, "show", "0123456789") == "Commit not found: 0123456789"
    assert unchanged.fails(3, "-b", "gone", "import", "t", "good.parquet") == "Branch not found: gone"
    assert unchanged.fails(3, "branch", "-d", "gone") == "Branch not found: gone"
    assert unchanged.fails(3, "drop", "gone") == "Table not found: gone"
    assert unchanged.fails(3, "diff", "main..gone") == "Branch not found: gone"
    assert unchanged.fails(3, "head", "t", "--columns", "x") == 'No column "x" in table "t" (columns: a, b)'
    assert '"x"' in unchanged.fails(3, "head", "t", "--where", "x > 1")
    assert "1970" not in unchanged.fails(3, "head", "t", "--as-of", "1999-12-31")


def test_values_that_make_no_sense(unchanged):
    for words in (("head", "t", "-n", "many"), ("head", "t", "--version", "0"), ("head", "t", "--as-of", "2013-02-30"),
                  ("import", "t", "good.parquet", "--schema", "x"), ("diff", "t", "--version", "1"),
                  ("export", "t", "--format", "xls"), ("ls", "--lock-timeout", "soon"),
                  ("head", "t", "--where", "a >"), ("head", "t", "--where", "b > 1"),
                  ("branch", "a..b"), ("branch", "main"), ("branch", "-d", "main"), ("tag", "0123456789ab"),
                  ("import", "t", "-", "-"), ("init", "--durability", "some")):
        unchanged.fails(3, *words)


def test_command_lines_that_cannot_be_parsed(unchanged):
    for words in (("ls", "--colour"), ("ls", "-x"), ("head",), ("head", "t", "u"), ("head", "t", "-n"), ("import", "t"),
                  ("import",), ("export",), ("diff",), ("diff", "main"), ("diff", "a..b", "--rows", "--stat"),
                  ("head", "t", "--version", "1", "--as-of", "2013-01-01"), ("merge",), ("merge", "x", "--ours", "--theirs"),
                  ("branch", "x", "-d", "y"), ("ls", "main"), ("ls", "--json=yes"), ("--nope", "ls"), ("verify", "x"),
                  ("branch", "--at", "main")):
        assert "see armi help" in unchanged.fails(2, *words)
    assert unchanged.fails(2, "frobnicate") == "unknown command 'frobnicate'; see armi help"
    assert unchanged.fails(2, "help", "frobnicate") == "unknown command 'frobnicate'; see armi help"
    assert "did you mean 'import'" in unchanged.fails(2, "improt")
    unchanged.path = shutil.copy(unchanged.path, unchanged.folder / "armi")  # no armi-sql beside it
    assert "armillaria[sql]" in unchanged.fails(2, "sql", "select 1", env={"PATH": ""})
    for ahead in ("gc", "expire", "reset", "revert", "compact"):
        assert unchanged.fails(2, ahead).startswith(f"unknown command '{ahead}'; see armi help")


def test_an_empty_command_line_shows_help(armi):
    done = armi.run()
    assert done.returncode == 2 and done.stdout == b"" and b"usage: armi" in done.stderr


def in_namespace(command):
    return ("unshare", "--mount", "sh", "-c", f'{command} && exec "$0" "$@"')


def can_mount():
    return os.geteuid() == 0 and shutil.which("unshare") and os.system("unshare --mount true 2>/dev/null") == 0


@pytest.mark.skipif(not can_mount(), reason="mounting needs root")
def test_a_read_only_mount(full):
    before = state(full)
    mount = in_namespace(f"mount --bind '{full.repo}' '{full.repo}' && mount -o remount,bind,ro '{full.repo}'")
    assert full.ok("ls", prefix=mount) == full.ok("ls")
    said = full.fails(3, "import", "t", "good.parquet", "--append", prefix=mount)
    assert "reading only" in said or "read-only" in said.lower()
    said = full.fails(3, "tag", "v1", prefix=mount)
    assert "reading only" in said or "read-only" in said.lower()
    assert state(full) == before


@pytest.mark.skipif(not can_mount(), reason="mounting needs root")
def test_a_full_disk(armi):
    disk = armi.folder / "disk"
    disk.mkdir()
    big = pa.table({"x": [os.urandom(200).hex() for _ in range(20000)]})
    pq.write_table(big, armi.folder / "big.parquet")
    pq.write_table(TABLE, armi.folder / "good.parquet")
    script = f"""
        mount -t tmpfs -o size=3m none '{disk}' &&
        {armi.path} -C '{disk}/r' init >/dev/null && {armi.path} -C '{disk}/r' import t good.parquet >/dev/null &&
        {armi.path} -C '{disk}/r' log --json > before.json &&
        {{ {armi.path} -C '{disk}/r' import big big.parquet; code=$?; }}
        {armi.path} -C '{disk}/r' log --json > after.json && {armi.path} -C '{disk}/r' verify --deep >/dev/null &&
        cmp -s before.json after.json && exit $code
        exit 99"""
    import subprocess
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], cwd=armi.folder, env=armi.env,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("armi: ") and done.stderr.count("\n") == 1
    assert "No space left on device" in done.stderr
