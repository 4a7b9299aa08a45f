"""The change feed: complete, in order, resumable, and awake within a moment."""

from __future__ import annotations

import threading

import pytest

import armillaria as am

from .conftest import numbers


def test_changes_come_in_order_with_their_rows(db):
    db.write("b", numbers(0, 2), message="one")
    with db.transaction(message="two") as tx:
        tx.append("b", numbers(2, 3))
        tx.write("a", numbers(0, 1))
    db.drop("a")
    changes = list(db.changes())
    assert [(c.table, c.op, c.old_version, c.new_version, c.message) for c in changes] == [
        ("b", "create", None, 1, "one"), ("a", "create", None, 1, "two"),
        ("b", "append", 1, 2, "two"), ("a", "drop", 1, None, "")]
    rows = [change.rows().to_arrow()["_change_type"].to_pylist() for change in changes]
    assert rows == [["insert"] * 2, ["insert"], ["insert"], ["delete"]]
    assert changes[1].commit == changes[2].commit
    assert all(change.author and change.time.tzinfo for change in changes)
    assert "append b" in str(changes[2])


def test_a_feed_resumes_after_a_commit(db):
    commits = [db.append("n", numbers(i, i + 1)).commit for i in range(4)]
    feed = db.changes(since=commits[1])
    assert [change.commit for change in feed] == commits[2:]
    assert feed.since == commits[3]
    more = db.append("n", numbers(9, 10)).commit
    assert [change.commit for change in db.changes(since=feed.since)] == [more]
    assert list(db.changes(since=more)) == []
    assert [change.commit for change in feed] == [more]


def test_a_feed_of_some_tables(db):
    db.write("a", numbers(0, 1))
    db.write("b", numbers(0, 1))
    assert [change.table for change in db.changes(tables=["b"])] == ["b"]
    assert [change.table for change in db.changes(tables="a")] == ["a"]


def test_a_feed_of_a_branch_is_its_own(db):
    db.write("a", numbers(0, 1))
    dev = db.branch("dev")
    on_dev = dev.write("b", numbers(0, 1)).commit
    assert [change.table for change in dev.changes()] == ["a", "b"]
    assert [change.table for change in db.changes()] == ["a"]
    with pytest.raises(am.InvalidArgumentError, match="restart from"):
        db.changes(since=on_dev)
    with pytest.raises(am.NotFoundError):
        db.changes(since="0" * 64)


def test_what_changed_nothing_is_not_in_the_feed(db):
    db.write("a", numbers(0, 1))
    db.write("a", numbers(0, 1))
    db.append("a", numbers(0, 0))
    assert len(list(db.changes())) == 1


def test_a_subscription_waits_for_more_and_stops_from_any_thread(db, tmp_path):
    db.write("a", numbers(0, 1))
    subscription = db.subscribe(since="now")
    seen = []

    def consume():
        for change in subscription:
            seen.append(change.new_version)
            if len(seen) == 3:
                subscription.stop()

    thread = threading.Thread(target=consume)
    thread.start()
    other = am.open(tmp_path / "repo")
    for step in range(3):
        other.append("a", numbers(step, step + 1))
    thread.join(30)
    assert not thread.is_alive()
    assert seen == [2, 3, 4]
    assert list(db.changes(since=subscription.since)) == []
    with pytest.raises(StopIteration):
        next(subscription)


def test_a_subscription_starts_where_it_is_told(db):
    first = db.append("a", numbers(0, 1)).commit
    second = db.append("a", numbers(1, 2)).commit
    with db.subscribe(timeout=0) as everything:
        assert [change.commit for change in everything] == [first, second]
    with db.subscribe(since=first, timeout=0.01) as rest:
        assert [change.commit for change in rest] == [second]
        assert rest.since == second
    with db.subscribe(since="now", timeout=0) as nothing:
        assert list(nothing) == []


def test_stopping_wakes_a_waiting_thread(db):
    subscription = db.subscribe(since="now")
    waiting = threading.Event()
    done = []

    def consume():
        waiting.set()
        done.append(list(subscription))

    thread = threading.Thread(target=consume)
    thread.start()
    waiting.wait()
    subscription.stop()
    thread.join(30)
    assert done == [[]]
