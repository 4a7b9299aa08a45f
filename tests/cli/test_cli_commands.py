"""What commands do, seen from outside: data in, data out, JSON, refs."""

import json
import os
import signal
import subprocess
import time

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

PEOPLE = pa.table({
    "id": pa.array([1, 2, 3], pa.int64()),
    "name": ["Ada", None, "Zoë"],
    "score": pa.array([1.5, 2.0, None], pa.float64()),
})
FACTS = pa.table({"k": ["a", "b"], "n": pa.array([10, 20], pa.int32())})


@pytest.fixture
def people(repo):
    pq.write_table(PEOPLE, repo.folder / "people.parquet")
    pq.write_table(FACTS, repo.folder / "facts.parquet")
    repo.ok("import", "people", "people.parquet", "-m", "first")
    return repo


def documents(text):
    return [json.loads(line) for line in text.splitlines()]


def document(text):
    found = documents(text)
    assert len(found) == 1
    return found[0]


def test_init_makes_a_repository_once(armi):
    assert armi.ok("init", "x") == "Made a repository in x\n"
    assert armi.ok("init", "x") == "x is a repository already: left as it is\n"
    assert document(armi.ok("init", "y", "--json")) == {"path": "y", "created": True}
    assert armi.ok("-C", "x", "ls") == ""
    assert armi.ok("-C", "x", "log") == ""
    assert document(armi.ok("-C", "x", "log", "--json")) == []


def test_parquet_comes_back_as_it_went_in(people):
    people.ok("export", "people", "out.parquet")
    assert pq.read_table(people.folder / "out.parquet").equals(PEOPLE)
    done = people.run("export", "people", "-", "--format", "parquet")
    assert done.returncode == 0
    assert pq.read_table(pa.BufferReader(done.stdout)).equals(PEOPLE)


def test_csv_comes_back_as_it_went_in(repo):
    text = 'id,name,score,day\n1,Ada,1.5,2013-01-31\n2,"a ""b"", c",,2013-02-01\n3,"",-0.25,\n'
    (repo.folder / "t.csv").write_text(text)
    repo.ok("import", "t", "t.csv")
    assert repo.ok("export", "t") == text
    assert repo.ok("export", "t", "out.csv") != ""
    assert (repo.folder / "out.csv").read_text() == text
    types = {c["name"]: c["type"] for c in document(repo.ok("schema", "t", "--json"))["columns"]}
    assert types == {"id": "int64", "name": "string", "score": "double", "day": "date32[day]"}


def test_csv_options(repo):
    (repo.folder / "t.txt").write_text("1;NA\n2;x\n")
    repo.ok("import", "t", "t.txt", "--delimiter", ";", "--null", "NA", "--no-header")
    assert documents(repo.ok("head", "t", "--json")) == [
        {"column_1": 1, "column_2": None}, {"column_1": 2, "column_2": "x"}]
    assert repo.ok("export", "t", "--delimiter", "tab", "--null", "-", "--no-header") == "1\t-\n2\tx\n"


def test_standard_input_takes_both_formats(people):
    people.ok("import", "a", "-", stdin=(people.folder / "people.parquet").read_bytes())
    people.ok("import", "b", "-", stdin=b"x,y\n1,2\n")
    assert people.ok("export", "b", "-") == "x,y\n1,2\n"
    assert document(people.ok("stats", "a", "--json"))["rows"] == 3


def test_a_pipe_is_read_as_a_file_is(people):
    os.mkfifo(people.folder / "pipe")
    feeder = subprocess.Popen(["cp", "people.parquet", "pipe"], cwd=people.folder)
    people.ok("import", "p", "pipe")
    assert feeder.wait() == 0
    assert document(people.ok("stats", "p", "--json"))["rows"] == 3


