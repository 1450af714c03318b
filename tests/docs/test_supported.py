"""docs/supported.md has every module that is installed, every protocol of the handshake, and nothing else."""

from __future__ import annotations

import configparser
import re

from chargebyte_fw import VERSION
from chargebyte_fw.modules.v2g import handshake
from tests.docs.site.pages import ROOT

PAGE = (ROOT / "docs/supported.md").read_text("utf-8")


def installed() -> set[str]:
    """The modules of the product."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    return set(re.findall(r"^(\w+) *=", setup["options.entry_points"]["chargebyte_fw.modules"], re.MULTILINE))


def test_every_module_is_on_the_page() -> None:
    named = {name for name in installed() if not name.endswith("_API")}
    assert sorted(name for name in named if f"`{name}`" not in PAGE) == []
    assert f"{len(installed() - named)} modules `<type>_API`" in PAGE


def test_the_page_has_no_module_that_is_not_there() -> None:
    table = PAGE.partition("| subject | modules |")[2]
    assert sorted(set(re.findall(r"`(\w+)`", table)) - installed() - {"evse"}) == []


def test_the_page_has_the_name_spaces_of_the_handshake_and_the_release() -> None:
    names = {one.namespace for one in vars(handshake).values() if isinstance(one, handshake.AppProtocol)}
    assert names
    assert sorted(name for name in names if f"`{name}`" not in PAGE) == []
    assert f"release {VERSION}" in PAGE
