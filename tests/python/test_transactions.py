"""Transactions: many tables or none, on one snapshot."""

from __future__ import annotations

import pytest

import armillaria as am

from .conftest import numbers


def test_many_tables_land_in_one_commit(db):
    with db.transaction(message="close of day", metadata={"day": "7"}) as tx:
        assert tx.active and tx.branch == "main" and tx.result is None
        first = tx.write("a", numbers(0, 3))
        tx.append("b", numbers(3, 5))
        assert first.version is None and first.commit is None
    assert not tx.active
    assert list(tx.result) == ["a", "b"]
    assert tx.result["a"].version == 1 and tx.result["a"].commit == tx.result.commit
    assert len(db.log()) == 1
    assert db.log()[0].message == "close of day" and db.log()[0].metadata == {"day": "7"}
    assert [change.table for change in db.log()[0].tables] == ["a", "b"]


def test_reads_see_the_snapshot_and_own_writes(db):
    db.write("old", numbers(0, 3))
    with db.transaction() as tx:
        db.write("old", numbers(0, 100))
        db.write("later", numbers(0, 1))
        assert tx.count("old") == 3 and not tx.exists("later")
        tx.append("old", numbers(3, 4))
        tx.write("new", numbers(0, 7))
        assert tx.read("old").to_arrow().equals(numbers(0, 4))
        assert tx.tables() == ["new", "old"]
        assert tx.schema("new").names == ["n", "text"]
        assert tx.read("new", where="n > 4").num_rows == 2
        assert tx.read("old", version=1).num_rows == 3
        assert not db.exists("new")
        tx.abort()


def test_a_scan_of_own_writes_can_be_taken_again_and_does_not_move(db):
    with db.transaction() as tx:
        tx.write("a", numbers(0, 3))
        scan = tx.read("a")
        assert scan.num_rows == 3
        tx.append("a", numbers(3, 6))
        assert scan.to_arrow().equals(numbers(0, 3))
        assert tx.read("a").num_rows == 6
    assert scan.to_arrow().equals(numbers(0, 3))


def test_several_operations_on_one_table_are_one_version(db):
    db.write("a", numbers(0, 3))
    with db.transaction() as tx:
        tx.append("a", numbers(3, 4))
        tx.append("a", numbers(4, 6))
    assert [version.version for version in db.versions("a")] == [1, 2]
    assert db.read("a").to_arrow().equals(numbers(0, 6))


def test_an_exception_aborts(db):
    with pytest.raises(RuntimeError, match="no"):
        with db.transaction() as tx:
            tx.write("a", numbers(0, 3))
            raise RuntimeError("no")
    assert db.tables() == [] and db.log() == []
    assert not tx.active


def test_after_the_end_everything_but_abort_raises(db):
    with db.transaction() as tx:
        tx.write("a", numbers(0, 3))
    for use in (lambda: tx.write("a", numbers(0, 1)), lambda: tx.read("a"), tx.commit,
                lambda: tx.drop("a"), tx.tables, tx.log):
        with pytest.raises(am.Error, match="^transaction already committed$"):
            use()
    tx.abort()
    assert tx.result.changed
    other = db.transaction()
    other.abort()
    other.abort()
    for use in (lambda: other.append("a", numbers(0, 1)), lambda: other.count("a"),
                other.commit):
        with pytest.raises(am.Error, match="^transaction was aborted$"):
            use()


def test_commit_by_hand_inside_the_block_is_enough(db):
    with db.transaction() as tx:
        tx.write("a", numbers(0, 3))
        result = tx.commit()
        assert result is tx.result
    assert len(db.log()) == 1


def test_one_that_wrote_nothing_never_fails(db):
    db.write("a", numbers(0, 3))
    with db.transaction() as tx:
        tx.read("a").to_arrow()
        db.write("a", numbers(0, 9))
    assert len(db.log()) == 2
    assert not tx.result.changed


