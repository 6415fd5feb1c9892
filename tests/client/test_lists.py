"""Lists tell the revision that they show, and are read page by page, over every transport, sync and async."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway_entities.client import EntityList
from gateway_entities.errors import Code, GatewayError
from tests.client.server_client_pairs import PAIRS, open_client

LISTS = ["secrets", "model_definitions", "endpoints", "bindings", "budget_policies", "changes"]


@pytest.fixture(params=PAIRS)
def client(request: pytest.FixtureRequest, clients: dict[str, Any]) -> Any:
    return clients[request.param]


@pytest.fixture
def named(client: Any, unique: Callable[[str], str]) -> Iterator[list[Any]]:
    """Seven secrets of a provider of their own."""
    provider = unique("pages")
    made = [client.create_secret(unique("s"), {"api_key": "sk-0123456789abcdef"}, provider=provider) for _ in range(7)]
    yield made
    for secret in made:
        client.delete_secret(secret.secret_id)


def test_every_list_tells_its_revision(client: Any, named: list[Any]) -> None:
    last = client.list_changes()[-1].revision
    for name in LISTS:
        found = getattr(client, f"list_{name}")()
        assert isinstance(found, EntityList)
        assert found.revision == last, name
    # What it shows does not change with the configuration alone.
    assert client.list_budget_windows().revision is None


def test_a_list_is_an_ordinary_list_beside_its_revision(client: Any, named: list[Any]) -> None:
    found = client.list_secrets(provider=named[0].provider)
    assert found == named
    assert (found[-1], len(found), found[2:4]) == (named[-1], 7, named[2:4])
    assert [*found, *found] == named * 2


def test_an_iterator_reads_page_by_page(client: Any, named: list[Any]) -> None:
    pager = client.iter_secrets(provider=named[0].provider, page_size=3)
    # Each iteration begins with the first page.
    assert list(pager) == list(pager) == named
    pages = list(pager.by_page())
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [each for page in pages for each in page] == named
    assert {page.revision for page in pages} == {client.list_changes()[-1].revision}
    assert pager.read_all() == named


def test_the_pages_show_the_list_as_it_was_for_the_first(client: Any, named: list[Any], unique: Any) -> None:
    pages = client.iter_secrets(provider=named[0].provider, page_size=3).by_page()
    first = next(pages)
    late = client.create_secret(unique("late"), {"api_key": "sk-0123456789abcdef"}, provider=named[0].provider)
    named.append(late)
    rest = list(pages)
    assert {page.revision for page in rest} == {first.revision}
    assert [each for page in (first, *rest) for each in page] == named[:-1]
    newer = client.list_secrets(provider=named[0].provider)
    assert newer == named
    assert newer.revision == first.revision + 1


def test_an_iterator_of_changes_has_each_change_once(client: Any, named: list[Any]) -> None:
    since = client.list_changes()[-1].revision - 4
    found = list(client.iter_changes(since_revision=since, page_size=1))
    assert [change.revision for change in found] == [since + 1, since + 2, since + 3, since + 4]
    assert found == client.list_changes(since_revision=since)


def test_an_invalid_page_size_is_an_error_of_the_iteration(client: Any) -> None:
    pager = client.iter_secrets(page_size=1001)
    with pytest.raises(GatewayError, match="page_size") as caught:
        list(pager)
    assert caught.value.code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_the_lists_of_mlflow_have_no_revision(mlflow_target: str, mode: str) -> None:
    client = open_client(mlflow_target, mode)
    try:
        assert client.list_secrets().revision is None
        assert list(client.iter_secrets()) == client.list_secrets()
    finally:
        client.close()
