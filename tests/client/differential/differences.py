"""The differences between MLflow's server and ours. docs/guides/mlflow.md gives the reason of each by its id."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.client.differential.cases import Case
from tests.client.differential.world import Response

_ABSENT = "absent"


class Seen(NamedTuple):
    """One place where the two servers differ.

    Attributes:
        case: the name of the request.
        aspect: ``outcome``, ``text`` (of an error), ``body`` or ``state`` (the lists after it), the last two with a path.
        theirs: MLflow's value there.
        ours: our server's.
    """

    case: str
    aspect: str
    theirs: str
    ours: str


class Row(NamedTuple):
    """A difference, by regular expressions that the whole of each attribute of Seen matches.

    Attributes:
        id: its id in the documentation.
        case: matches Seen.case.
        aspect: matches Seen.aspect.
        theirs: matches Seen.theirs.
        ours: matches Seen.ours.
        is_by_chance: whether MLflow's server does as ours in some runs.
    """

    id: str
    case: str = ".*"
    aspect: str = "outcome"
    theirs: str = ".*"
    ours: str = ".*"
    is_by_chance: bool = False

    def covers(self, seen: Seen) -> bool:
        """Whether it explains what was seen."""
        return all(
            re.fullmatch(pattern, value, re.DOTALL)
            for pattern, value in (
                (self.case, seen.case),
                (self.aspect, seen.aspect),
                (self.theirs, seen.theirs),
                (self.ours, seen.ours),
            )
        )


_REFUSED = "400 INVALID_PARAMETER_VALUE"
_WRONG_TYPE = (
    r"true|a number|an object|an array|a text|1\.5|3\.0|1|\"\"|\[null\]|\[5\]|NaN|(a number|null) as value|"
    "a number out of range"
)
_ODD_NUMBERS = "negative|negative weight|infinite|infinite weight|negative order|no attempts|a thousand years"
_EMPTY = r"empty value of a key|without secret_value|secret_value = (null|\{\}|an array)|camel case secret_value"
_ODD_TEXT = "a number with a (plus|point)"
_UNKNOWN = "an unknown name|an unknown number|a name in lower case"
ROWS = [
    # HTTP
    Row("error-pages", theirs="308 html", ours="404 ENDPOINT_NOT_FOUND"),
    Row("error-pages", theirs="40[45] html", ours="404 ENDPOINT_NOT_FOUND|405 INVALID_PARAMETER_VALUE"),
    Row("error-pages", theirs="500 html", ours=_REFUSED),
    # Not those that clients look for.
    Row("error-texts", aspect="text", theirs=r"(?!Exactly one of|Bad Request\. Content-Type|.*already exists).*"),
    Row("invalid-state", theirs="500 INVALID_STATE", ours="409 INVALID_STATE"),
    Row("database-errors", theirs="400 BAD_REQUEST", ours="404 RESOURCE_DOES_NOT_EXIST|400 .*"),
    Row("content-type", case=".* content type in capitals", theirs=_REFUSED),
    Row("compressed-bodies", case=".* compressed", theirs=_REFUSED, ours="415 INVALID_PARAMETER_VALUE"),
    Row("large-bodies", case=".* of 5 MiB", theirs="200 json", ours="413 RESOURCE_LIMIT_EXCEEDED"),
    Row("large-bodies", case=".* with (many values|deep nesting)", theirs="200 json", ours=_REFUSED),
    Row("malformed-bodies", case=".* (with UTF-16|that is no UTF-8)", theirs="200 json", ours=_REFUSED),
    Row("repeated-parameters", case=".* with a name twice", theirs="200 json", ours=_REFUSED),
    Row("repeated-parameters", case="GET .*( twice|both spellings.*)", theirs="200 json", ours=_REFUSED),
    Row("head", case="GET .* by HEAD", theirs="400 empty", ours="200 empty"),
    Row("query-of-delete", case="DELETE .* query only", theirs=_REFUSED, ours="200 json|409 INVALID_STATE"),
    Row("workspaces", case=".* with a workspace", theirs="500 FEATURE_DISABLED", ours="200 json"),
    # JSON
    Row("camel-case", case=".* camel case .*", theirs=_REFUSED, ours="200 json|409 INVALID_STATE"),
    Row("maps-as-arrays", case=".* = pairs", aspect="(body|state).*"),
    Row("json-types", case=f".* = ({_WRONG_TYPE})", theirs="200 json|404 RESOURCE_DOES_NOT_EXIST", ours=_REFUSED),
    Row("json-types", case=".* that is no number", theirs="200 json", ours=_REFUSED),
    Row("number-texts", case=f".* = ({_ODD_TEXT})", theirs="200 json|404 RESOURCE_DOES_NOT_EXIST", ours=_REFUSED),
    Row("own-fields", case=".* (unknown mask|scorer .*)", theirs="200 json", ours=_REFUSED),
    Row("own-fields", case=".* etag", theirs="200 json", ours="409 ABORTED"),
    Row("own-fields", case=".* mask", aspect=r".*\.(fallback_config|name)"),
    Row("unknown-enums", case=f".* = ({_UNKNOWN})", theirs="200 json", ours=_REFUSED),
    Row("unknown-enums", case=".*/budgets/update role|.* (strategy of no name)", theirs="200 json", ours=_REFUSED),
    # Rules
    Row("missing-ids", case=".* no model", theirs="404 RESOURCE_DOES_NOT_EXIST", ours=_REFUSED),
    Row("limits", case=".* long .*|.* with NUL", theirs="200 json", ours=_REFUSED),
    Row("numbers", case=f".* ({_ODD_NUMBERS})", theirs="200 json", ours=_REFUSED),
    Row("numbers", case=".* version zero", theirs="404 RESOURCE_DOES_NOT_EXIST", ours=_REFUSED),
    Row("primary-models", case=".* (fallback alone|zero weight)", theirs="200 json", ours=_REFUSED),
    Row("primary-models", case=".*/detach the last", theirs="200 json", ours="409 INVALID_STATE"),
    Row("empty-secrets", case=f".*/secrets/create ({_EMPTY})", theirs="200 json", ours=_REFUSED),
    Row("lookup", case="GET .* by name", theirs=_REFUSED, ours="200 json"),
    Row("lookup", case="GET /secrets/get both", theirs="200 json", ours=_REFUSED),
    Row("user-budgets", case=".*/budgets/create user", theirs=_REFUSED, ours="200 json"),
    Row("resource-types", case=".* another type", theirs="500 html", ours="200 json"),
    Row("address-changes", case=".* api_base without a value", theirs="200 json", ours=_REFUSED),
    # Effects
    Row("actors", case="POST /secrets/update .*", aspect=r".*\.last_updated_by", theirs="'absent'"),
    Row("fallback", aspect=r".*\.fallback_config(\..*)?"),
    Row("experiments", case='.* experiment_id = ""', theirs=_REFUSED, ours="200 json"),
    Row("experiments", case=".* unknown experiment", theirs="400 BAD_REQUEST", ours="200 json"),
    Row("experiments", aspect=r".*\.experiment_id", ours="'absent'"),
    Row("dangling-budgets", case="DELETE /endpoints/delete .*", aspect=r"state\.budgets/list\.budget_policies"),
    Row("masking", aspect=r".*\.masked_values\..*", ours=r"'\*\*\*'"),
    Row("filters", case="GET /endpoints/list by secret", aspect=r"body\.endpoints"),
    # Its order is that of random ids.
    Row("order-of-lists", case="GET /(budgets|guardrails)/list one", aspect=r"body\..*\[\]\..*", is_by_chance=True),
    # Guardrails
    Row("scorers", aspect=r".*\.scorer(\..*)?"),
    Row("scorers", case=".*/guardrails/create .*", theirs="404 .*", ours="200 json"),
    Row("guardrail-actors", aspect=r".*(guardrail|config).*_by", ours="''"),
    Row("action-endpoints", aspect=r".*\.action_endpoint_id", theirs="'other'"),
    # Discovery
    Row("whole-numbers", case="GET supported-models .*", aspect=r".*\.max_(in|out)put_tokens", theirs=r"\d+\.0"),
    Row("descriptions", case="GET provider-config .*", aspect=r".*\.(description|display_name)"),
]


def compare(case: Case, theirs: Response, ours: Response) -> Iterator[Seen]:
    """Yield the differences of two responses to a request."""
    if theirs.outcome != ours.outcome:
        yield Seen(case.name, "outcome", theirs.outcome, ours.outcome)
    elif theirs.message != ours.message:
        yield Seen(case.name, "text", theirs.message, ours.message)
    else:
        yield from compare_json(case, "body", theirs.body, ours.body)


def compare_json(case: Case, aspect: str, theirs: Any, ours: Any) -> Iterator[Seen]:
    """Yield the places where two JSON values differ."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in dict.fromkeys((*theirs, *ours)):
            yield from compare_json(case, f"{aspect}.{name}", theirs.get(name, _ABSENT), ours.get(name, _ABSENT))
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for one, other in zip(theirs, ours, strict=True):
            yield from compare_json(case, f"{aspect}[]", one, other)
    elif theirs != ours or type(theirs) is not type(ours):
        yield Seen(case.name, aspect, repr(theirs), repr(ours))
