"""Help, the version, the man page: written from one table, and held to it."""

import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMANDS = ["init", "import", "export", "ls", "schema", "head", "log", "show", "diff", "branch", "tag", "merge", "drop",
            "verify", "stats", "help"]


def test_help_lists_every_command_and_no_other(armi):
    text = armi.ok("help")
    assert armi.ok("--help") == text and armi.ok("-h") == text
    assert re.findall(r"^  ([a-z]+) +[a-z]", text, re.M) == COMMANDS
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(armi, command):
    text = armi.ok("help", command)
    assert armi.ok(command, "--help") == text
    assert text.startswith(f"armi {command}: ") and f"usage: armi {command}" in text and "examples\n" in text


def test_the_version_is_that_of_the_project(armi):
    declared = re.search(r"^  version: '([^']+)'", (ROOT / "meson.build").read_text(), re.M).group(1)
    assert armi.ok("--version") == f"armi {declared}\n"


def test_the_man_page_is_what_the_program_says(armi):
    page = ROOT / "docs" / "man" / "armi.1"
    assert page.read_text() == armi.ok("help", "--man"), "refresh it: armi help --man > docs/man/armi.1"


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff")
def test_the_man_page_is_formatted_without_a_warning():
    page = ROOT / "docs" / "man" / "armi.1"
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", page], capture_output=True, check=True)
    assert done.stderr == b""
    assert "armi import" in done.stdout.decode()


@pytest.mark.parametrize(("words", "answer"), [
    (["armi", "im"], "import"),
    (["armi", "-C", "x", "--json", "sch"], "schema"),
    (["armi", "import", "--app"], "--append"),
    (["armi", "diff", "--exit"], "--exit-code"),
    (["armi", "help", "verif"], "verify"),
])
def test_bash_completes_commands_and_options(armi, words, answer):
    script = armi.ok("help", "--bash")
    ask = f'{script}\nCOMP_WORDS=({" ".join(words)}) COMP_CWORD={len(words) - 1}\n_armi\necho "${{COMPREPLY[*]}}"'
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout == answer + "\n"
