"""The metrics, parsed by Prometheus' own parser."""

from __future__ import annotations

import gzip
import platform
import re
import threading
import time

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from gateway_entities import __version__, methods
from gateway_entities.errors import Code
from gateway_entities.methods import METHODS
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.repositories.token import AccessScope
from gateway_entities.server.telemetry.metrics import Metrics
from gateway_entities.testing import Gateway, gateway
from gatewayentities.v1 import secret_pb2
from tests.server.raw import HttpResponse, call, channel, http_failure, post_json, request, write_lock

CREATE, LIST = methods.CREATE_GATEWAY_SECRET, methods.LIST_GATEWAY_SECRET_INFOS
SECRET = {"secretName": "s", "secretValue": {"api_key": "sk-0123456789abcdef"}}

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def running():
    with gateway() as running:
        yield running


def samples(response: HttpResponse) -> Samples:
    assert response.status == 200
    families = list(parse(response.body.decode()))
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


def scrape(running: Gateway) -> Samples:
    return samples(request(running.http_target, "GET", "/metrics"))


def value(found: Samples, name: str, **labels: str) -> float | None:
    return found.get((f"gateway_entities_{name}", frozenset(labels.items())))


def until(running: Gateway, name: str, wanted: float, **labels: str) -> Samples:
    """Scrape until a sample has a value: a request is counted after its response."""
    deadline = time.monotonic() + 10
    while value(found := scrape(running), name, **labels) != wanted:
        assert time.monotonic() < deadline, (name, labels, value(found, name, **labels))
        time.sleep(0.02)
    return found


def test_requests_are_counted_by_transport_method_and_code(running):
    post_json(running.http_target, CREATE, SECRET)
    post_json(running.http_target, CREATE, SECRET)
    request(running.http_target, "GET", "/api/3.0/mlflow/gateway/secrets/list")
    with channel(running.grpc_target) as opened:
        for _ in range(3):
            call(opened, LIST, b"")
    found = until(running, "requests_total", 3, transport="grpc", method=LIST.path, code="OK")
    assert value(found, "requests_total", transport="connect", method=CREATE.path, code="OK") == 1
    assert value(found, "requests_total", transport="connect", method=CREATE.path, code="ALREADY_EXISTS") == 1
    assert value(found, "requests_total", transport="rest", method=LIST.path, code="OK") == 1
    assert value(found, "request_duration_seconds_count", transport="connect", method=CREATE.path) == 2
    assert 0 < value(found, "request_duration_seconds_sum", transport="grpc", method=LIST.path) < 60


def test_unknown_methods_share_one_label(running):
    for number in range(20):
        request(running.http_target, "POST", f"/made/up-{number}")
        request(running.http_target, "GET", f"/api/made-up-{number}")
    with channel(running.grpc_target) as opened:
        for number in range(20):
            assert opened.unary_unary(f"/made/up-{number}").future(b"").exception(timeout=10)
    found = until(running, "requests_total", 20, transport="grpc", method="unknown", code="UNIMPLEMENTED")
    assert value(found, "requests_total", transport="http", method="unknown", code="UNIMPLEMENTED") == 20
    assert value(found, "requests_total", transport="rest", method="unknown", code="UNIMPLEMENTED") == 20
    assert not any("up-" in label for _, labels in found for _, label in labels)


def test_requests_in_flight_and_the_wait_for_the_lock(running):
    with write_lock(running.store_path):
        waiting = threading.Thread(target=post_json, args=(running.http_target, CREATE, SECRET))
        waiting.start()
        found = until(running, "requests_in_flight", 1, transport="connect")
        assert value(found, "requests_in_flight", transport="http") == 1, "the scrape itself"
        time.sleep(0.3)
    waiting.join()
    found = until(running, "requests_in_flight", 0, transport="connect")
    assert value(found, "store_wait_seconds_count", kind="write") == 1
    assert value(found, "store_wait_seconds_sum", kind="write") >= 0.3
    assert value(found, "store_transaction_seconds_count", kind="write") == 1
    assert value(found, "store_transaction_seconds_sum", kind="write") < 0.3


def test_the_revision_of_the_store(running):
    until(running, "store_revision", 0)
    post_json(running.http_target, CREATE, SECRET)
    found = until(running, "store_revision", 1)
    assert value(found, "ready") == 1
    assert found[("process_start_time_seconds", frozenset())] > 0


def test_two_servers_do_not_add_up(running):
    with gateway() as other:
        post_json(other.http_target, CREATE, SECRET)
        until(other, "requests_total", 1, transport="connect", method=CREATE.path, code="OK")
    assert value(scrape(running), "requests_total", transport="connect", method=CREATE.path, code="OK") is None


def test_openmetrics_when_asked_for(running):
    accept = {"accept": "application/openmetrics-text; version=1.0.0"}
    response = request(running.http_target, "GET", "/metrics", headers=accept)
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert "gateway_entities_requests" in {family.name for family in parse_openmetrics(response.body.decode())}


def test_no_series_of_creation_times(running):
    post_json(running.http_target, CREATE, SECRET)
    for accept in ("", "application/openmetrics-text; version=1.0.0"):
        body = request(running.http_target, "GET", "/metrics", headers={"accept": accept}).body
        assert b"_created" not in body


