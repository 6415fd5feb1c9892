"""The site's navigation and its reference of the Python API are complete."""

from __future__ import annotations

import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
# What a page documents as a whole module.
WHOLE = {"gateway_entities.testing", "gateway_entities.wire"}


def pages_of(navigation: Any) -> Iterator[str]:
    if isinstance(navigation, str):
        yield navigation
    else:
        for part in navigation.values() if isinstance(navigation, dict) else navigation:
            yield from pages_of(part)


def test_the_navigation_has_every_page() -> None:
    settings = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    listed = list(pages_of(settings["project"]["nav"]))
    assert sorted(listed) == sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_the_overview_links_every_guide(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert {path.name for path in (DOCS / "guides").glob("*.md")} <= set(re.findall(r"guides/([\w-]+\.md)", text))


@pytest.mark.parametrize("module", ["gateway_entities", "gateway_entities.client", "gateway_entities.mirror"])
def test_the_reference_has_every_public_name(module: str) -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in (DOCS / "reference" / "python").glob("*.md"))
    documented = set(re.findall(r"^::: ([\w.]+)$", pages, re.MULTILINE))
    assert documented >= WHOLE
    # The two are alike: one is generated from the other.
    names = set(importlib.import_module(module).__all__) - {"AsyncGatewayClient"}
    assert names - {each.rpartition(".")[2] for each in documented - WHOLE} == set()
