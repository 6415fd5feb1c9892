"""The native codec: equal to the Python converters in values, bytes and errors, safe, and without leaks."""

from __future__ import annotations

import gc
import os
import resource
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gateway_entities import (
    NATIVE,
    GatewayEndpoint,
    GatewayEndpointTag,
    GatewayModelLinkageType,
    GatewayResource,
    GatewaySecretAssignment,
    ResolvedGatewayEndpoint,
    ResolvedGatewayModel,
)
from gateway_entities.entities import _native
from gateway_entities.entities._native import compile as compiler
from tests import profiles
from tests.entities import native
from tests.entities.entity_types import KINDS, filled
from tests.entities.fuzz_native import cases
from tests.entities.wire_messages import generated

ROOT = Path(__file__).resolve().parent.parent.parent
GENERATED = profiles.count(2_000_000, 7_000) // len(KINDS)
MUTATED = profiles.count(5_000_000, 14_000) // len(KINDS)
CONVERSIONS = profiles.count(10_000_000, 60_000)
IMMORTAL = 1 << 30

every_entity = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
# One has alternatives, the others values of secrets.
LEFT_TO_PYTHON = {GatewayResource, GatewaySecretAssignment, ResolvedGatewayEndpoint, ResolvedGatewayModel}
built = pytest.mark.skipif(
    not NATIVE and os.environ.get("GATEWAY_ENTITIES_NATIVE") != "off",
    reason="the native codec is not built: python -m gateway_entities.entities._native.compile, with a C compiler",
)
if os.environ.get("GATEWAY_ENTITIES_NATIVE") == "off":
    pytest.skip("the native codec is off", allow_module_level=True)


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@built
def test_the_codec_is_that_of_the_sources():
    assert compiler.digest() == _native.extension.SOURCES, "python -m gateway_entities.entities._native.compile"


@built
@every_entity
def test_every_entity_is_native(kind: Any):
    entity = filled(kind)
    data = native.reference_encode(entity)
    assert _native.encode
    assert _native.decode
    if kind in LEFT_TO_PYTHON:
        assert _native.encode(entity) is _native.decode(kind, data) is None
        return
    assert _native.encode(entity) == data
    assert native.exactly(_native.decode(kind, data)) == native.exactly(entity)


@built
@every_entity
def test_generated_messages_give_equal_values_bytes_and_errors(kind: Any):
    valid = native.compare_generated(kind, Random(f"{profiles.SEED} {kind.__name__}"), GENERATED)
    assert GENERATED * 0.2 < valid < GENERATED


@built
@every_entity
def test_mutated_messages_give_equal_values_bytes_and_errors(kind: Any):
    valid = native.compare_mutated(kind, Random(f"{profiles.SEED} {kind.__name__}"), MUTATED)
    # Few of those that hold one resource or another stay valid.
    assert (0 if kind is GatewayResource else MUTATED * 0.005) <= valid < MUTATED * 0.9


@built
@every_entity
def test_every_cut_and_every_changed_byte_gives_an_equal_result(kind: Any):
    data = filled(kind).to_bytes()[-300:] if kind is GatewayEndpoint else filled(kind).to_bytes()
    for end in range(len(data)):
        native.compare(kind, data[:end])
        native.compare(kind, data[:end] + bytes([data[end] ^ 0x80]) + data[end + 1 :])


@built
def test_what_the_fuzzer_found_gives_equal_results():
    found = cases()
    kinds = {kind.__name__: kind for kind in KINDS}
    assert len({name for name, _ in found} & set(kinds)) == len({name for name, _ in found}) >= 14
    for name, data in found:
        native.compare(kinds[name], data)


@built
def test_a_merged_message_keeps_the_pieces_in_order():
    one = b"\n\3e-1\x18\1\x20\1R\2\x08\1"
    assert (
        native.compare(GatewayEndpoint, one + b"R\2\x10\5" + b"R\3\x98\x06\1")
        .to_bytes()
        .endswith(b"R\7\x08\1\x10\5\x98\6\1")
    )


