"""Types every console block of README.md and docs/ in a fresh clone, each page with a fresh home: `script/docs check`.

A page is one shell: what a block exports, or the folder it goes to, holds for the next. A command fails when it ends
with another status than 0 (unless the page shows what it prints then), prints something else than the page shows or a
traceback, or leaves a process behind.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.docs.site import pages
from tests.docs.site.console import Console, Step, consoles
from tests.docs.site.output import difference
from tests.docs.site.pages import ROOT

LIMIT_S, SLOW_LIMIT_S = 900, 3600
START_LIMIT_S, STOP_LIMIT_S = 120, 20
ENVIRONMENT = ". script/lib.sh && need_venv demo"
"""What README.md has made when the other pages begin."""
ACTIVATE = ". script/activate"
DROPPED = ("COLUMNS", "LINES", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "SOURCE_DATE_EPOCH")


class Stuck(Exception):
    """A command that does not end."""


def processes(home: Path) -> Iterator[int]:
    """Return the processes that have this home directory."""
    mark = f"\0HOME={home}\0".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found = (
                mark in b"\0" + (folder / "environ").read_bytes() and (folder / "stat").read_text().split()[2] != "Z"
            )
        except (OSError, IndexError):
            continue  # it has ended, or is the kernel's
        if found:
            yield int(folder.name)


class Shell:
    """A shell in the clone, into which a page is typed."""

    def __init__(self, clone: Path, home: Path) -> None:
        self.home, self.log = home, home.parent / f"{home.name}.log"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SECC_", "XDG_"))}
        for name in DROPPED:
            kept.pop(name, None)
        home.mkdir()
        environment = {**kept, "HOME": str(home), "TERM": "dumb", "LC_ALL": "C.UTF-8", "PWD": str(clone)}
        self.out = self.log.open("wb")
        self.bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=clone,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=self.out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.runs: list[Path] = []

    def type(self, command: str, limit_s: float) -> tuple[str, int]:
        """Type a command; return what it prints and its exit status. Raises `Stuck`."""
        begin, status = self.log.stat().st_size, self.home.parent / "status"
        status.unlink(missing_ok=True)
        self._write(f"{{ {command}\n}} </dev/null\necho $? >{status}.new; mv {status}.new {status}\n")
        self._wait(lambda: status.exists(), limit_s, command)
        return self.log.read_bytes()[begin:].decode("utf-8", "replace"), int(status.read_text())

    def start(self, command: str, until: str) -> str:
        """Start a command that runs on; return what it prints until a text comes. Raises `Stuck`."""
        log = self.home.parent / f"{self.home.name}-{len(self.runs)}.log"
        self.runs.append(log)
        self._write(f"{{ {command}\n}} </dev/null >{log} 2>&1 &\n")
        self._wait(lambda: log.exists() and until in log.read_text("utf-8", "replace"), START_LIMIT_S, command)
        return log.read_text("utf-8", "replace")

    def _write(self, text: str) -> None:
        assert self.bash.stdin is not None
        self.bash.stdin.write(text.encode())
        self.bash.stdin.flush()

    def _wait(self, done: object, limit_s: float, command: str) -> None:
        assert callable(done)
        end = time.monotonic() + limit_s
        while not done():
            if time.monotonic() > end or self.bash.poll() is not None:
                raise Stuck(f"{command.splitlines()[0]}: not done after {limit_s} s, see {self.log}")
            time.sleep(0.05)

    def close(self) -> list[str]:
        """End the shell and what runs on; return the processes that nobody ended."""
        assert self.bash.stdin is not None
        self.bash.stdin.close()
        with_runs = bool(self.runs)
        if self.bash.poll() is None and not with_runs:
            time.sleep(0.5)
        left: list[str] = []
        if not with_runs:
            left = [_name(one) for one in processes(self.home) if one != self.bash.pid]
        self._signal(signal.SIGTERM)
        end = time.monotonic() + STOP_LIMIT_S
        while list(processes(self.home)) and time.monotonic() < end:
            time.sleep(0.1)
        left += [f"{_name(one)} does not end" for one in processes(self.home)]
        self._signal(signal.SIGKILL)
        self.bash.wait()
        self.out.close()
        return left

    def _signal(self, number: int) -> None:
        for one in processes(self.home):
            try:
                os.kill(one, number)
            except ProcessLookupError:
                continue


def _name(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return str(process)


class Check:
    """The clone, and what was found in the pages so far."""

    def __init__(self, work: Path, slow: bool) -> None:
        self.work, self.slow = work, slow
        self.clone = work / "chargebyte_fw"
        self.counts: Counter[str] = Counter()
        self.marks: list[str] = []
        self.findings: list[str] = []

    def prepare(self) -> None:
        """Clone the checkout, with what is not committed yet."""
        subprocess.run(["git", "clone", "-q", str(ROOT), str(self.clone)], check=True)
        changes = subprocess.run(["git", "diff", "--binary", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
        if changes:
            subprocess.run(["git", "apply", "--whitespace=nowarn"], input=changes, cwd=self.clone, check=True)
        listed = ["git", "ls-files", "-z", "--others", "--exclude-standard"]
        for name in subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0"):
            if name:
                target = self.clone / os.fsdecode(name)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / os.fsdecode(name), target)
        git = ["git", "-c", "user.name=docs", "-c", "user.email=docs@localhost"]
        subprocess.run([*git, "add", "-A"], cwd=self.clone, check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "as checked"], cwd=self.clone, check=True)

    def page(self, name: str) -> None:
        """Type the blocks of a page."""
        blocks = list(consoles((self.clone / name).read_text("utf-8")))
        typed = [one for one in blocks if one.kind in ("", "runs") or (one.kind == "slow" and self.slow)]
        for one in blocks:
            self.counts[one.kind or "typed"] += 1
            if one not in typed:
                self.marks.append(f"{name}:{one.line}: not typed ({one.kind}): {one.reason}")
        if not typed:
            return
        number = self.counts["pages"]
        self.counts["pages"] += 1
        subprocess.run(["git", "reset", "-q", "--hard"], cwd=self.clone, check=True)
        kept = ["-e", ".venv", "-e", "*.egg-info"] if name != "README.md" else []
        subprocess.run(["git", "clean", "-fdxq", *kept], cwd=self.clone, check=True)
        if name != "README.md":
            subprocess.run(["bash", "-c", ENVIRONMENT], cwd=self.clone, check=True)
        shell = Shell(self.clone, self.work / f"home-{number}")
        try:
            if name != "README.md":
                shell.type(ACTIVATE, LIMIT_S)
            for one in typed:
                self._block(name, one, shell)
        except Stuck as error:
            self.findings.append(f"{name}: {error}")
        finally:
            self.findings += [f"{name}: a process is left: {one}" for one in shell.close()]

    def _block(self, name: str, block: Console, shell: Shell) -> None:
        for step in block.steps:
            begin = time.monotonic()
            self.counts["commands"] += 1
            if block.kind == "runs" and step is block.steps[-1]:
                printed, status = shell.start(step.command, block.reason), 0
                shown = [*step.shown, "..."] if step.shown else []
            else:
                printed, status = shell.type(step.command, SLOW_LIMIT_S if block.kind == "slow" else LIMIT_S)
                shown = step.shown
            problem = self._problem(shown, printed, status, shell)
            duration = f"{time.monotonic() - begin:.1f} s"
            print(f"{name}:{step.line}: {_first(step)}  [{problem or 'ok'}, {duration}]", flush=True)
            if problem:
                self.findings.append(f"{name}:{step.line}: {_first(step)}: {problem}\n" + _indented(printed))

    def _problem(self, shown: list[str], printed: str, status: int, shell: Shell) -> str:
        if "Traceback (most recent call last)" in printed:
            return "a traceback"
        if not any(line.strip() for line in shown):
            return f"exit status {status}" if status else ""
        return difference(shown, printed, {str(shell.home): "~", str(self.clone): "chargebyte_fw"})


def _first(step: Step) -> str:
    return step.command.partition("\n")[0]


def _indented(text: str, lines: int = 25) -> str:
    return "".join(f"    {line}\n" for line in text.strip().split("\n")[-lines:])


def main() -> int:
    """Check the pages that are named, or all; exit status 1 when something was found."""
    parser = argparse.ArgumentParser(prog="script/docs check", description=__doc__.partition("\n")[0])
    parser.add_argument("--slow", action="store_true", help="also type the blocks that take minutes")
    parser.add_argument("--keep", action="store_true", help="keep the clone and the logs")
    parser.add_argument("pages", metavar="PAGE", nargs="*", help="README.md or docs/NAME.md; default: every page")
    parsed = parser.parse_args()
    names = parsed.pages or [
        "README.md",
        *(f"docs/{name}" for name in pages.in_nav() if (ROOT / "docs" / name).exists()),
    ]
    for name in names:
        if not (ROOT / name).is_file():
            parser.error(f"there is no page {name}: name it from the top of the repository, as docs/tls.md")
    work = Path(tempfile.mkdtemp(prefix="secc-docs-"))
    check = Check(work, parsed.slow)
    try:
        check.prepare()
        for name in names:
            check.page(name)
    finally:
        if not parsed.keep:
            shutil.rmtree(work, ignore_errors=True)
    counts = check.counts
    print("", *check.marks, sep="\n")
    print("", *check.findings, sep="\n")
    typed = counts["typed"] + counts["runs"] + (counts["slow"] if parsed.slow else 0)
    marked = {kind: counts[kind] for kind in ("board", "elsewhere", "slow", "output") if counts[kind]}
    print(f"{counts['commands']} commands in {typed} blocks typed, {len(check.findings)} findings; marked: {marked}")
    return 1 if check.findings else 0


if __name__ == "__main__":
    sys.exit(main())
