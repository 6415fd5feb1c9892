"""LiteLLM's ``config.yaml``.

Each ``model_name`` is an endpoint, each of its deployments a model definition, and the credentials of a deployment are a
secret; equal ones are one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

from gateway_entities.cli.config.importers.fidelity import Fidelity
from gateway_entities.cli.config.importers.names import variable
from gateway_entities.cli.config.importers.result import Result, models
from gateway_entities.cli.config.variables import escape

_ENVIRONMENT: Final = "os.environ/"
_CREDENTIALS: Final = (
    "api_key",
    "azure_ad_token",
    "client_secret",
    "azure_password",
    "vertex_credentials",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_web_identity_token",
)
_SETTINGS: Final = (
    "api_base",
    "api_version",
    "organization",
    "tenant_id",
    "client_id",
    "azure_scope",
    "azure_username",
    "vertex_project",
    "vertex_location",
    "region_name",
    "aws_region_name",
    "aws_profile_name",
    "aws_role_name",
    "aws_session_name",
    "aws_sts_endpoint",
    "aws_external_id",
    "aws_bedrock_runtime_endpoint",
    "watsonx_region_name",
)
_PROVIDERS: Final = (
    (re.compile(r"gpt-|o[0-9]|chatgpt|text-embedding|dall-e|tts-|whisper|text-moderation|omni-"), "openai"),
    (re.compile(r"claude"), "anthropic"),
    (re.compile(r"gemini"), "vertex_ai"),
    (re.compile(r"command|rerank-|embed-"), "cohere"),
    (re.compile(r"mistral|mixtral|codestral"), "mistral"),
)
"""Providers of models without a prefix. LiteLLM has a list of models; these are the beginnings of their names."""
_NO_LIMITS: Final = "there are no rate limits here"
_SECTIONS: Final[Mapping[str, str]] = {
    "general_settings": "settings of LiteLLM's server",
    "litellm_settings": "settings of LiteLLM's library",
    "router_settings": "settings of LiteLLM's router; clients of this gateway retry and time out themselves",
    "environment_variables": "set them where the configuration is applied",
    "guardrails": "guardrails are no part of a configuration yet",
    "model_info": "facts about a model; endpoints have none",
    "litellm_params": "a parameter of calls; callers send their own",
}
_DURATION: Final = re.compile(r"([1-9][0-9]{0,8})(mo|m|h|d|w)")
_UNITS: Final = {"m": "MINUTES", "h": "HOURS", "d": "DAYS", "w": "WEEKS", "mo": "MONTHS"}


def convert(source: Mapping[str, Any]) -> tuple[Result, Fidelity]:
    """Return the configuration of a ``config.yaml`` and what became of its fields."""
    importer = _Importer(source)
    importer.run()
    return importer.result, importer.fidelity


class _Importer:
    def __init__(self, source: Mapping[str, Any]) -> None:
        self.source = source
        self.result = Result()
        self.fidelity = Fidelity(source)
        self._groups: dict[str, list[tuple[str, float, int]]] = {}
        self._literals: dict[str, list[object]] = {}

    def run(self) -> None:
        for position, item in enumerate(_list(self.source.get("model_list"))):
            self._deployment(item, f"model_list[{position}]")
        fallbacks = self._fallbacks()
        for group, deployments in self._groups.items():
            self._endpoint(group, deployments, fallbacks.get(group, []))
        self._aliases(fallbacks)
        self._budget()
        self._rest()

    def _deployment(self, item: Mapping[str, Any], path: str) -> None:
        group, found = item.get("model_name"), _mapping(item.get("litellm_params"))
        model = found.get("model")
        if not isinstance(group, str) or not isinstance(model, str) or not group or not model.rpartition("/")[2]:
            self.fidelity.dropped(path, "it has no model_name, or no litellm_params.model")
            return
        below = f"{path}.litellm_params"
        provider, name = self._model(model, found, below)
        content = {"provider": escape(provider), "model_name": escape(name)}
        if (secret := self._secret(provider, found, below)) is not None:
            content = {"secret": secret, **content}
        definition = self.result.definition(f"{group}", content)
        self._groups.setdefault(group, []).append((definition, self._weight(found, below), self._order(found, below)))
        to = f"endpoint {self.result.endpoint_names.name(group)}"
        if self.result.endpoint_names.name(group) == group:
            self.fidelity.mapped(f"{path}.model_name", to)
        else:
            self.fidelity.approximated(
                f"{path}.model_name", f"{to}: the name has other characters; the tag litellm_model_name has it"
            )

    def _model(self, model: str, found: Mapping[str, Any], path: str) -> tuple[str, str]:
        prefix, slash, name = model.partition("/")
        given = found.get("custom_llm_provider")
        if isinstance(given, str) and given:
            self.fidelity.mapped(f"{path}.custom_llm_provider", "provider")
            provider, name = given, name if slash and prefix == given else model
        elif prefix and slash and name:
            provider = prefix
        else:
            name = model
            provider = next((each for pattern, each in _PROVIDERS if pattern.match(model)), "openai")
            self.fidelity.approximated(f"{path}.model", f"model_name, with the provider {provider} by the name's beginning")
        if "*" in model:
            self.fidelity.approximated(f"{path}.model", "model_name; this gateway does not expand wildcards")
        self.fidelity.mapped(f"{path}.model", "provider and model_name")
        return provider[:64], name[:256]

    def _secret(self, provider: str, found: Mapping[str, Any], path: str) -> str | None:
        settings = {
            key: _text(found[key]) for key in _SETTINGS if isinstance(found.get(key), (str, int, float)) and found[key] != ""
        }
        for key in settings:
            self.fidelity.mapped(f"{path}.{key}", f"auth_config.{key} of a secret")
        given = [key for key in _CREDENTIALS if found.get(key)]
        if not settings and not given:
            return None
        first = found.get(given[0]) if given else None
        named = isinstance(first, str) and first.startswith(_ENVIRONMENT)
        wish = cast("str", first)[len(_ENVIRONMENT) :].lower().replace("_", "-") if named else provider
        values: dict[str, Any] = {}
        for key in given:
            value = found[key]
            if isinstance(value, str) and re.fullmatch(_ENVIRONMENT + r"[A-Za-z_][A-Za-z0-9_]*", value):
                self.fidelity.mapped(f"{path}.{key}", "value_from of a secret")
                values[key] = {"env": value[len(_ENVIRONMENT) :]}
            else:
                name = self._variable(wish, key, value)
                self.fidelity.approximated(f"{path}.{key}", f"value_from: set {name} to the value, which is not copied")
                values[key] = {"env": name}
        content: dict[str, Any] = {"provider": escape(provider)}
        if settings:
            content["auth_config"] = settings
        if values:
            content["value_from"] = values
        return self.result.secret(wish, content)

    def _variable(self, wish: str, key: str, value: object) -> str:
        """Return the variable for a literal value; equal values of one provider have one."""
        base = variable(wish, key)
        values = self._literals.setdefault(base, [])
        if value not in values:
            values.append(value)
        number = values.index(value)
        return f"{base}_{number + 1}" if number else base

    def _weight(self, found: Mapping[str, Any], path: str) -> float:
        for key in ("weight", "rpm", "tpm"):
            value = found.get(key)
            if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e30:
                if key == "weight":
                    self.fidelity.mapped(f"{path}.{key}", "weight of the model")
                else:
                    self.fidelity.approximated(f"{path}.{key}", f"weight of the model, as LiteLLM has it; {_NO_LIMITS}")
                return float(value)
        return 1.0

    def _order(self, found: Mapping[str, Any], path: str) -> int:
        value = found.get("order")
        if isinstance(value, int) and not isinstance(value, bool):
            self.fidelity.approximated(f"{path}.order", "the lowest is PRIMARY, the others are FALLBACK in their order")
            return value
        return 0

    def _endpoint(self, group: str, deployments: list[tuple[str, float, int]], fallback: list[str]) -> None:
        name = self.result.endpoint_names.name(group)
        least = min(order for _, _, order in deployments)
        primary = [(definition, weight) for definition, weight, order in deployments if order == least]
        if not any(weight for _, weight in primary):
            primary = [(definition, 1.0) for definition, _ in primary]
        later = [each[0] for each in sorted(deployments, key=lambda each: each[2]) if each[2] != least]
        tags = {} if name == group else {"tags": {"litellm_model_name": escape(group)}}
        self.result.endpoints[name] = {"name": name, **models(primary, [*later, *fallback]), **tags}

    def _fallbacks(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for section in ("router_settings", "litellm_settings"):
            settings = _mapping(self.source.get(section))
            for position, item in enumerate(_list(settings.get("fallbacks"))):
                for group, others in item.items():
                    path = f"{section}.fallbacks[{position}].{group}"
                    self._fallback(found, group, others, path)
            others = settings.get("default_fallbacks")
            if isinstance(others, list):
                path = f"{section}.default_fallbacks"
                for group in self._groups:
                    self._fallback(found, group, [each for each in cast("list[object]", others) if each != group], path)
                self.fidelity.approximated(path, "FALLBACK models of every endpoint without fallbacks of its own")
        return found

    def _fallback(self, found: dict[str, list[str]], group: str, others: object, path: str) -> None:
        if group not in self._groups or not isinstance(others, list):
            self.fidelity.dropped(path, "there is no such model_name")
            return
        if path.endswith("default_fallbacks") and group in found:
            return
        for position, other in enumerate(cast("list[object]", others)):
            if isinstance(other, str) and other in self._groups:
                found.setdefault(group, []).extend(definition for definition, _, _ in self._groups[other])
                self.fidelity.mapped(f"{path}[{position}]", "FALLBACK models of the endpoint")
            else:
                self.fidelity.dropped(f"{path}[{position}]", "there is no such model_name")

    def _aliases(self, fallbacks: Mapping[str, list[str]]) -> None:
        settings = _mapping(self.source.get("router_settings"))
        for alias, item in _mapping(settings.get("model_group_alias")).items():
            path = f"router_settings.model_group_alias.{alias}"
            group: object = item if isinstance(item, str) else _mapping(item).get("model")
            if not isinstance(group, str) or group not in self._groups or alias in self._groups:
                self.fidelity.dropped(path, "there is no such model_name, or the alias is one")
                continue
            if isinstance(item, Mapping):
                self.fidelity.dropped(f"{path}.hidden", "every endpoint is listed")
                path = f"{path}.model"
            self._endpoint(str(alias), self._groups[group], fallbacks.get(group, []))
            self.fidelity.mapped(path, "an endpoint with the same models")
        if "routing_strategy" in settings:
            path = "router_settings.routing_strategy"
            if settings["routing_strategy"] == "simple-shuffle":
                self.fidelity.mapped(path, "REQUEST_BASED_TRAFFIC_SPLIT")
            else:
                self.fidelity.approximated(path, "REQUEST_BASED_TRAFFIC_SPLIT: requests are split by weight only")

    def _budget(self) -> None:
        settings = _mapping(self.source.get("litellm_settings"))
        amount, length = settings.get("max_budget"), settings.get("budget_duration")
        duration = _DURATION.fullmatch(length) if isinstance(length, str) else None
        if not isinstance(amount, (int, float)) or isinstance(amount, bool) or amount < 0 or duration is None:
            for key in {"max_budget", "budget_duration"} & settings.keys():
                self.fidelity.dropped(
                    f"litellm_settings.{key}", "a budget here has an amount and a length of at least a minute"
                )
            return
        self.result.policies.append(
            {
                "target_scope": "GLOBAL",
                "budget_unit": "USD",
                "budget_amount": amount,
                "duration": {"unit": _UNITS[duration[2]], "value": int(duration[1])},
                "budget_action": "REJECT",
            }
        )
        self.fidelity.mapped("litellm_settings.max_budget", "a GLOBAL budget policy")
        self.fidelity.approximated(
            "litellm_settings.budget_duration", "duration of the policy; its windows begin by the clock"
        )

    def _rest(self) -> None:
        """Record the sections whose fields have no place here."""
        for position, item in enumerate(_list(self.source.get("model_list"))):
            path = f"model_list[{position}]"
            for part in ("model_info", "litellm_params"):
                self.fidelity.dropped(f"{path}.{part}", _SECTIONS[part])
            for key in _mapping(item.get("litellm_params")).keys() & {"rpm", "tpm", "max_parallel_requests", "itpm", "otpm"}:
                self.fidelity.dropped(f"{path}.litellm_params.{key}", _NO_LIMITS)
            for key in item:
                self.fidelity.dropped(f"{path}.{key}", "a setting of LiteLLM's router")
        for key in self.source:
            self.fidelity.dropped(key, _SECTIONS.get(key, "not a part of a gateway's configuration here"))


def _text(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(_ENVIRONMENT + r"[A-Za-z_][A-Za-z0-9_]*", value):
        return f"${{{value[len(_ENVIRONMENT) :]}}}"
    return escape(str(value))


def _list(value: object) -> list[Mapping[str, Any]]:
    return [_mapping(item) for item in cast("list[object]", value)] if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
