"""Sessions in transcripts/*.txt are played again: each line after "$ " is run by sh, what follows is its output.

Ids, times, durations and sizes are replaced by their kind, so that a transcript says what matters. A line "[1]" after the
output is the exit status where it is not 0. ARMI_UPDATE=1 writes the transcripts anew; read the difference before keeping it.
"""

import os
import pathlib
import re
import subprocess

import pytest

FOLDER = pathlib.Path(__file__).parent / "transcripts"
KINDS = [
    (r"\b[0-9a-f]{64}\b", "<commit>"),
    (r"\b[0-9a-f]{40}0{24}\b", "<root>"),
    (r"\b[0-9a-f]{12}\b", "<id>"),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? UTC", "<time>"),
    (r"\b\d+\.\d+ m?s\b", "<duration>"),
    (r" *\b\d[\d.]* ([KMG]i)?B\b", " <size>"),
    (r" +(SIZE|NEW|REUSED)\b", r" \1"),
]


def normal(text: str) -> str:
    for pattern, kind in KINDS:
        text = re.sub(pattern, kind, text)
    return text


def play(armi, commands: list[str]) -> str:
    played = []
    env = armi.env | {"ARMI_DIR": "repo", "TZ": "Pacific/Auckland", "LC_ALL": "C"}
    for command in commands:
        done = subprocess.run(["sh", "-c", command], cwd=armi.folder, env=env, check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=60)
        played.append(f"$ {command}\n{normal(done.stdout.decode())}")
        if done.returncode != 0:
            played.append(f"[{done.returncode}]\n")
    return "".join(played)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda p: p.stem)
def test_transcript(armi, path):
    wanted = path.read_text()
    played = play(armi, [line[2:] for line in wanted.splitlines() if line.startswith("$ ")])
    if os.environ.get("ARMI_UPDATE"):
        path.write_text(played)
    assert played == wanted
