"""Values of secrets: nothing but ``reveal`` and the wire format shows them."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Mapping
from typing import Any

import pytest

from gateway_entities import (
    GatewayEndpoint,
    ResolvedGatewayEndpoint,
    ResolvedGatewayModel,
    SecretValue,
    WireError,
)
from gateway_entities.entities import json_form
from gatewayentities.v1 import secret_pb2
from tests.entities.entity_types import SECRET_KINDS, filled

VALUE = {"api_key": "sk-CANARY", "organization": "org-CANARY"}


def model(**fields: Any) -> ResolvedGatewayModel:
    given: dict[str, Any] = {"secret_value": SecretValue(VALUE), **fields}
    return ResolvedGatewayModel("m-1", "d-1", "openai", "gpt-4o", "s-1", "0" * 32, {"region": "eu"}, **given)


def endpoint() -> ResolvedGatewayEndpoint:
    return ResolvedGatewayEndpoint(GatewayEndpoint("e-1", "chat", 1, 1), [model()])


def test_reveal_returns_a_new_dict():
    value = SecretValue(VALUE)
    assert value.reveal() == VALUE
    value.reveal().clear()
    assert value.reveal() == VALUE
    assert SecretValue().reveal() == {}


def test_a_value_is_neither_text_nor_a_mapping():
    value: Any = SecretValue(VALUE)
    assert not isinstance(value, (str, bytes, Mapping))
    for use in (
        len,
        iter,
        list,
        dict,
        hash,
        lambda it: it["api_key"],
        vars,
        json.dumps,
        lambda it: it + "",
        lambda it: {**it},
    ):
        with pytest.raises(TypeError) as caught:
            use(value)
        assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize("shown", [SecretValue(VALUE), model(), endpoint()], ids=lambda shown: type(shown).__name__)
def test_no_form_but_the_wire_s_shows_it(shown: Any, caplog: pytest.LogCaptureFixture):
    logging.getLogger(__name__).warning("%s %r %s", shown, shown, [shown])
    texts = [
        caplog.text,
        repr(shown),
        str(shown),
        f"{shown}{shown!r}{shown!s}{shown!a}",
        "%s" % shown,  # noqa: UP031 - as logging does.
        pprint.pformat(shown),
    ]
    try:
        raise ValueError(shown)
    except ValueError as error:
        texts.append("".join(traceback.format_exception(error)))
        texts.append("".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()))
    if not isinstance(shown, SecretValue):
        texts += [repr(shown.to_dict()), shown.to_json(), repr(dataclasses.asdict(shown)), repr(dataclasses.astuple(shown))]
        with pytest.raises(TypeError, match="not JSON serializable"):
            json.dumps(dataclasses.asdict(shown))
        assert b"sk-CANARY" in shown.to_bytes()
    for text in texts:
        assert "***" in text
        assert "CANARY" not in text


@pytest.mark.parametrize("shown", [SecretValue(VALUE), model(), endpoint()], ids=lambda shown: type(shown).__name__)
def test_it_is_not_pickled_and_copies_share_it(shown: Any):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError):
            pickle.dumps(shown, protocol)
    for again in (copy.copy(shown), copy.deepcopy(shown)):
        assert again == shown


@pytest.mark.parametrize("kind", SECRET_KINDS, ids=lambda kind: kind.__name__)
def test_a_masked_value_is_not_read(kind: Any):
    # It would be sent to a provider in place of the credential.
    for masked in (filled(kind).to_dict(), json.loads(filled(kind).to_json())):
        with pytest.raises(WireError, match=r'secret_value\["secret_value-\d"\]: is \*\*\*, which is shown in place of'):
            kind.from_dict(masked)


def test_equality_is_of_the_values():
    assert SecretValue({"a": "1", "b": "2"}) == SecretValue({"b": "2", "a": "1"})
    assert SecretValue({"a": "1"}) != SecretValue({"a": "2"})
    assert SecretValue({"a": "1"}) != {"a": "1"}
    assert model() == model()
    assert model() != model(secret_value={"api_key": "another"})


def test_a_mapping_given_to_an_entity_is_converted_or_refused():
    made = model(secret_value=VALUE)
    assert made == model()
    assert "CANARY" not in repr(made)
    for wrong in ({"api_key": b"CANARY"}, {1: "CANARY"}, ["CANARY"], "CANARY", {"api_key": "CANARY\ud800"}):
        with pytest.raises(WireError, match="must be a mapping of text to text") as caught:
            model(secret_value=wrong)
        assert "CANARY" not in "".join(traceback.format_exception(caught.value))
        assert caught.value.__context__ is None


def test_a_field_that_holds_a_dict_is_refused():
    made: Any = model()
    made.secret_value = dict(VALUE)
    with pytest.raises(WireError, match=r"ResolvedGatewayModel\.secret_value: must be a SecretValue, not a dict"):
        made.to_bytes()


def test_a_request_with_a_secret_has_no_json_form_with_its_value():
    request = secret_pb2.CreateGatewaySecretRequest(secret_name="n", secret_value=VALUE)
    assert "CANARY" not in json_form.to_json(request)
