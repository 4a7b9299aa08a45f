"""The program armi as a user runs it: $ARMI, else the one in .venv, else one that was built here."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACES = (ROOT / ".venv/bin/armi", ROOT / "build/src/cli/armi", ROOT / "build/test/src/cli/armi")


def program() -> pathlib.Path | None:
    given = os.environ.get("ARMI")
    if given:
        return pathlib.Path(given).resolve()
    return next((p for p in PLACES if p.exists()), None)


class Armi:
    """Runs commands in one folder, with an environment that nothing of this machine reaches."""

    def __init__(self, path: pathlib.Path, folder: pathlib.Path) -> None:
        self.path = path
        self.folder = folder
        self.repo = folder / "repo"
        self.env = {
            "PATH": f"{path.parent}:/usr/bin:/bin",
            "ARMI_DIR": str(self.repo),
            "ARMI_AUTHOR": "tester",
            "TMPDIR": str(folder),
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def run(self, *words: object, stdin: bytes | None = None, env: dict[str, str] | None = None,
            prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
        return subprocess.run(
            [*prefix, str(self.path), *map(str, words)], cwd=self.folder, env=self.env | (env or {}), check=False,
            input=stdin if stdin is not None else b"", capture_output=True, timeout=60,
        )

    def ok(self, *words: object, **options: object) -> str:
        """Standard output of a run that must succeed in silence."""
        done = self.run(*words, **options)
        assert done.returncode == 0, (words, done.stderr.decode())
        assert done.stderr == b"", words
        return done.stdout.decode()

    def fails(self, code: int, *words: object, **options: object) -> str:
        """The one line that a run with this exit status says on standard error."""
        done = self.run(*words, **options)
        said = done.stderr.decode()
        assert done.returncode == code, (words, done.returncode, said)
        assert said.startswith("armi: ") and said.endswith("\n") and said.count("\n") == 1, said
        return said.removeprefix("armi: ").rstrip("\n")


@pytest.fixture
def armi(tmp_path: pathlib.Path) -> Armi:
    path = program()
    if path is None:
        pytest.fail("no armi: build it, or set ARMI")
    return Armi(path, tmp_path)


@pytest.fixture
def repo(armi: Armi) -> Armi:
    armi.ok("init")
    return armi