def test_many_tables_are_one_commit(people):
    told = document(people.ok("import", "people=people.parquet", "facts=facts.parquet", "-m", "load", "--json"))
    assert [(t["table"], t["changed"], t["version"]) for t in told["tables"]] == [
        ("people", False, 1), ("facts", True, 1)]
    log = document(people.ok("log", "--json"))
    assert log[0]["commit"] == told["commit"]
    assert [(c["message"], [t["table"] for t in c["tables"]]) for c in log] == [
        ("load", ["facts"]), ("first", ["people"])]


def test_several_files_are_one_table_in_order(people):
    people.ok("import", "twice", "people.parquet", "people.parquet")
    assert [r["id"] for r in documents(people.ok("head", "twice", "--json"))] == [1, 2, 3, 1, 2, 3]
    assert len(document(people.ok("log", "twice", "--json"))) == 1
    narrow = pa.table({"id": pa.array([9], pa.int32()), "name": ["Nil"], "score": [0.0]})
    pq.write_table(narrow, people.folder / "narrow.parquet")
    people.ok("import", "mixed", "people.parquet", "narrow.parquet")
    assert [r["id"] for r in documents(people.ok("head", "mixed", "--json"))] == [1, 2, 3, 9]


def test_append_adds_rows_and_overwrite_replaces_them(people):
    told = document(people.ok("import", "people", "people.parquet", "--append", "--json"))["tables"][0]
    assert (told["version"], told["rows"], told["rows_total"]) == (2, 3, 6)
    told = document(people.ok("import", "people", "people.parquet", "--json"))["tables"][0]
    assert (told["version"], told["rows_total"]) == (3, 3)


def test_the_same_import_again_changes_nothing(people):
    before = document(people.ok("log", "--json"))
    told = document(people.ok("import", "people", "people.parquet", "--json"))
    assert told["changed"] is False and told["commit"] == before[0]["commit"]
    assert told["tables"][0]["bytes_written"] == 0
    assert "nothing changed" in people.ok("import", "people", "people.parquet")
    assert document(people.ok("log", "--json")) == before


def test_schema_modes(people):
    wide = PEOPLE.append_column("more", pa.array([1, 2, 3]))
    pq.write_table(wide, people.folder / "wide.parquet")
    said = people.fails(3, "import", "people", "wide.parquet")
    assert "wide.parquet" in said and '"more"' in said
    people.ok("import", "people", "wide.parquet", "--schema", "merge")
    pq.write_table(FACTS, people.folder / "facts.parquet")
    said = people.fails(3, "import", "people", "facts.parquet")
    assert "--schema overwrite" in said and "schema_mode" not in said
    people.ok("import", "people", "facts.parquet", "--schema", "overwrite")
    assert [c["name"] for c in document(people.ok("schema", "people", "--json"))["columns"]] == ["k", "n"]
    assert [c["name"] for c in document(people.ok("schema", "people", "--version", "1", "--json"))["columns"]] == [
        "id", "name", "score"]


def test_versions_and_times_are_read(people):
    first = document(people.ok("log", "--json"))[0]
    people.ok("import", "people", "people.parquet", "--append")
    assert len(documents(people.ok("head", "people", "--version", "1", "--json"))) == 3
    assert len(documents(people.ok("head", "people", "--as-of", first["time"], "--json"))) == 3
    assert len(documents(people.ok("head", "people@main~1", "--json"))) == 3
    assert len(documents(people.ok("head", "people", "-n", "4", "--json"))) == 4
    assert document(people.ok("ls", f"@{first['commit'][:8]}", "--json"))[0]["rows"] == 3
    later = first["time"].replace("Z", "+00:00")
    assert len(documents(people.ok("head", "people", "--as-of", later, "--json"))) == 3