@built
def test_a_subclass_and_its_converters_are_python_s():
    class Loud(GatewayEndpointTag):
        __slots__ = ()

        @classmethod
        def _read(cls, proto: Any) -> Any:
            entity = super()._read(proto)
            entity.key = entity.key.upper()
            return entity

        def _write(self, proto: Any) -> None:
            super()._write(proto)
            proto.value = "written"

    entity = Loud.from_bytes(b"\n\1k")
    assert type(entity) is Loud
    assert entity.key == "K"
    assert entity.to_bytes() == b"\n\1K\x12\x07written"
    outer = GatewayEndpoint("e-1", None, 1, 2, tags=[Loud("k", "v")])
    assert outer.to_bytes() == native.reference_encode(outer)


@built
def test_what_is_no_plain_bytes_is_python_s():
    data = filled(GatewayEndpoint).to_bytes()
    for odd in (bytearray(data), memoryview(data), "text", None, 7, type("Bytes", (bytes,), {})(data)):
        assert native.outcome(GatewayEndpoint.from_bytes, odd) == native.outcome(
            native.reference_decode, GatewayEndpoint, odd
        )


@built
def test_an_interrupt_is_not_taken_for_a_fault(monkeypatch: pytest.MonkeyPatch):
    def interrupted(weight: float) -> float:
        raise KeyboardInterrupt

    from gateway_entities import GatewayEndpointModelConfig
    from gateway_entities.entities import weights

    monkeypatch.setattr(weights, "shortest_decimal", interrupted)
    with pytest.raises(KeyboardInterrupt):
        # A weight that nothing else here has.
        GatewayEndpointModelConfig.from_bytes(b"\n\1d\x10\1\x1d\x9a\x33\x77\x41")


