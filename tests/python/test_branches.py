"""Branches, tags, views, differences, merges."""

from __future__ import annotations

import pyarrow as pa
import pytest

import armillaria as am

from .conftest import numbers


@pytest.fixture
def base(db):
    db.write("a", numbers(0, 3))
    db.write("b", numbers(0, 3))
    return db


# ---- refs ----


def test_a_branch_costs_nothing_and_moves_alone(base):
    tip = base.log()[0].commit
    dev = base.branch("dev")
    assert base.branches() == {"dev": tip, "main": tip}
    dev.append("a", numbers(3, 5))
    assert (base.count("a"), dev.count("a")) == (3, 5)
    assert base.branches()["dev"] != tip and base.branches()["main"] == tip
    assert dev.ref == "dev" and base.at("dev").count("a") == 5
    assert base.count("a", ref="dev") == 5 and base.tables(ref="dev") == ["a", "b"]


def test_a_branch_can_start_anywhere(base):
    old = base.branch("old", at="main~1")
    assert old.tables() == ["a"]
    assert base.branch("older", at=base.log()[1].commit[:10]).tables() == ["a"]
    dev = base.at("old").branch("newer")
    assert dev.tables() == ["a"]


def test_a_branch_of_an_empty_repository_has_no_commit(db):
    dev = db.branch("dev")
    assert db.branches() == {"dev": None, "main": None}
    dev.write("a", numbers(0, 1))
    assert db.tables() == [] and dev.tables() == ["a"]
    assert db.merge("dev").kind == "fast-forward"
    assert db.tables() == ["a"]


def test_names_are_checked_and_taken_once(base):
    base.branch("dev")
    with pytest.raises(am.AlreadyExistsError, match="^Branch already exists: dev$"):
        base.branch("dev")
    for name in ("a..b", "a b", "/a", "a.lock", "", "a~1", "deadbeef"):
        with pytest.raises(am.InvalidArgumentError, match="^Invalid branch name: "):
            base.branch(name)
    with pytest.raises(am.NotFoundError, match="^Branch not found: nowhere$"):
        base.branch("x", at="nowhere")
    with pytest.raises(am.AlreadyExistsError):
        base.tag("dev")
    base.branch("dev/deeper")
    with pytest.raises(am.NotFoundError, match="^Branch not found: nowhere$"):
        base.at("nowhere")


def test_deleting(base):
    base.branch("dev")
    base.tag("v1")
    base.delete_branch("dev")
    base.delete_tag("v1")
    assert list(base.branches()) == ["main"] and base.tags() == {}
    with pytest.raises(am.NotFoundError, match="^Branch not found: dev$"):
        base.delete_branch("dev")
    with pytest.raises(am.NotFoundError, match="v1"):
        base.delete_tag("v1")
    with pytest.raises(am.InvalidArgumentError, match="main"):
        base.delete_branch("main")


def test_a_tag_does_not_move_and_its_view_is_read_only(base):
    tip = base.log()[0].commit
    assert base.tag("v1") == tip
    assert base.tag("v0", at="main~1") == base.log()[1].commit
    base.append("a", numbers(3, 4))
    view = base.at("v1")
    assert base.tags() == {"v0": base.log()[2].commit, "v1": tip}
    assert view.count("a") == 3 and view.read_only and view.ref == "v1"
    for write in (lambda: view.write("a", numbers(0, 1)), lambda: view.append("a", numbers(0, 1)),
                  lambda: view.drop("a"), view.transaction):
        with pytest.raises(am.InvalidArgumentError, match="^v1 is a tag or a commit"):
            write()


def test_a_view_of_a_commit_is_pinned(base):
    commit = base.log()[1].commit
    view = base.at(commit[:12])
    assert view.tables() == ["a"] and view.log()[0].commit == commit
    with pytest.raises(am.InvalidArgumentError):
        view.drop("a")
    assert base.at("main~1").tables() == ["a"]


def test_a_tag_needs_a_commit(db):
    with pytest.raises(am.NotFoundError):
        db.tag("v1")


# ---- diff ----


def test_a_diff_tells_what_turns_one_ref_into_another(base):
    dev = base.branch("dev")
    dev.append("a", numbers(3, 5))
    dev.drop("b")
    dev.write("c", numbers(0, 2))
    diffs = {diff.table: diff for diff in base.diff("main", "dev")}
    assert {name: diff.kind for name, diff in diffs.items()} == {
        "a": "changed", "b": "dropped", "c": "added"}
    assert (diffs["a"].rows_added, diffs["a"].rows_removed, diffs["a"].rows_changed) == (2, 0, 0)
    assert (diffs["b"].rows_removed, diffs["c"].rows_added) == (3, 2)
    assert (diffs["a"].old_version, diffs["a"].new_version) == (1, 2)
    assert (diffs["b"].new_version, diffs["c"].old_version) == (None, None)
    rows = diffs["a"].rows().to_arrow().to_pylist()
    assert rows == [{"_change_type": "insert", "n": n, "text": f"row {n}"} for n in (3, 4)]
    assert diffs["b"].rows().to_arrow()["_change_type"].to_pylist() == ["delete"] * 3
    back = {diff.table: diff.kind for diff in base.diff("dev", "main")}
    assert back == {"a": "changed", "b": "added", "c": "dropped"}
    assert "+2 -0" in str(diffs["a"])


