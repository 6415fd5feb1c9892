"""The providers and models that MLflow's web page offers: a JSON file, checked, as the JSON of the dialect's responses.

The built-in file, ``provider_catalog.json`` beside this module, has facts from the source and of the date that it names.
docs/guides/mlflow.md describes the format.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias, cast

from gateway_entities.errors import Code, FieldViolation, GatewayError
from gateway_entities.files import open_regular
from gateway_entities.rules.values import entry
from gateway_entities.rules.violation import TooManyViolations, Violations

MAX_CATALOG_BYTES: Final = 8 * 1024 * 1024
"""Maximum size of a file."""

_BUILT_IN: Final = Path(__file__).with_name("provider_catalog.json")
_CAPABILITIES: Final = ("function_calling", "vision", "reasoning", "prompt_caching", "response_schema")
_MODES: Final = ("chat", "completion", "embedding", "evaluation", "responses")
_TOKENS_PER_PRICE: Final = 1_000_000
_MAX_AMOUNT: Final = 1_000_000_000

Json: TypeAlias = Any
Check: TypeAlias = Callable[[object], Iterator[tuple[str, str]]]
"""Yields the path below a value, and what is wrong there."""


class ProviderCatalog:
    """The providers, their ways to authenticate, and their models. Immutable and thread-safe."""

    def __init__(self, content: Mapping[str, Json]) -> None:
        """Create it from the content of a file.

        Raises:
            GatewayError: INVALID_ARGUMENT, with a violation for each fault.
        """
        _refuse_faults(content)
        providers: dict[str, dict[str, Json]] = dict(sorted(content["providers"].items()))
        self._providers = _dump({"providers": list(providers)})
        # Encoded once: the list of all models is megabytes.
        self._models = {
            name: b",".join(_dump(_model(name, model, facts)) for model, facts in provider.get("models", {}).items())
            for name, provider in providers.items()
        }
        configs = {name: _dump(_config(provider)) for name, provider in providers.items() if "auth_modes" in provider}
        aliases: dict[str, str] = content.get("aliases", {})
        configs |= {alias: configs.get(name, _ANY_KEY) for alias, name in aliases.items()}
        # Those in exactly the case that is asked for go before others.
        self._configs = {name.lower(): config for name, config in configs.items()} | configs

    @staticmethod
    @cache
    def built_in() -> ProviderCatalog:
        """Return the catalog of this version."""
        return ProviderCatalog.load(_BUILT_IN)

    @staticmethod
    def load(path: Path) -> ProviderCatalog:
        """Read a file.

        Raises:
            GatewayError: INVALID_ARGUMENT if it cannot be read, is larger than MAX_CATALOG_BYTES or has faults, which are
                named with their places.
        """
        try:
            with open_regular(path) as file:
                data = file.read(MAX_CATALOG_BYTES + 1)
        except OSError as error:
            raise _bad(path, error.strerror or str(error)) from None
        if len(data) > MAX_CATALOG_BYTES:
            raise _bad(path, f"it is larger than {MAX_CATALOG_BYTES} bytes")
        try:
            content: Json = json.loads(data, object_pairs_hook=_object, parse_constant=_refuse_constant)
        except json.JSONDecodeError as error:
            raise _bad(path, f"it is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
        except RecursionError:
            raise _bad(path, "it nests too deeply") from None
        except UnicodeDecodeError:
            raise _bad(path, "it is not UTF-8") from None
        except _FaultError as error:
            raise _bad(path, f"it is not JSON: {error}") from None
        except ValueError:
            raise _bad(path, "it has a number of too many digits") from None
        try:
            return ProviderCatalog(content)
        except GatewayError as error:
            raise _bad(path, error.message) from None

    def providers_json(self) -> bytes:
        """Return the names of all providers, sorted."""
        return self._providers

    def models_json(self, provider: str) -> bytes:
        """Return the models of a provider, none if it is unknown; of all providers if it is empty."""
        found = [self._models.get(provider, b"")] if provider else self._models.values()
        return b'{"models":[%b]}' % b",".join(filter(None, found))

    def config_json(self, provider: str) -> bytes:
        """Return the ways to authenticate with a provider. One that has none here, or is unknown, takes a key.

        Args:
            provider: its name or alias, in any case.

        Raises:
            GatewayError: INVALID_ARGUMENT if it is empty.
        """
        if not provider:
            raise GatewayError(Code.INVALID_ARGUMENT, "Provider parameter is required", reason="INVALID_REQUEST")
        return self._configs.get(provider) or self._configs.get(provider.lower(), _ANY_KEY)


class _FaultError(ValueError):
    """What JSON forbids and Python's parser does not."""