@built
def test_memory_and_references_are_flat():
    random = Random(1)
    messages = [(kind, generated(random, kind._message.DESCRIPTOR)) for kind in KINDS for _ in range(20)]
    entities = [filled(kind) for kind in KINDS]
    for entity in [filled(kind) for kind in KINDS for _ in range(10)]:
        setattr(entity, random.choice(list(entity.__dataclass_fields__)), random.choice(native.ODD_VALUES))
        entities.append(entity)
    shared: list[Any] = [
        *KINDS,
        GatewayModelLinkageType.PRIMARY,
        *(value for value in native.ODD_VALUES if value is not None),
    ]

    def convert(rounds: int) -> tuple[int, list[int], int]:
        assert _native.decode
        assert _native.encode
        for _ in range(rounds):
            for kind, data in messages:
                _native.decode(kind, data)
            for each in entities:
                _native.encode(each)
        gc.collect()
        counts = [count for each in shared if (count := sys.getrefcount(each)) < IMMORTAL]
        return sys.getallocatedblocks(), counts, peak()

    def peak() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    convert(20)
    blocks, references, memory = convert(20)
    later_blocks, later_references, later_memory = convert(CONVERSIONS // (len(messages) + len(entities)))
    # A list of numbers is this test's own.
    assert abs(later_blocks - blocks) < 100
    assert later_references == references
    assert later_memory - memory < 16 * 1024 * (1 if sys.platform == "linux" else 1024)


@built
def test_threads_may_be_the_first_to_use_an_entity():
    code = """
import sys, threading
sys.setswitchinterval(1e-6)
from gateway_entities import GatewayEndpoint
start, found = threading.Barrier(8), []
def read():
    start.wait()
    found.extend(GatewayEndpoint.from_bytes(b"\\n\\3e-1\\x18\\1 \\2").endpoint_id for _ in range(50))
threads = [threading.Thread(target=read) for _ in range(8)]
[each.start() for each in threads]
[each.join() for each in threads]
print(len(found), set(found))
"""
    assert run("-c", code).stdout == "400 {'e-1'}\n"


@built
def test_another_interpreter_is_refused():
    path = _native.extension.__file__
    code = f"""
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
other = interpreters.create()
interpreters.run_string(other, '''
import importlib.util
spec = importlib.util.spec_from_file_location("_codec", {path!r})
try:
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
except ImportError as error:
    print("refused", flush=True)
''')
"""
    assert run("-c", code).stdout == "refused\n"


@pytest.mark.parametrize(
    ("value", "blocked", "expected"),
    [
        ("off", False, "False"),
        ("", True, "False"),
        ("", False, str(NATIVE)),
        ("require", True, "ImportError: GATEWAY_ENTITIES_NATIVE=require, but the native codec cannot be imported"),
        ("on", False, "ImportError: GATEWAY_ENTITIES_NATIVE is 'on'; it must be off, require, or not set"),
    ],
)
def test_the_environment_decides_whether_the_codec_is_used(value: str, blocked: bool, expected: str):
    block = f"sys.modules['{native.MODULE}'] = None;" if blocked else ""
    code = (
        f"import sys; {block} from gateway_entities import *; print(NATIVE, GatewayEndpointTag.from_bytes(b'\\n\\1k').key)"
    )
    done = run("-c", code, GATEWAY_ENTITIES_NATIVE=value)
    assert expected in (done.stdout.split() if done.returncode == 0 else done.stderr.splitlines()[-1][: len(expected)]), done


def test_a_codec_of_other_sources_is_not_used():
    """A module that was compiled in place stays there when the sources change."""
    code = (
        f"import sys, types; sys.modules['{native.MODULE}'] = types.ModuleType('_codec');"
        "from gateway_entities import *; print(NATIVE, GatewayEndpointTag.from_bytes(b'\\n\\1k').key)"
    )
    assert run("-c", code, GATEWAY_ENTITIES_NATIVE="").stdout.split() == ["False", "k"]
    assert "compiled from other sources" in run("-c", code, GATEWAY_ENTITIES_NATIVE="require").stderr


SANITIZED = ("-std=c11", "-O1", "-g", "-fPIC", "-fno-omit-frame-pointer", "-fsanitize=address,undefined")


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the codec with sanitizers, and their libraries, which come before the program's own."""
    path = tmp_path_factory.mktemp("sanitized") / compiler.file_name()
    try:
        compiler.compile_codec(path, (*SANITIZED, "-fno-sanitize-recover=all"))
    except compiler.CompileError as error:
        pytest.skip(f"no C compiler with sanitizers and Python's headers: apt-get install gcc python3-dev ({error})")
    found = [
        subprocess.run(["cc", f"-print-file-name=lib{name}.so"], capture_output=True, text=True, check=True).stdout.strip()
        for name in ("asan", "ubsan")
    ]
    if not all(map(os.path.isabs, found)):
        pytest.skip("the compiler's sanitizers have no libraries to load first: apt-get install gcc")
    return path, " ".join(found)


@pytest.mark.programs
def test_sanitizers_find_nothing(sanitized: tuple[Path, str]):
    path, libraries = sanitized
    counts = profiles.count(GENERATED, 150), profiles.count(MUTATED, 200)
    done = run(
        *("-m", "tests.entities.native", str(path), str(profiles.SEED), *map(str, counts)),
        LD_PRELOAD=libraries,
        # Python frees little when it ends; the memory of conversions is measured above.
        ASAN_OPTIONS="detect_leaks=0",
        UBSAN_OPTIONS="print_stacktrace=1",
        PYTHONMALLOC="malloc",
        GATEWAY_ENTITIES_NATIVE="require",
    )
    assert done.stdout == "equal\n", done.stderr[-4000:]


def test_the_laws_hold_without_the_codec():
    chosen = ["test_laws", "test_order", "test_mutations", "test_unknown_fields", "test_numbers", "test_completeness"]
    files = [f"tests/entities/{name}.py" for name in chosen] if profiles.PROFILE.share is None else ["tests/entities"]
    # The codec is compared with these converters on all examples of the run; here their tests run once more.
    few = {} if profiles.NAME == "full" else {"GATEWAY_ENTITIES_TEST_PROFILE": "default"}
    done = run("-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *files, GATEWAY_ENTITIES_NATIVE="off", **few)
    assert done.returncode == 0, done.stdout[-4000:]