def test_a_failed_operation_leaves_the_transaction_usable(db):
    with db.transaction() as tx:
        tx.write("a", numbers(0, 3))
        with pytest.raises(am.InvalidArgumentError):
            tx.write("a/b", numbers(0, 3))
        with pytest.raises(am.NotFoundError):
            tx.drop("nothing")
        with pytest.raises(TypeError):
            tx.write("a", 7)
        tx.append("a", numbers(3, 5))
    assert db.count("a") == 5


def test_dropping_and_writing_again_in_one_transaction(db):
    db.write("a", numbers(0, 3))
    with db.transaction() as tx:
        tx.drop("a")
        assert not tx.exists("a") and tx.tables() == []
        tx.write("a", numbers(0, 2))
    assert db.count("a") == 2


# ---- losing a race ----


def test_other_tables_never_conflict(db):
    with db.transaction() as tx:
        tx.write("a", numbers(0, 3))
        db.write("b", numbers(0, 3))
    assert db.tables() == ["a", "b"] and len(db.log()) == 2


def test_an_overwrite_conflicts_with_what_moved_meanwhile(db):
    db.write("a", numbers(0, 1))
    tx = db.transaction()
    tx.write("a", numbers(0, 2))
    theirs = db.write("a", numbers(0, 3)).commit
    with pytest.raises(am.ConflictError) as caught:
        tx.commit()
    assert caught.value.branch == "main"
    assert caught.value.tables == ["a"]
    assert caught.value.commit == theirs
    assert not tx.active and db.count("a") == 3
    with pytest.raises(am.Error, match="^transaction was aborted$"):
        tx.read("a")


def test_single_overwrites_are_blind_and_history_keeps_the_loser(db):
    db.write("a", numbers(0, 1))
    db.write("a", numbers(0, 2))
    db.write("a", numbers(0, 3))
    assert [version.rows for version in db.versions("a")] == [1, 2, 3]


def test_two_appends_never_conflict(db):
    db.write("a", numbers(0, 1))
    with db.transaction() as tx:
        tx.append("a", numbers(1, 2))
        db.append("a", numbers(2, 3))
    assert sorted(db.read("a").to_arrow()["n"].to_pylist()) == [0, 1, 2]
    assert len(db.versions("a")) == 3


def test_run_repeats_what_lost_a_true_conflict(db):
    db.write("a", numbers(0, 1))
    calls = []

    def work(tx):
        rows = tx.count("a")
        calls.append(rows)
        if len(calls) < 3:
            db.append("a", numbers(100, 101))
        tx.write("a", numbers(0, rows + 10))
        return rows

    assert db.run(work) == 3
    assert calls == [1, 2, 3] and db.count("a") == 13


def test_run_gives_up_after_its_retries_and_lets_other_errors_through(db):
    db.write("a", numbers(0, 1))

    def lose(tx):
        tx.write("a", numbers(0, 5))
        db.append("a", numbers(0, 1))

    with pytest.raises(am.ConflictError):
        db.run(lose, retries=2)
    assert db.count("a") == 4

    def fail(tx):
        tx.write("b", numbers(0, 1))
        raise KeyError("x")

    with pytest.raises(KeyError):
        db.run(fail)
    assert not db.exists("b")


def test_a_transaction_is_for_one_call_at_a_time(db):
    import pyarrow as pa

    tx = db.transaction()
    seen = []

    def batches():
        try:
            tx.count("a")
        except am.Error as error:
            seen.append(str(error))
        yield numbers(0, 1).to_batches()[0]

    reader = pa.RecordBatchReader.from_batches(numbers(0, 1).schema, batches())
    tx.write("a", reader)
    assert seen == ["the transaction is in use by another call"]
    tx.commit()
    assert db.count("a") == 1


def test_a_transaction_on_a_view_commits_to_its_branch(db):
    db.write("a", numbers(0, 1))
    dev = db.branch("dev")
    with dev.transaction() as tx:
        assert tx.branch == "dev"
        tx.append("a", numbers(1, 2))
    assert (db.count("a"), dev.count("a")) == (1, 2)
