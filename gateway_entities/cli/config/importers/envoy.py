"""Envoy AI Gateway's Kubernetes resources.

Each model that a rule of an AIGatewayRoute matches is an endpoint, and each backend of the rule a model definition. Its
provider is the schema of the AIServiceBackend; the address of the Backend and the BackendSecurityPolicy are a secret. Values
of Kubernetes' Secrets are not copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

from gateway_entities.cli.config.importers.fidelity import Fidelity
from gateway_entities.cli.config.importers.names import variable
from gateway_entities.cli.config.importers.result import Result, models
from gateway_entities.cli.config.variables import escape

_GROUP: Final = "aigateway.envoyproxy.io/"
_OURS: Final = ("AIServiceBackend", "AIGatewayRoute", "BackendSecurityPolicy")
_BY_KIND: Final = "the kind says what a resource is"
_MODEL_HEADER: Final = "x-ai-eg-model"
_PROVIDERS: Final[Mapping[str, str]] = {
    "OpenAI": "openai",
    "Cohere": "cohere",
    "AWSBedrock": "bedrock",
    "AWSAnthropic": "bedrock",
    "AzureOpenAI": "azure",
    "GCPVertexAI": "vertex_ai",
    "GCPAnthropic": "vertex_ai",
    "Anthropic": "anthropic",
}
_APPROXIMATE: Final = frozenset(("AWSAnthropic", "GCPAnthropic"))
_KEYS: Final[Mapping[str, tuple[str, str]]] = {
    "apiKey": ("secretRef", "api_key"),
    "azureAPIKey": ("secretRef", "api_key"),
    "anthropicAPIKey": ("secretRef", "api_key"),
    "azureCredentials": ("clientSecretRef", "client_secret"),
}
_FILES: Final[Mapping[str, str]] = {"awsCredentials": "aws_credentials_file", "gcpCredentials": "vertex_credentials"}
_SETTINGS: Final[Mapping[tuple[str, str], str]] = {
    ("awsCredentials", "region"): "aws_region_name",
    ("gcpCredentials", "projectName"): "vertex_project",
    ("gcpCredentials", "region"): "vertex_location",
    ("azureCredentials", "clientID"): "client_id",
    ("azureCredentials", "tenantID"): "tenant_id",
}


class _Resource(NamedTuple):
    path: str
    kind: str
    name: str
    namespace: str
    spec: Mapping[str, Any]


class _Backend(NamedTuple):
    """The provider of an AIServiceBackend and its secret."""

    provider: str
    secret: str | None


def convert(documents: Sequence[Mapping[str, Any]]) -> tuple[Result, Fidelity]:
    """Return the configuration of resources and what became of their fields."""
    importer = _Importer(documents)
    importer.run()
    return importer.result, importer.fidelity


class _Importer:
    def __init__(self, documents: Sequence[Mapping[str, Any]]) -> None:
        self.result = Result()
        self.fidelity = Fidelity({"resources": list(documents)} if documents else {})
        self._lists: list[str] = []
        found = list(self._without_lists(documents))
        self.resources = [_resource(item, path) for item, path in found]
        self._apis = [str(item.get("apiVersion", "")) for item, _ in found]
        self._backends: dict[tuple[str, str], _Backend] = {}

    def run(self) -> None:
        ours = [each for each, api in zip(self.resources, self._apis, strict=True) if api.startswith(_GROUP)]
        for each in ours:
            if each.kind == "AIServiceBackend":
                self._backends[each.namespace, each.name] = self._backend(each)
        for each in ours:
            if each.kind == "AIGatewayRoute":
                for number, rule in enumerate(_list(each.spec.get("rules"))):
                    self._rule(each, rule, f"{each.path}.spec.rules[{number}]", number)
        self._rest(ours)

    def _backend(self, backend: _Resource) -> _Backend:
        schema, path = _mapping(backend.spec.get("schema")), f"{backend.path}.spec.schema"
        name = str(schema.get("name", ""))
        provider = _PROVIDERS.get(name, name.lower()[:64] or "openai")
        if name in _PROVIDERS and name not in _APPROXIMATE:
            self.fidelity.mapped(f"{path}.name", f"provider {provider}")
        else:
            self.fidelity.approximated(f"{path}.name", f"provider {provider}")
        settings = self._address(backend, schema, path)
        if (version := schema.get("version")) is not None and name == "AzureOpenAI":
            settings["api_version"] = escape(str(version))
            self.fidelity.mapped(f"{path}.version", "auth_config.api_version of a secret")
        policy, values = self._policy(backend, settings)
        self.fidelity.mapped(f"{backend.path}.metadata.name", "names of model definitions and secrets")
        if not settings and not values:
            return _Backend(provider, None)
        content: dict[str, Any] = {"provider": escape(provider)}
        if settings:
            content["auth_config"] = settings
        if values:
            content["value_from"] = values
        return _Backend(provider, self.result.secret(policy or backend.name, content))

    def _address(self, backend: _Resource, schema: Mapping[str, Any], path: str) -> dict[str, str]:
        reference = _mapping(backend.spec.get("backendRef"))
        target = self._find("Backend", reference.get("name"), reference.get("namespace", backend.namespace))
        if target is None or reference.get("kind", "Backend") != "Backend":
            self.fidelity.dropped(f"{backend.path}.spec.backendRef", "the Backend is not in these files")
            return {}
        endpoints = _list(target.spec.get("endpoints"))
        host: Mapping[str, Any] = _mapping(endpoints[0].get("fqdn")) if endpoints else {}
        if not isinstance(host.get("hostname"), str):
            self.fidelity.dropped(f"{target.path}.spec.endpoints", "the address is no host name")
            return {}
        port = host.get("port")
        policies = [each for each in self.resources if each.kind == "BackendTLSPolicy"]
        secure = port == 443 or any(self._targets(each, target) for each in policies)
        prefix = schema.get("prefix") or (schema.get("version") if schema.get("name") == "OpenAI" else None) or ""
        standard = 443 if secure else 80
        place = host["hostname"] if port in (None, standard) else f"{host['hostname']}:{port}"
        base = f"{'https' if secure else 'http'}://{place}" + (f"/{str(prefix).strip('/')}" if prefix else "")
        for key in {"prefix", "version"} & schema.keys():
            if prefix and schema.get(key) == prefix:
                self.fidelity.mapped(f"{path}.{key}", "path of auth_config.api_base")
        for field in ("name", "namespace", "kind"):
            self.fidelity.mapped(f"{backend.path}.spec.backendRef.{field}", "auth_config.api_base of a secret")
        self.fidelity.mapped(f"{target.path}.metadata.name", "auth_config.api_base of a secret")
        self.fidelity.mapped(f"{target.path}.spec.endpoints[0].fqdn", "auth_config.api_base of a secret")
        self.fidelity.dropped(f"{target.path}.spec.endpoints", "an api_base is one address")
        return {"api_base": escape(base)}

    def _policy(self, backend: _Resource, settings: dict[str, str]) -> tuple[str | None, dict[str, Any]]:
        """Return the name of the secret of a backend's policy, and the sources of its values."""
        for policy in self.resources:
            if policy.kind != "BackendSecurityPolicy" or not self._targets(policy, backend):
                continue
            path = f"{policy.path}.spec"
            for position, _ in enumerate(_list(policy.spec.get("targetRefs"))):
                self.fidelity.dropped(f"{path}.targetRefs[{position}].group", _BY_KIND)
            self.fidelity.mapped(f"{path}.targetRefs", "secret of the model definitions")
            self.fidelity.dropped(f"{path}.type", "the fields of the credentials say what they are")
            self.fidelity.mapped(f"{policy.path}.metadata.name", "name of a secret")
            return policy.name, self._values(policy, path, settings)
        return None, {}

    def _values(self, policy: _Resource, path: str, settings: dict[str, str]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for part, content in policy.spec.items():
            found = _mapping(content)
            for (section, field), setting in _SETTINGS.items():
                if section == part and isinstance(found.get(field), str):
                    settings[setting] = escape(found[field])
                    self.fidelity.mapped(f"{path}.{part}.{field}", f"auth_config.{setting} of a secret")
            for field, reference, key in self._references(part, found):
                name = variable(str(reference.get("name", policy.name)), key)
                values[key] = {"env": name}
                self.fidelity.approximated(
                    f"{path}.{part}.{field}", f"value_from: set {name} to the value of Kubernetes' Secret"
                )
        return values

    @staticmethod
    def _references(part: str, found: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any], str]]:
        if part in _KEYS and isinstance(found.get(_KEYS[part][0]), Mapping):
            field, key = _KEYS[part]
            return [(field, _mapping(found[field]), key)]
        file = _mapping(found.get("credentialsFile"))
        if part in _FILES and isinstance(file.get("secretRef"), Mapping):
            return [("credentialsFile.secretRef", _mapping(file["secretRef"]), _FILES[part])]
        return []

    def _rule(self, route: _Resource, rule: Mapping[str, Any], path: str, number: int) -> None:
        references = _list(rule.get("backendRefs"))
        known = [each for each in references if self._backend_of(route, each) is not None]
        if not known:
            self.fidelity.dropped(path, "no AIServiceBackend of the rule is in these files")
            return
        for model in self._models(route, rule, path, number):
            primary: list[tuple[str, float]] = []
            later: list[tuple[int, str]] = []
            priorities = [_whole(each.get("priority")) for each in references]
            for position, reference in enumerate(references):
                definition = self._definition(route, reference, model, f"{path}.backendRefs[{position}]")
                if definition is None:
                    continue
                if priorities[position] > min(priorities):
                    later.append((priorities[position], definition))
                else:
                    weight = reference.get("weight")
                    is_number = isinstance(weight, int) and not isinstance(weight, bool) and weight >= 0
                    primary.append((definition, float(cast("int", weight)) if is_number else 1.0))
            self._endpoint(model, primary, [name for _, name in sorted(later, key=lambda each: each[0])])

    def _endpoint(self, model: str, primary: list[tuple[str, float]], later: list[str]) -> None:
        name = self.result.endpoint_names.name(model)
        if not primary:
            primary, later = [(later[0], 1.0)], later[1:]
        if not any(weight for _, weight in primary):
            primary = [(definition, 1.0) for definition, _ in primary]
        tags = {} if name == model else {"tags": {"envoy_model_name": escape(model)}}
        self.result.endpoints[name] = {"name": name, **models(primary, later), **tags}

    def _models(self, route: _Resource, rule: Mapping[str, Any], path: str, number: int) -> list[str]:
        """Return the models of a rule that no earlier one has."""
        found = self._matched(rule, path)
        if not found:
            name = rule.get("name")
            found = [f"{route.name}-{name or number}"]
            for where in (f"{path}.matches", f"{path}.name", f"{route.path}.metadata.name"):
                self.fidelity.approximated(where, f"endpoint {found[0]}: the rule names no model")
        self.fidelity.dropped(f"{path}.name", "an endpoint has the name of its model")
        return [each for each in found if self.result.endpoint_names.name(each) not in self.result.endpoints]

    def _matched(self, rule: Mapping[str, Any], path: str) -> list[str]:
        found: list[str] = []
        for number, match in enumerate(_list(rule.get("matches"))):
            for place, header in enumerate(_list(match.get("headers"))):
                where, value = f"{path}.matches[{number}].headers[{place}]", header.get("value")
                if str(header.get("name", "")).lower() != _MODEL_HEADER or not isinstance(value, str) or not value:
                    self.fidelity.dropped(where, "endpoints are chosen by name only")
                elif self.result.endpoint_names.name(value) in self.result.endpoints:
                    self.fidelity.dropped(where, "an earlier rule has this model")
                    found.append(value)
                elif header.get("type", "Exact") == "Exact":
                    found.append(value)
                    self.fidelity.mapped(where, f"endpoint {self.result.endpoint_names.name(value)}")
                else:
                    found.append(value)
                    self.fidelity.approximated(
                        where, f"endpoint {self.result.endpoint_names.name(value)}: patterns are not matched"
                    )
        return list(dict.fromkeys(found))

    def _definition(self, route: _Resource, reference: Mapping[str, Any], model: str, path: str) -> str | None:
        backend = self._backend_of(route, reference)
        if backend is None:
            self.fidelity.dropped(path, "the AIServiceBackend is not in these files")
            return None
        for field in ("name", "weight"):
            self.fidelity.mapped(f"{path}.{field}", "model of the endpoint")
        self.fidelity.mapped(f"{path}.modelNameOverride", "model_name")
        self.fidelity.approximated(f"{path}.priority", "the lowest is PRIMARY, the others are FALLBACK in their order")
        override = reference.get("modelNameOverride")
        name = override if isinstance(override, str) and override else model
        content = {"provider": escape(backend.provider), "model_name": escape(name[:256])}
        if backend.secret is not None:
            content = {"secret": backend.secret, **content}
        return self.result.definition(f"{reference.get('name')}-{name}", content)

    def _backend_of(self, route: _Resource, reference: Mapping[str, Any]) -> _Backend | None:
        key = (str(reference.get("namespace", route.namespace)), str(reference.get("name", "")))
        return self._backends.get(key) if reference.get("kind", "AIServiceBackend") == "AIServiceBackend" else None

    def _find(self, kind: str, name: object, namespace: object) -> _Resource | None:
        fits = (each for each in self.resources if (each.kind, each.name, each.namespace) == (kind, name, namespace))
        return next(fits, None)

    @staticmethod
    def _targets(policy: _Resource, target: _Resource) -> bool:
        references = _list(policy.spec.get("targetRefs"))
        return policy.namespace == target.namespace and any(
            each.get("name") == target.name and each.get("kind", target.kind) == target.kind for each in references
        )

    def _without_lists(self, documents: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], str]]:
        """Yield each resource with its path, those in lists too: kubectl prints several resources as a list."""
        for number, item in enumerate(documents):
            path = f"resources[{number}]"
            if str(item.get("kind", "")).endswith("List") and isinstance(item.get("items"), list):
                self._lists.append(path)
                yield from ((each, f"{path}.items[{position}]") for position, each in enumerate(_list(item["items"])))
            else:
                yield item, path

    def _rest(self, ours: list[_Resource]) -> None:
        for path in self._lists:
            self.fidelity.mapped(f"{path}.kind", "its items")
            self.fidelity.dropped(path, "a list of resources has no settings of its own")
        for each in self.resources:
            self._identity(each, is_ours=each in ours)
            self.fidelity.dropped(f"{each.path}.metadata", "names have no labels or annotations here")
            if each.kind == "Secret":
                self.fidelity.dropped(each.path, "values of secrets are not copied")
            elif each.kind == "BackendTLSPolicy":
                self.fidelity.approximated(
                    f"{each.path}.spec", "https; certificates are checked by the program that calls a model"
                )
            elif each in ours or each.kind == "Backend":
                self.fidelity.dropped(f"{each.path}.spec", "there is no such setting here")
            self.fidelity.dropped(each.path, f"a {each.kind or 'resource'} is not a part of a gateway's configuration here")

    def _identity(self, resource: _Resource, *, is_ours: bool) -> None:
        """Record the fields that say which resource one is."""
        path = resource.path
        if resource.kind == "BackendTLSPolicy":
            self.fidelity.approximated(f"{path}.kind", "https")
            self.fidelity.approximated(f"{path}.metadata.namespace", "https")
        elif (is_ours and resource.kind in _OURS) or resource.kind == "Backend":
            self.fidelity.mapped(f"{path}.kind", "the kind of a resource")
            self.fidelity.mapped(f"{path}.metadata.namespace", "the resources that others refer to")
        if is_ours and resource.kind in _OURS:
            self.fidelity.approximated(f"{path}.apiVersion", "the kind of a resource; all versions are read alike")
        self.fidelity.dropped(f"{path}.apiVersion", _BY_KIND)
        if resource.kind == "AIGatewayRoute":
            self.fidelity.dropped(f"{path}.metadata.name", "an endpoint has the name of its model")


def _resource(item: Mapping[str, Any], path: str) -> _Resource:
    metadata = _mapping(item.get("metadata"))
    kind, name = str(item.get("kind", "")), str(metadata.get("name", ""))
    return _Resource(path, kind, name, str(metadata.get("namespace", "default")), _mapping(item.get("spec")))


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _list(value: object) -> list[Mapping[str, Any]]:
    return [_mapping(item) for item in cast("list[object]", value)] if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
