"""Descriptor sets and images of buf, in every form and damaged in every way."""

from __future__ import annotations

import contextlib
import gzip
import shutil
import subprocess
from pathlib import Path

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from hypothesis import given
from hypothesis import strategies as st

from gateway_entities.errors import GatewayError
from gateway_entities.wire import load
from gateway_entities.wire.sources import image as image_module
from gateway_entities.wire.sources.image import image_of, is_image, read_image
from gateway_entities.wire.sources.workspace import read_workspace
from tests.wire.foreign_repository import MONEY, ORDER
from tests.wire.schemas.model import model

SET = FileDescriptorSet(file=[model("M: int32 a 1").file()])
DATA = SET.SerializeToString()
FORMS = {
    "binary": DATA,
    "gzip": gzip.compress(DATA, mtime=0),
    "json": json_format.MessageToJson(SET).encode(),
    "json in gzip": gzip.compress(json_format.MessageToJson(SET).encode()),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_content_tells_the_form(form: str, tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(FORMS[form])
    assert set(load(tmp_path / "image").messages) == {"x.M"}


def test_names_and_extensions_that_no_pool_has_are_left_out_of_json() -> None:
    text = json_format.MessageToJson(SET).replace('"package": "x"', '"package": "x", "bufExtension": {"isImport": false}')
    assert [file.name for file in image_of(text.encode()).file] == [SET.file[0].name]


def test_a_damaged_mark_of_an_import_is_none(tmp_path: Path) -> None:
    file = SET.file[0].SerializeToString() + b"\xd2\xf6\x03\x02\xff\xff"
    (tmp_path / "image").write_bytes(b"\x0a" + bytes([len(file)]) + file)
    assert set(load(tmp_path / "image").messages) == {"x.M"}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "it has no file"),
        (b"{}", "it has no file"),
        (b"{", "it is neither a FileDescriptorSet nor a buf image"),
        (b'{"file": 1}', "it is neither a FileDescriptorSet nor a buf image"),
        (b"{\xff}", "it is neither a FileDescriptorSet nor a buf image"),
        (b"\x0a\x00", "a file without a name"),
        (b"\x0e", "it is neither a FileDescriptorSet nor a buf image"),
        (FORMS["gzip"][:-9], "it is gzip, and ends too early"),
        (b"\x1f\x8bnothing", "it starts like gzip, and cannot be decompressed"),
        (b"{" * 100_000, "it is neither a FileDescriptorSet nor a buf image"),
    ],
)
def test_what_is_no_image_is_named(data: bytes, text: str, tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(data)
    with pytest.raises(GatewayError, match=text):
        read_image(tmp_path / "image")


def test_a_small_file_that_becomes_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_module, "MAX_IMAGE_BYTES", 1 << 20)
    with pytest.raises(ValueError, match="more than 1 MiB when decompressed"):
        image_of(gzip.compress(b"\0" * (2 << 20), mtime=0))


@given(st.binary(max_size=60))
def test_random_bytes_are_never_more_than_an_error(data: bytes) -> None:
    for each in (data, b"\x1f\x8b" + data, b"{" + data):
        with contextlib.suppress(ValueError):
            assert image_of(each).file
    is_image(data)


def test_an_image_of_buf_marks_its_imports(tmp_path: Path) -> None:
    if shutil.which("buf") is None:
        pytest.skip("buf is not installed: https://buf.build/docs/installation")
    for name, text in (("a/acme/v1/money.proto", MONEY), ("b/acme/v1/order.proto", ORDER)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "buf.yaml").write_text("version: v2\nmodules:\n  - path: a\n  - path: b\n", encoding="utf-8")
    for output in ("image.binpb", "image.json", "image.binpb.gz"):
        subprocess.run(["buf", "build", "b", "-o", output], cwd=tmp_path, check=True, capture_output=True)
        read = read_image(tmp_path / output)
        assert len(read.files.file) == 2
        assert read.own == ("acme/v1/order.proto",)
        assert is_image((tmp_path / output).read_bytes())


@pytest.mark.parametrize(
    ("files", "roots", "excluded", "dependencies"),
    [
        ({"buf.yaml": "version: v2\n"}, ["."], [], []),
        ({"buf.yaml": "version: v2\nmodules:\n  - path: proto # ours\n    excludes:\n      - proto/old\n  - path: 'api'\n"},
         ["proto", "api"], ["proto/old"], []),
        ({"buf.yaml": "version: v2\nmodules:\n- path: proto\ndeps:\n- buf.build/a/b\nlint:\n  use:\n  - STANDARD\n"},
         ["proto"], [], ["buf.build/a/b"]),
        ({"buf.yaml": "version: v1\nname: buf.build/a/b\nbuild:\n  excludes:\n    - old\n"}, ["."], ["old"], []),
        ({"buf.work.yaml": "version: v1\ndirectories:\n  - proto\n", "proto/buf.yaml": "deps:\n  - buf.build/a/b\n"},
         ["proto"], [], ["buf.build/a/b"]),
    ],
)  # fmt: skip
def test_the_files_of_a_workspace(
    tmp_path: Path, files: dict[str, str], roots: list[str], excluded: list[str], dependencies: list[str]
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = read_workspace(tmp_path)
    assert found is not None
    assert [path.relative_to(tmp_path).as_posix() for path in found.roots] == roots
    assert [path.relative_to(tmp_path).as_posix() for path in found.excluded] == excluded
    assert list(found.dependencies) == dependencies


def test_a_folder_without_files_of_buf_is_no_workspace(tmp_path: Path) -> None:
    assert read_workspace(tmp_path) is None
