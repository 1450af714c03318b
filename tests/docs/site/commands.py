"""Checks the commands of the pages against what there is: verbs, options, scripts, modules and files, without a run."""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib.util
import io
import re
import shlex
from collections.abc import Iterator

from chargebyte_fw.cli.main import command_names, parser_for
from tests.docs.site.pages import ROOT

ALTERNATIVES = re.compile(r"\\\||\|(?=\w)")
PLACEHOLDER = re.compile(r"[A-Z][A-Z0-9_.:|\[\]-]*|\.\.\.|…|\[.*|.*\]")
TOP = sorted(
    path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".") and path.name != "build"
)
IN_TREE = re.compile(rf"(?<![\w/.~$-])(?:{'|'.join(map(re.escape, TOP))})/[\w./*{{}},-]*")
MADE = ("build/", "dist/", "etc/everest/user-config")
RUNNERS = {"sudo", "exec", "env", "nohup", "time"}
NOT_THERE = re.compile(r"argument .*: there is no|cannot be written|[Nn]o such (file|folder)")
"""Of a file or folder that a former command of the page makes: `script/docs check` finds one that is missing."""
OPERATORS = {"|", "||", "&&", ";", "&", "(", ")"}


@functools.cache
def secc() -> argparse.ArgumentParser:
    """Return the whole parser of `secc`."""
    return parser_for(command_names())


def simple(command: str) -> Iterator[list[str]]:
    """Return the words of each simple command in a line of the shell, without assignments and redirections."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    skip = False
    for token in [*lexer, ";"]:
        if skip:
            skip = False
        elif token in OPERATORS:
            while words and (words[0] in RUNNERS or re.fullmatch(r"\w+=.*", words[0], re.DOTALL)):
                words.pop(0)
            if words:
                yield words
            words = []
        elif set(token) <= set("<>&"):
            skip = True
            if words and words[-1].isdecimal():
                words.pop()
        else:
            words.append(token)


def unknown(words: list[str], parsed: bool) -> str:
    """Return what there is not in a command, or an empty text; a `parsed` one is whole: `secc` parses it."""
    match words:
        case ["secc" | ".venv/bin/secc", *rest]:
            return _tree(secc(), "secc", rest) or (_parse(rest) if parsed else "")
        case [script, *rest] if script.startswith("script/"):
            path = ROOT / script
            if not path.is_file():
                return f"there is no {script}"
            text = path.read_text("utf-8")
            if script == "script/demo":
                return _tree(secc(), "secc", ["demo", *rest])
            for module in re.findall(r"-m (tests\.[\w.]+|bench[\w.]*)", text):
                text += _source(module)
            return _options(script, rest, text)
        case ["python" | "python3", "-m", module, *rest]:
            if module in ("pip", "pytest"):
                return ""
            if not importlib.util.find_spec(module):
                return f"there is no module {module}"
            return _options(module, rest, _source(module))
    return ""


def absent(text: str) -> list[str]:
    """Return the paths of the repository in a text that do not exist; `*` and `{a,b}` stand for names."""
    found = []
    for path in IN_TREE.findall(text):
        name = re.sub(r"\{[^}]*\}", "*", path.rstrip(".,")).rstrip("/")
        if name.startswith(MADE) or "{" in name:
            continue
        if not (list(ROOT.glob(name)) if "*" in name else (ROOT / name).exists()):
            found.append(name)
    return found


def _source(module: str) -> str:
    path = ROOT / module.replace(".", "/")
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    return "".join(one.read_text("utf-8") for one in files if one.is_file())


def _options(program: str, words: list[str], text: str) -> str:
    for word in words:
        option = word.partition("=")[0].strip("[]")
        if re.fullmatch(r"--[\w-]+", option) and option not in text:
            return f"{program} has no option {option}"
    return ""


def _tree(parser: argparse.ArgumentParser, name: str, words: list[str]) -> str:
    """Follow the verbs and options of a command down the tree of parsers."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.strip("[].") == "" or word == "…":
            return ""
        if word.strip("[").startswith("-") and not re.fullmatch(r"-[\d.]+|-", word):
            option = word.strip("[]").rstrip(".").rstrip("]").partition("=")[0]
            action = parser._option_string_actions.get(option)
            if action is None:
                return f"{name} has no option {option}"
            if action.nargs is None and "=" not in word and not word.endswith("]"):
                rest[:1] = []
            continue
        verbs = next((one for one in parser._actions if isinstance(one, argparse._SubParsersAction)), None)
        if verbs is None or PLACEHOLDER.fullmatch(word):
            continue
        names = [one for one in ALTERNATIVES.split(word) if one]
        for one in names:
            if one not in verbs.choices:
                return f"{name} has no {one}"
        if len(names) > 1:
            return ""
        parser, name = verbs.choices[word], f"{name} {word}"
    return ""


def _parse(words: list[str]) -> str:
    if any("$" in word or "`" in word for word in words) or {"-h", "--help"} & set(words):
        return ""
    error = io.StringIO()
    try:
        with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
            secc().parse_args(words)
    except SystemExit as done:
        problem = error.getvalue().strip().rpartition("\n")[2] if done.code else ""
        return "" if NOT_THERE.search(problem) else problem
    return ""


def in_page(text: str) -> Iterator[str]:
    """Return the commands that a page has in code spans: `secc check FILE`."""
    for found in re.finditer(r"(?<!`)`((?:secc|script/[\w-]+|python -m)(?: [^`]*)?)`(?!`)", text):
        yield " ".join(found[1].split())