def test_the_rows_of_a_diff_are_pinned(base):
    dev = base.branch("dev")
    dev.append("a", numbers(3, 5))
    diff = base.diff("main", "dev", table="a")
    dev.write("a", numbers(0, 1))
    assert diff.rows().num_rows == 2


def test_one_table_is_told_also_when_nothing_changed(base):
    base.branch("dev")
    assert base.diff("main", "dev") == []
    diff = base.diff("main", "dev", table="a")
    assert diff.kind == "unchanged" and diff.rows().num_rows == 0
    with pytest.raises(am.NotFoundError, match="^Table not found: zz$"):
        base.diff("main", "dev", table="zz")


def test_versions_of_a_table_are_compared(base):
    base.write("a", numbers(1, 4))
    diff = base.diff(table="a", versions=(1, 2))
    assert (diff.rows_added, diff.rows_removed) == (1, 1)
    back = base.diff(table="a", versions=(2, 1)).rows().to_arrow().to_pylist()
    assert sorted((row["_change_type"], row["n"]) for row in back) == [
        ("delete", 3), ("insert", 0)]
    with pytest.raises(am.NotFoundError, match="^Version not found: a version 7$"):
        base.diff(table="a", versions=(1, 7))
    with pytest.raises(am.InvalidArgumentError):
        base.diff()
    with pytest.raises(am.InvalidArgumentError):
        base.diff("main", "dev", versions=(1, 2))


def test_a_key_tells_changed_rows(base):
    edited = numbers(0, 3).set_column(1, "text", pa.array(["row 0", "edited", "row 2"]))
    base.write("a", edited)
    diff = base.diff(table="a", versions=(1, 2), key=["n"])
    assert (diff.rows_added, diff.rows_removed, diff.rows_changed) == (0, 0, 1)
    rows = diff.rows().to_arrow().to_pylist()
    assert [(row["_change_type"], row["text"]) for row in rows] == [
        ("update_preimage", "row 1"), ("update_postimage", "edited")]


# ---- merge ----


def test_tables_changed_on_one_side_are_merged(base):
    dev = base.branch("dev")
    fork = base.log()[0].commit
    dev.append("a", numbers(3, 5))
    base.append("b", numbers(3, 4))
    plan = base.merge("dev", dry_run=True)
    assert plan.kind == "merge" and plan.tables == ["a"] and base.count("a") == 3
    result = base.merge("dev", message="bring it in")
    assert result.kind == "merge" and result.base == fork and result.tables == ["a"]
    assert base.log()[0].commit == result.commit and base.log()[0].message == "bring it in"
    assert len(base.log()[0].parents) == 2
    assert (base.count("a"), base.count("b")) == (5, 4)
    assert base.merge("dev").kind == "up-to-date"
    assert "merge" in str(result)


def test_a_merge_into_what_did_not_move_is_a_fast_forward(base):
    dev = base.branch("dev")
    tip = dev.append("a", numbers(3, 5)).commit
    result = base.merge("dev", into="main")
    assert result.kind == "fast-forward" and result.commit == tip and result.conflicts == {}
    assert base.branches()["main"] == tip


def test_both_sides_of_one_table_are_a_conflict_and_nothing_moves(base):
    dev = base.branch("dev")
    dev.write("a", numbers(0, 1))
    base.write("a", numbers(0, 2))
    before = base.branches()
    assert list(base.merge("dev", dry_run=True).conflicts) == ["a"]
    with pytest.raises(am.MergeConflict) as caught:
        base.merge("dev")
    error = caught.value
    assert isinstance(error, am.ConflictError) and error.branch == "main"
    assert error.tables == ["a"] and list(error.conflicts) == ["a"]
    assert error.conflicts["a"].to_arrow().to_pylist() == [
        {"key": None, "column": None, "kind": "table", "base": "version 1",
         "ours": "version 2", "theirs": "version 2"}]
    assert base.branches() == before


@pytest.mark.parametrize("side, rows", [("ours", 2), ("theirs", 1)])
def test_a_conflict_can_be_decided_for_one_side(base, side, rows):
    dev = base.branch("dev")
    dev.write("a", numbers(0, 1))
    base.write("a", numbers(0, 2))
    assert base.merge("dev", resolutions=side).kind == "merge"
    assert base.count("a") == rows


def test_a_view_merges_into_its_own_branch(base):
    dev = base.branch("dev")
    base.append("a", numbers(3, 4))
    dev.append("b", numbers(3, 4))
    dev.merge("main")
    assert (dev.count("a"), base.count("b")) == (4, 3)
    with pytest.raises(am.NotFoundError, match="^Branch not found: nowhere$"):
        base.merge("nowhere")
    with pytest.raises(am.NotFoundError, match="^Branch not found: nowhere$"):
        base.merge("dev", into="nowhere")
    with pytest.raises(am.InvalidArgumentError):
        base.merge("dev", resolutions="both")