def _bad(path: Path, fault: str) -> GatewayError:
    return GatewayError(Code.INVALID_ARGUMENT, f"the file of providers {path} cannot be used: {fault}", reason="BAD_CATALOG")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _FaultError(f"an object has {next(name for name in names if names.count(name) > 1)!r} twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise _FaultError(f"{name} is not a number of JSON")


# Responses


def _dump(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _model(provider: str, name: str, facts: Mapping[str, Json]) -> dict[str, Json]:
    capabilities = facts.get("capabilities", ())
    return {
        "model": name,
        "provider": provider,
        "mode": facts.get("mode"),
        **{f"supports_{capability}": capability in capabilities for capability in _CAPABILITIES},
        "max_input_tokens": facts.get("max_input_tokens"),
        "max_output_tokens": facts.get("max_output_tokens"),
        "input_cost_per_token": _per_token(facts.get("input_usd_per_million_tokens")),
        "output_cost_per_token": _per_token(facts.get("output_usd_per_million_tokens")),
        "modality": facts.get("modality"),
        "deprecation_date": facts.get("deprecation_date"),
        "last_updated_at": facts.get("last_updated_at"),
    }


def _per_token(price: float | None) -> float | None:
    return None if price is None else price / _TOKENS_PER_PRICE


def _config(provider: Mapping[str, Json]) -> dict[str, Json]:
    modes = [
        {
            "mode": mode,
            "display_name": facts["display_name"],
            "description": facts["description"],
            "secret_fields": [_field(field) for field in facts["fields"] if field["secret"]],
            "config_fields": [_field(field) for field in facts["fields"] if not field["secret"]],
        }
        for mode, facts in provider["auth_modes"].items()
    ]
    # Models are called elsewhere, so this server's environment has no credentials for them.
    return {
        "auth_modes": modes,
        "default_mode": provider.get("default_mode", modes[0]["mode"]),
        "env_credentials_available": False,
    }


def _field(field: Mapping[str, Json]) -> dict[str, Json]:
    return {
        "name": field["name"],
        "type": "string",
        "description": field["description"],
        "required": field["required"],
        **({"default": field["default"]} if "default" in field else {}),
    }


_ANY_KEY: Final = _dump(
    _config(
        {
            "auth_modes": {
                "api_key": {
                    "display_name": "API key",
                    "description": "An API key of the provider",
                    "fields": [
                        {"name": "api_key", "description": "API key", "secret": True, "required": True},
                        {"name": "api_base", "description": "Address of its API", "secret": False, "required": False},
                    ],
                }
            }
        }
    )
)


# Checks of a file


def _refuse_faults(content: Json) -> None:
    faults = Violations()
    try:
        for path, fault in _CATALOG(content):
            faults.append(FieldViolation(path.removeprefix(".") or "the file", fault))
    except TooManyViolations:
        raise GatewayError.invalid(faults, more=True) from None
    if faults:
        raise GatewayError.invalid(faults)


def _text(maximum: int, pattern: str = r"(?s).+", form: str = "text") -> Check:
    def check(value: object) -> Iterator[tuple[str, str]]:
        if not isinstance(value, str) or len(value) > maximum or not re.fullmatch(pattern, value):
            yield "", f"must be {form} of 1 to {maximum} characters"

    return check


def _one_of(*names: str) -> Check:
    def check(value: object) -> Iterator[tuple[str, str]]:
        if value not in names:
            yield "", f"must be one of {', '.join(names)}"

    return check


def _flag(value: object) -> Iterator[tuple[str, str]]:
    if not isinstance(value, bool):
        yield "", "must be true or false"


def _amount(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _MAX_AMOUNT:
        yield "", f"must be a number from 0 to {_MAX_AMOUNT}"


def _whole(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        yield "", "must be a whole number from 0"


def _list(item: Check, maximum: int) -> Check:
    def check(value: object) -> Iterator[tuple[str, str]]:
        items = cast("list[object]", value) if isinstance(value, list) else None
        if items is None or len(items) > maximum:
            yield "", f"must be an array of at most {maximum} items"
            return
        for index, each in enumerate(items):
            for path, fault in item(each):
                yield f"[{index}]{path}", fault

    return check


def _names(name: Check, item: Check, *, minimum: int = 0, maximum: int) -> Check:
    """An object with free names."""

    def check(value: object) -> Iterator[tuple[str, str]]:
        entries = cast("dict[str, object]", value) if isinstance(value, dict) else None
        if entries is None or not minimum <= len(entries) <= maximum:
            yield "", f"must be an object of {minimum} to {maximum} entries"
            return
        for key, each in entries.items():
            for _, fault in name(key):
                yield entry("", key), f"is a name that {fault}"
            for path, fault in item(each):
                yield entry("", key) + path, fault

    return check


def _fields(required: Mapping[str, Check], optional: Mapping[str, Check], more: Check | None = None) -> Check:
    """An object with these fields and no others, which then follows one more check."""
    known = {**required, **optional}

    def check(value: object) -> Iterator[tuple[str, str]]:
        fields = cast("dict[str, object]", value) if isinstance(value, dict) else None
        if fields is None:
            yield "", "must be an object"
            return
        is_right = True
        for name in required.keys() - fields.keys():
            is_right = False
            yield f".{name}", "is required"
        for name, each in fields.items():
            if name not in known:
                is_right = False
                yield entry("", name), f"is no field; the fields are {', '.join(known)}"
                continue
            for path, fault in known[name](each):
                is_right = False
                yield f".{name}{path}", fault
        if is_right and more is not None:
            yield from more(fields)

    return check


def _has_default_mode(provider: Json) -> Iterator[tuple[str, str]]:
    if provider.get("default_mode", "") not in ("", *provider.get("auth_modes", {})):
        yield ".default_mode", "must be one of auth_modes"


def _aliases_lead_to_providers(content: Json) -> Iterator[tuple[str, str]]:
    for alias, name in content.get("aliases", {}).items():
        if name not in content["providers"]:
            yield ".aliases" + entry("", alias), "must name one of providers"


_NAME: Final = _text(64)
_DATE: Final = _text(10, r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "a date such as 2026-01-31,")
_MODEL: Final = _fields(
    {},
    {
        "mode": _one_of(*_MODES),
        "capabilities": _list(_one_of(*_CAPABILITIES), len(_CAPABILITIES)),
        "max_input_tokens": _whole,
        "max_output_tokens": _whole,
        "input_usd_per_million_tokens": _amount,
        "output_usd_per_million_tokens": _amount,
        "modality": _names(_NAME, _names(_NAME, _amount, maximum=16), maximum=16),
        "deprecation_date": _DATE,
        "last_updated_at": _DATE,
    },
)
_AUTH_MODE: Final = _fields(
    {
        "display_name": _text(255),
        "description": _text(1000),
        "fields": _list(
            _fields(
                {"name": _NAME, "description": _text(1000), "secret": _flag, "required": _flag}, {"default": _text(255)}
            ),
            32,
        ),
    },
    {},
)
_PROVIDER: Final = _fields(
    {},
    {
        "auth_modes": _names(_NAME, _AUTH_MODE, minimum=1, maximum=16),
        "default_mode": _NAME,
        "models": _names(_text(256), _MODEL, maximum=10_000),
    },
    _has_default_mode,
)
_CATALOG: Final = _fields(
    {"source": _text(1000), "date": _DATE, "providers": _names(_NAME, _PROVIDER, minimum=1, maximum=1000)},
    {"aliases": _names(_NAME, _NAME, maximum=1000)},
    _aliases_lead_to_providers,
)