def test_the_version_and_the_python(running):
    found = scrape(running)
    assert value(found, "build_info", version=__version__) == 1
    [python] = [dict(labels) for name, labels in found if name == "python_info"]
    assert python["version"] == platform.python_version()
    assert {name for name, _ in found} >= {
        "process_resident_memory_bytes",
        "process_open_fds",
        "python_gc_collections_total",
    }


def test_an_idle_server_has_few_series(running):
    request(running.http_target, "GET", "/readyz")
    scrape(running)
    assert len(request(running.http_target, "GET", "/metrics").body) < 20_000


def test_it_is_compressed_for_those_who_accept_it(running):
    for method in (CREATE, LIST):
        post_json(running.http_target, method, {})
    plain = request(running.http_target, "GET", "/metrics")
    assert "content-encoding" not in plain.headers
    packed = request(running.http_target, "GET", "/metrics", headers={"accept-encoding": "deflate, gzip;q=0.5"})
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) < len(plain.body) / 4
    assert set(parse_names(gzip.decompress(packed.body))) == set(parse_names(plain.body))


def parse_names(body: bytes) -> list[str]:
    return [family.name for family in parse(body.decode())]


def test_the_size_has_a_bound():
    metrics = Metrics()
    for method in METHODS:
        for transport in ("grpc", "connect", "rest"):
            for code in Code:
                metrics.begin(transport)
                metrics.end(transport, method.path, code.name, 0.01)
    text, _ = metrics.render("")
    assert len(text) / len(METHODS) < 3 * (len(Code) * 150 + 16 * 160) + 500


_ABBREVIATED = re.compile(r"_(ms|s|sec|secs|us|ns|kb|mb|kib|mib|min|mins|minutes|hours|days|percent|milliseconds)(_|$)")


def test_names_follow_the_conventions_of_prometheus(running):
    """What ``promtool check metrics`` checks: https://prometheus.io/docs/practices/naming."""
    for path in (CREATE, LIST):
        post_json(running.http_target, path, {})
    families = list(parse(request(running.http_target, "GET", "/metrics").body.decode()))
    own = [family for family in families if family.name.startswith("gateway_entities_")]
    assert len(own) > 10
    assert len({family.name for family in families}) == len(families)
    assert {family.name.split("_")[0] for family in families} == {"gateway", "process", "python"}
    for family in own:
        name = family.name
        assert re.fullmatch("[a-z][a-z0-9_]*", name)
        assert family.documentation.endswith(".")
        assert family.type in {"counter", "gauge", "histogram"}
        assert not _ABBREVIATED.search(name), name
        assert not name.endswith(("_count", "_sum", "_bucket", "_total", "_counter", "_gauge", "_histogram")), name
        if family.type == "counter":
            assert {sample.name for sample in family.samples} <= {f"{name}_total"}
        if family.type == "histogram":
            assert name.endswith("_seconds")
        for sample in family.samples:
            assert all(re.fullmatch("[a-z][a-z0-9_]*", label) for label in sample.labels)
            assert not {"job", "instance"} & set(sample.labels)
            assert ("le" in sample.labels) == sample.name.endswith("_bucket")


def test_other_verbs_are_405(running):
    response = request(running.http_target, "POST", "/metrics", b"")
    assert (response.status, set(response.headers["allow"].split(", "))) == (405, {"GET", "HEAD"})


def test_it_is_served_while_the_store_is_unavailable(running):
    scrape(running)
    aside = running.store_path.with_name("aside")
    running.store_path.rename(aside)
    until(running, "ready", 0)
    aside.rename(running.store_path)
    until(running, "ready", 1)


def test_it_needs_the_scope_read(running):
    with open_tokens(f"sqlite:///{running.store_path}") as manager:
        bearer = {"authorization": f"Bearer {manager.create('prometheus', AccessScope.READ).text}"}
    assert request(running.http_target, "GET", "/metrics").status == 401
    assert request(running.http_target, "GET", "/metrics", headers=bearer).status == 200
    aside = running.store_path.with_name("aside")
    running.store_path.rename(aside)
    time.sleep(0.2)
    # The cached tokens are used while the store is unavailable.
    assert request(running.http_target, "GET", "/metrics").status == 401
    assert request(running.http_target, "GET", "/metrics", headers=bearer).status == 200
    aside.rename(running.store_path)


def test_no_secret_is_in_it(running):
    message = secret_pb2.CreateGatewaySecretRequest(secret_name="canary-name", secret_value={"k": "canary-0123456789"})
    with channel(running.grpc_target) as opened:
        call(opened, CREATE, message)
    assert b"canary" not in request(running.http_target, "GET", "/metrics").body
    assert http_failure(post_json(running.http_target, CREATE, {})).code == "invalid_argument"


def test_rendered_metrics_are_used_again_up_to_their_maximum_age():
    metrics = Metrics()
    first = metrics.render("", max_age=3600)
    metrics.ready(False)
    assert metrics.render("", max_age=3600) == first
    assert b"gateway_entities_ready 0.0" in metrics.render("")[0]
    assert b"gateway_entities_ready 0.0" in metrics.render("", max_age=3600)[0]
