"""Shell completion and manual pages are those of the parsers; shells and groff read them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.parser_tree import verbs
from tests.docs import manual_pages, shell_completion, shell_files

ROOT = Path(__file__).parents[2]
BASH, ZSH, FISH = (ROOT / shell_completion.FILES[shell] for shell in ("bash", "zsh", "fish"))
PAGES = ROOT / manual_pages.FOLDER


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason="apt-get install fish zsh groff-base")


def test_what_is_shipped_is_what_the_parsers_say() -> None:
    assert shell_files.stale() == [], "script/shell-files --write"


def test_each_verb_has_a_page() -> None:
    names = {name.replace(" ", "-") for name, *_ in verbs() if name.count(" ") == 1}
    assert {path.stem for path in PAGES.glob("*.1")} == {"secc", *names}
    for name, _, _ in verbs():
        page = (PAGES / f"secc-{name.split()[1]}.1").read_text("utf-8")
        assert name.replace("-", r"\-") in page, name


@needs("groff")
def test_groff_reads_every_page_without_a_warning() -> None:
    pages = sorted(PAGES.glob("*.1"))
    done = subprocess.run(
        ["groff", "-ww", "-man", "-Tutf8", *pages], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\" not in done.stdout.replace("\\;", ""), "an escape that groff did not read"


LINES = {
    "secc sel": "selftest",
    "secc auth ": "add",
    "secc trace sh": "show",
    "secc mcu params cr": "create",
    "secc auth list --js": "--json",
    "secc modules EvseSl": "EvseSlac",
    "secc demo --protocol iso20-dc-": "iso20-dc-bpt",
    "secc plc info -i l": "lo",
    "secc check bsp-only-dc-": "bsp-only-dc-infypower",
    "secc hil run iso2-": "iso2-contactor-stuck",
    "secc trace show --kind ev": "event",
}
"""A line, and what must be among its completions."""


def test_bash_completes() -> None:
    script = f"""
        . {BASH}
        complete() {{ while IFS= read -r line; do
            read -ra COMP_WORDS <<<"$line"; [[ $line = *" " ]] && COMP_WORDS+=("")
            COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMPREPLY=(); _shtab_secc
            echo "${{COMPREPLY[*]}}"
        done; }}
        complete"""
    done = subprocess.run(
        ["bash", "-c", script], input="\n".join(LINES) + "\n", capture_output=True, text=True, cwd=ROOT, check=True
    )
    for (line, wanted), found in zip(LINES.items(), done.stdout.splitlines(), strict=True):
        assert wanted in found.split(), (line, found)
    assert done.stderr == ""


@needs("fish")
def test_fish_completes(tmp_path: Path) -> None:
    script = f'source {FISH}; while read -l line; echo "== $line"; complete -C $line; end'
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        input="\n".join(LINES) + "\n",
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    answers = [answer.split("\n")[1:] for answer in done.stdout.split("== ")[1:]]
    for (line, wanted), found in zip(LINES.items(), answers, strict=True):
        assert wanted in [one.partition("\t")[0] for one in found], (line, found)


@needs("zsh")
def test_zsh_reads_its_file() -> None:
    done = subprocess.run(["zsh", "-f", "-n", ZSH], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert ZSH.read_text("utf-8").startswith("#compdef secc")
