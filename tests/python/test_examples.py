"""The examples do what they say, and the installed C library is found by pkg-config alone."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
BUILD = pathlib.Path(os.environ.get("ARMI_BUILD", ROOT / "build" / "test"))


def run(*command: object, env: dict[str, str] | None = None) -> str:
    done = subprocess.run([str(c) for c in command], env=os.environ | (env or {}), capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def example(name: str, folder: pathlib.Path) -> list[str]:
    return run(sys.executable, EXAMPLES / name, folder).splitlines()


def test_quickstart_reads_what_was_and_what_is(tmp_path):
    lines = example("quickstart.py", tmp_path / "db")
    assert lines[2].startswith("False")
    assert lines[-3:] == ["before: [{'item': 'pear', 'price': 45}]", "now:    [{'item': 'pear', 'price': 50}]",
                          "intact: True"]


def test_branches_merge_and_leave_the_tag_where_it_was(tmp_path):
    lines = example("branches.py", tmp_path / "db")
    assert lines[:2] == ["main:  [12, 7, 3]", "trial: [12, 7, 30]"]
    assert lines[-3:] == ["fast-forward", "main:  [12, 7, 30]", "tag:   [12, 7, 3]"]


def test_feed_tells_each_change_once(tmp_path):
    lines = example("feed.py", tmp_path / "db")
    heads = [line for line in lines if not line.startswith(" ")]
    assert heads == ["events None -> 1: first", "events 1 -> 2: one more", "notes None -> 1: a note", "nothing new"]
    assert "{'_change_type': 'insert', 'id': 3, 'what': 'start'}" in lines[4]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The library as `meson install` lays it out, and what pkg-config needs to find it there."""
    if not (BUILD / "build.ninja").exists():
        pytest.skip(f"no C build at {BUILD}: ARMI_BUILD names another")
    if shutil.which("pkg-config") is None or shutil.which("cc") is None:
        pytest.skip("no pkg-config or no cc")
    meson = shutil.which("meson") or pathlib.Path(sys.executable).with_name("meson")
    root = tmp_path_factory.mktemp("installed")
    run(meson, "install", "-C", BUILD, "--no-rebuild", "--destdir", root)
    return root, {"PKG_CONFIG_PATH": str(next(root.rglob("armillaria.pc")).parent), "PKG_CONFIG_SYSROOT_DIR": str(root)}


def pkg_config(env: dict[str, str], *what: str) -> list[str]:
    return run("pkg-config", *what, "armillaria", env=env).split()


def test_hello_builds_against_the_shared_library(installed, tmp_path):
    root, env = installed
    library = next(root.rglob("libarmillaria.so"))
    program = tmp_path / "hello"
    run("cc", "-Wall", "-Wextra", "-Werror", "-std=c11", "-o", program, EXAMPLES / "hello.c",
        *pkg_config(env, "--cflags", "--libs"))
    lines = run(program, tmp_path / "db", env={"LD_LIBRARY_PATH": str(library.parent)}).splitlines()
    assert lines[0].startswith("commit ")
    assert lines[1:] == ["1  Haarlem", "3  Delft"]
    assert "libarmillaria.so.0" in run("ldd", program, env={"LD_LIBRARY_PATH": str(library.parent)})


def test_hello_builds_against_the_static_library(installed, tmp_path):
    root, env = installed
    for shared in root.rglob("libarmillaria.so*"):
        shared.rename(tmp_path / shared.name)
    try:
        program = tmp_path / "hello"
        run("cc", "-o", program, EXAMPLES / "hello.c", *pkg_config(env, "--cflags", "--libs", "--static"))
        assert run(program, tmp_path / "db").splitlines()[1:] == ["1  Haarlem", "3  Delft"]
    finally:
        for shared in tmp_path.glob("libarmillaria.so*"):
            shared.rename(next(root.rglob("libarmillaria.a")).parent / shared.name)


def test_the_version_is_one_number_everywhere(installed):
    import armillaria

    _, env = installed
    assert pkg_config(env, "--modversion") == [armillaria.__version__]