def test_export_projects_filters_and_limits(people):
    assert people.ok("export", "people", "--columns", "score,id", "--where", "id >= 2") == "score,id\n2.0,2\n,3\n"
    assert people.ok("export", "people", "--limit", "1", "--columns", "id") == "id\n1\n"
    odd = pa.table({"a,b": [1], 'q"': [2]})
    pq.write_table(odd, people.folder / "odd.parquet")
    people.ok("import", "odd", "odd.parquet")
    assert documents(people.ok("head", "odd", "--columns", '"q""","a,b"', "--json")) == [{'q"': 2, "a,b": 1}]


def test_branches_tags_and_merge(people):
    people.ok("tag", "v1")
    people.ok("branch", "dev")
    people.ok("-b", "dev", "import", "people", "people.parquet", "--append", "-m", "more")
    assert set(document(people.ok("branch", "--json"))) == {"main", "dev"}
    assert list(document(people.ok("tag", "--json"))) == ["v1"]
    plan = document(people.ok("merge", "dev", "--dry-run", "--json"))
    assert plan["kind"] == "fast-forward" and plan["conflicts"] == []
    assert document(people.ok("stats", "people", "--json"))["rows"] == 3
    people.ok("merge", "dev")
    assert document(people.ok("stats", "people", "--json"))["rows"] == 6
    assert document(people.ok("merge", "dev", "--json"))["kind"] == "up-to-date"
    people.ok("branch", "-d", "dev")
    assert list(document(people.ok("branch", "--json"))) == ["main"]
    people.ok("branch", "again", "--at", "v1")
    assert document(people.ok("ls", "@again", "--json"))[0]["rows"] == 3
    people.ok("tag", "-d", "v1")
    assert document(people.ok("tag", "--json")) == {}


def test_a_conflict_is_printed_and_moves_nothing(people):
    people.ok("branch", "dev")
    pq.write_table(PEOPLE.slice(1), people.folder / "less.parquet")
    people.ok("-b", "dev", "import", "people", "less.parquet")
    people.ok("import", "people", "people.parquet", "--append")
    before = people.ok("branch", "--json")
    done = people.run("merge", "dev")
    assert done.returncode == 1
    assert done.stdout.decode().splitlines()[1].split()[0] == "people"
    assert done.stderr.decode().startswith("armi: ") and done.stderr.count(b"\n") == 1
    told = json.loads(people.run("merge", "dev", "--json").stdout)
    assert told["conflicts"] == ["people"]
    assert people.ok("branch", "--json") == before
    people.ok("merge", "dev", "--theirs", "-m", "theirs")
    assert document(people.ok("stats", "people", "--json"))["rows"] == 2


def test_diff_by_table_and_by_row(people):
    people.ok("import", "people", "people.parquet", "--append")
    people.ok("import", "facts", "facts.parquet")
    found = document(people.ok("diff", "main~2..main", "--json"))
    assert [(d["table"], d["kind"], d["old_version"], d["new_version"], d["rows_added"]) for d in found] == [
        ("facts", "added", None, 1, 2), ("people", "changed", 1, 2, 3)]
    rows = documents(people.ok("diff", "people", "--version", "1..2", "--rows", "--json"))
    assert [r["_change_type"] for r in rows] == ["insert"] * 3
    assert rows[0]["row"] == {"id": 1, "name": "Ada", "score": 1.5}
    assert len(documents(people.ok("diff", "main~2..", "people", "--rows", "-n", "2", "--json"))) == 2
    assert people.run("diff", "main~1..main", "--exit-code").returncode == 1
    assert people.run("diff", "main..main", "--exit-code").returncode == 0
    assert people.ok("diff", "main..main") == ""


def test_show_counts_rows(people):
    people.ok("import", "people", "people.parquet", "--append")
    told = document(people.ok("show", "--json"))
    assert told["diff"][0]["rows_added"] == 3 and told["tables"][0]["op"] == "append"
    first = document(people.ok("show", "main~1", "--json"))
    assert first["parents"] == [] and first["diff"][0]["rows_added"] == 3


