"""What mkdocs calls while it builds the site (`hooks` of mkdocs.yml): pages, links, drawings, the search."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from tests.docs.interfaces.documents import documents, text_of
from tests.docs.site import drawing, pages

MERMAID = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"^ *<!-- console: .*? -->\n", re.MULTILINE)
"""Notes for the check of the console blocks: no part of the site."""

LABEL = re.compile(r"\[[\w/-]+\.md\](?=\((?P<target>[\w./-]+\.md)[)#])")
"""A link that is written as the name of its page: the site has the title."""
FOREIGN_SHIM = 'src="https://unpkg.com/iframe-worker/shim"'
SHIM = "assets/search-of-files.js"
ELSEWHERE = re.compile(r"""<(?:script|img|iframe|link rel="stylesheet")[^>]*? (?:src|href)="(https?:[^"]*)\"""")


def on_config(config: Any) -> Any:
    """Have anchors as in the repository: a link is right in both."""
    config.mdx_configs.setdefault("toc", {})["slugify"] = pages.slug
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that the repository has at its top."""
    for source, name in pages.OUTSIDE.items():
        files.append(File.generated(config, name, content=(pages.ROOT / source).read_text("utf-8")))
    for name, document in documents().items():
        files.append(File.generated(config, f"interfaces/{name}", content=text_of(document)))
    files.append(File.generated(config, SHIM, abs_src_path=str(Path(__file__).with_name("search-of-files.js"))))
    return files


def on_page_markdown(markdown: str, page: Page, config: Any, files: Files) -> str:
    """Adapt the links of a page, and put drawings in the place of its diagrams."""
    place = page.file.src_uri
    outside = {name: source for source, name in pages.OUTSIDE.items()}.get(place)
    folder = "" if outside else posixpath.dirname("docs/" + place)

    def link(found: re.Match[str]) -> str:
        path, hash_, anchor = found["target"].partition("#")
        if not path or "://" in path or path.startswith("mailto:"):
            return found[0]
        goal = posixpath.normpath(posixpath.join(folder, path))
        return f"]({_on_site(goal, place)}{hash_}{anchor})"

    def label(found: re.Match[str]) -> str:
        goal = pages.ROOT / posixpath.normpath(posixpath.join(folder, found["target"]))
        return f"[{pages.title(goal.read_text('utf-8'))}]" if goal.is_file() else found[0]

    def draw(found: re.Match[str]) -> str:
        numbers.append(len(numbers) + 1)
        name = f"{posixpath.splitext(posixpath.basename(place))[0]}-{numbers[-1]}.svg"
        try:
            picture = drawing.svg(found[1])
        except drawing.NotDrawn as error:
            raise PluginError(f"{place}: {error}") from error
        files.append(
            File.generated(config, posixpath.join(posixpath.dirname(place), "drawings", name), content=picture)
        )
        return f"[![State diagram](drawings/{name})](drawings/{name})"

    numbers: list[int] = []
    text = _outside_code(MERMAID.sub(draw, MARK.sub("", markdown)), LABEL, label)
    return _outside_code(text, pages.LINK, link)


def on_post_page(output: str, page: Page, config: Any) -> str:
    """Have the search of pages that are opened as files run by the site's own script."""
    return _own(output, page.file.src_uri)


def on_post_template(output: str, template_name: str, config: Any) -> str:
    """Do the same for the page of a wrong address."""
    return _own(output, template_name)


def _own(output: str, place: str) -> str:
    shim = posixpath.relpath(SHIM, posixpath.dirname(place) or ".")
    output = output.replace(FOREIGN_SHIM, f'src="{shim}"')
    if found := ELSEWHERE.search(output):
        raise PluginError(f"{place}: the page would load {found[1]} from another host")
    return output


def _on_site(path: str, place: str) -> str:
    """Return the target of a link to a file of the repository, from a page of the site."""
    target = {"README.md": "index.md", **pages.OUTSIDE}.get(path)
    if target is None:
        if not path.startswith("docs/"):
            raise PluginError(f"{place}: the site does not have {path}: name it in code, without a link")
        target = path.removeprefix("docs/")
    return posixpath.relpath(target, posixpath.dirname(place) or ".")


def _outside_code(markdown: str, what: re.Pattern[str], replace: Callable[[re.Match[str]], str]) -> str:
    """Replace what is not within code."""
    plain = pages.prose(markdown)
    done: list[str] = []
    end = 0
    for found in what.finditer(plain):
        done += [markdown[end : found.start()], replace(found)]
        end = found.end()
    return "".join([*done, markdown[end:]])