def test_drop_keeps_history(people):
    people.ok("drop", "people", "-m", "away")
    assert document(people.ok("ls", "--json")) == []
    assert "people" in people.fails(3, "head", "people")
    assert len(documents(people.ok("head", "people", "--version", "1", "--json"))) == 3


def test_verify_tells_damage_by_status_one(people):
    big = pa.table({"x": [os.urandom(100).hex() for _ in range(2000)]})
    pq.write_table(big, people.folder / "big.parquet")
    people.ok("import", "big", "big.parquet")
    assert document(people.ok("verify", "--deep", "--json"))["ok"] is True
    chunk = next((people.repo / "chunks").iterdir())
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 1
    chunk.chmod(0o644)
    chunk.write_bytes(data)
    done = people.run("verify", "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["ok"] is False and told["problems"][0]["name"] == chunk.stem


def test_json_has_the_value_of_every_type(repo):
    table = pa.table({
        "i": pa.array([-(2**63)], pa.int64()), "u": pa.array([2**64 - 1], pa.uint64()), "b": [True],
        "f": pa.array([0.1], pa.float64()), "nan": pa.array([float("nan")]),
        "s": ['quote " back \\ line\n'], "d": pa.array([1], pa.date32()),
        "t": pa.array([1], pa.timestamp("us", "UTC")), "n": pa.array([None], pa.string()),
    })
    pq.write_table(table, repo.folder / "t.parquet")
    repo.ok("import", "t", "t.parquet")
    row = document(repo.ok("head", "t", "--json"))
    assert row["i"] == -(2**63) and row["u"] == 2**64 - 1 and row["b"] is True and row["f"] == 0.1
    assert isinstance(row["nan"], str) and row["s"] == 'quote " back \\ line\n' and row["n"] is None
    assert row["d"] == "1970-01-02" and row["t"].startswith("1970-01-01")


def test_what_is_printed_cannot_drive_the_terminal(repo):
    evil = "a\x1b[31m\nb\x9bc\u202ed\ttab"
    pq.write_table(pa.table({"x\x1b]0;t\x07": [evil]}), repo.folder / "t.parquet")
    repo.ok("import", "t", "t.parquet", "-m", "m\x1b[2J\nsecond line", "--author", "e\x1bve")
    for words in (("head", "t"), ("schema", "t"), ("log",), ("log", "--oneline"), ("show",), ("branch",)):
        text = repo.ok(*words)
        assert not set(text) & set("\x1b\x9b\u202e\x07\t"), words
    assert "second line" in repo.ok("log")
    assert documents(repo.ok("head", "t", "--json"))[0]["x\x1b]0;t\x07"] == evil


def test_columns_are_aligned_by_width_on_a_terminal(repo):
    table = pa.table({"w": ["漢字", "é", "abc"], "n": pa.array([1, 22, 333])})
    pq.write_table(table, repo.folder / "t.parquet")
    repo.ok("import", "t", "t.parquet")
    assert repo.ok("head", "t").splitlines()[:5] == [
        "w           n", "string  int64", "漢字        1", "é          22", "abc       333"]


def test_a_narrow_terminal_leaves_out_columns_from_the_middle(repo):
    table = pa.table({f"column_{i}": [i] for i in range(30)})
    pq.write_table(table, repo.folder / "t.parquet")
    repo.ok("import", "t", "t.parquet")
    lines = repo.ok("head", "t", env={"COLUMNS": "60"}).splitlines()
    assert lines[0].startswith("column_0") and lines[0].endswith("column_29") and "…" in lines[0]
    assert all(len(line) <= 60 for line in lines)


def test_no_colour_and_no_bar_but_on_a_terminal(people):
    done = people.run("import", "people", "people.parquet", "--append")
    assert b"\x1b" not in done.stdout and done.stderr == b""


def test_options_stand_anywhere(people):
    told = people.ok("--json", "-C", people.repo, "ls")
    assert people.ok("ls", "--json", f"--dir={people.repo}") == told
    assert people.ok("ls", f"-C{people.repo}", "--json", "-bmain", env={"ARMI_DIR": "/nowhere"}) == told
    assert people.ok("ls", "--json", env={"ARMI_BRANCH": "main"}) == told


def test_unknown_words_run_programs(people):
    tool = people.folder / "bin" / "armi-tool"
    tool.parent.mkdir()
    tool.write_text('#!/bin/sh\necho "$ARMI_DIR|$ARMI_BRANCH|$ARMI_AUTHOR|$*"\nexit 7\n')
    tool.chmod(0o755)
    env = {"PATH": f"{tool.parent}:/usr/bin:/bin"}
    done = people.run("-C", "there", "-b", "dev", "--author", "me", "--json", "tool", "-x", "a b", env=env)
    assert done.stdout.decode() == "there|dev|me|--json -x a b\n" and done.returncode == 7
    assert "unknown command 'tool'" in people.fails(2, "tool")
    assert people.run("help", "tool", env=env).stdout.decode().endswith("|--help\n")


def test_a_full_standard_output_is_a_failure(people):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([people.path, "ls"], env=people.env, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 3
    assert done.stderr.decode() == "armi: standard output: No space left on device\n"


def test_an_interrupt_ends_in_order_and_changes_nothing(people):
    before = people.ok("log", "--json")
    running = subprocess.Popen([people.path, "import", "t", "-"], cwd=people.folder, env=people.env,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while running.poll() is None and not any(p.name.startswith("armi-input") for p in fds_of(running.pid)):
        time.sleep(0.01)  # until it reads
    running.send_signal(signal.SIGINT)
    running.stdin.write(b"a\n1\n")
    running.stdin.close()
    assert running.wait(timeout=30) == -signal.SIGINT
    assert running.stderr.read() == b"armi: interrupted\n"
    assert people.ok("log", "--json") == before
    running.stdout.close()
    running.stderr.close()


def fds_of(pid):
    import pathlib
    found = []
    for fd in pathlib.Path(f"/proc/{pid}/fd").glob("*"):
        try:
            found.append(pathlib.Path(os.readlink(fd)))
        except OSError:
            pass
    return found


def test_values_of_csv_are_read_as_pyarrow_reads_what_we_write(people):
    people.ok("export", "people", "out.csv")
    back = pc.read_csv(people.folder / "out.csv")
    assert back.column("id").to_pylist() == [1, 2, 3]
    assert back.column("score").to_pylist() == [1.5, 2.0, None]


def on_a_terminal(armi, *words, env=None):
    """What the program prints on a terminal of 80 columns."""
    reader, terminal = os.openpty()
    running = subprocess.Popen([armi.path, *words], env=armi.env | {"TERM": "xterm"} | (env or {}), stdout=terminal,
                               stderr=subprocess.PIPE)
    os.close(terminal)
    text = b""
    while True:
        try:
            block = os.read(reader, 65536)
        except OSError:  # the other end is closed
            break
        if not block:
            break
        text += block
    os.close(reader)
    assert running.wait() == 0 and running.stderr.read() == b""
    running.stderr.close()
    return text.decode()


def test_colour_on_a_terminal_and_none_with_no_color(people):
    assert "\x1b[33mcommit" in on_a_terminal(people, "log")
    assert "\x1b" not in on_a_terminal(people, "log", env={"NO_COLOR": "1"})
    assert "\x1b" in on_a_terminal(people, "log", env={"NO_COLOR": ""})
    assert "\x1b" not in on_a_terminal(people, "log", "--json")


def test_the_author_is_the_nearest_that_was_named(people):
    people.ok("import", "a", "people.parquet", "--author", "Option")
    people.ok("import", "b", "people.parquet", env={"ARMI_AUTHOR": "Variable"})
    assert [c["author"] for c in document(people.ok("log", "--json"))] == ["Variable", "Option", "tester"]
