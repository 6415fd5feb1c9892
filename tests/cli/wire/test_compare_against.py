"""``gateway-entities wire compare --against``: a pull request in a repository that is not ours."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from gateway_entities.cli.app import cli
from gateway_entities.wire.sources.git import find_commit
from tests.documentation import block
from tests.wire.foreign_repository import RECORDED, ForeignRepository
from tests.wire.schemas.model import model

pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed: pip install grpcio-tools")

Run = Callable[..., Result]
ORDER = "proto/acme/v1/order.proto"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ForeignRepository:
    """A repository on the branch of a pull request, in the working directory."""
    made = ForeignRepository(tmp_path)
    made.branch("change")
    monkeypatch.chdir(tmp_path)
    return made


def run(*arguments: str | Path, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, ["wire", "compare", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    return result


def break_it(repository: ForeignRepository) -> None:
    repository.replace(ORDER, "int32 quantity = 4;", "string quantity = 4;")
    repository.commit()


def test_a_pull_request_that_breaks_a_message_fails_with_file_and_line(repository: ForeignRepository) -> None:
    repository.replace(ORDER, "  string id = 1;\n", "  // The id.\n  string id = 1;\n")
    break_it(repository)
    text = run("--against", "main", "proto", code=1).stdout
    assert f"  at         {ORDER}:11  (old: {ORDER}:10)" in text
    assert "compatibility: NONE" in text
    annotation = run("--against", "main", "proto", "--format", "github", code=1).stdout.splitlines()[0]
    assert annotation.startswith(
        f"::error file={ORDER},line=11,title=field-lost::acme.v1.Order.quantity is int32 for the writer"
    )
    data = json.loads(run("--against", "main", "proto", "--format", "json", code=1).stdout)
    assert data["breaks"][0]["new_place"] == {"path": ORDER, "line": 11}
    assert data["breaks"][0]["old_place"] == {"path": ORDER, "line": 10}


def test_a_recorded_message_fails_with_a_schema_that_breaks_it(repository: ForeignRepository) -> None:
    recorded = repository.write("recorded/acme.v1.Order.one.binpb", RECORDED)

    def check() -> Result:
        return CliRunner().invoke(cli, ["wire", "check", str(recorded), "--schema", "proto"])

    assert "acme.v1.Order: clean, canonical" in check().stdout
    repository.replace(ORDER, "int32 quantity = 4;", "int32 quantity = 4;\n  string note = 5;")
    assert check().exit_code == 0
    repository.replace(ORDER, "int32 quantity = 4;", "string quantity = 4;")
    broken = check()
    assert broken.exit_code == 1
    assert "quantity is written as varint; write it as length-delimited" in broken.stdout


def test_the_workflow_of_the_guide_fails_and_passes(repository: ForeignRepository) -> None:
    workflow = block("docs/guides/wire.md", "On GitHub", "yaml")
    command = re.findall(r"gateway-entities wire compare (.*)", workflow)[0].replace("${{ github.base_ref }}", "main")
    repository.git("update-ref", "refs/remotes/origin/main", "main")
    run(*shlex.split(command))
    break_it(repository)
    assert f"::error file={ORDER},line=10," in run(*shlex.split(command), code=1).stdout


def test_a_pull_request_that_breaks_nothing_passes(repository: ForeignRepository) -> None:
    repository.replace(ORDER, "int32 quantity = 4;", "int32 quantity = 4;\n  string note = 5;")
    repository.commit()
    result = run("--against", "main", "proto")
    assert "compatibility: FULL: upgrade in any order" in result.stdout
    assert "acme.v1.Order.note (5) is new" in result.stdout


def test_the_markdown_of_a_broken_pull_request(repository: ForeignRepository) -> None:
    break_it(repository)
    lines = run("--against", "main", "proto", "--format", "markdown", code=1).stdout.splitlines()
    commit = repository.git("rev-parse", "main")[:12]
    assert lines[0] == "## ❌ Schema compatibility: NONE"
    assert lines[2] == "**No order is safe.** Old readers cannot read new data, and new readers cannot read old data."
    assert lines[4].endswith(f"compared with `proto at main ({commit})`.")
    assert lines[6:10] == [
        "### Breaks: 1 element",
        "",
        "| Where | What | Affects |",
        "|---|---|---|",
    ]
    assert lines[10] == (
        f"| `{ORDER}:10` | `acme.v1.Order.quantity` (4) is int32 for the writer and string for the reader, which does not "
        "see the value | new readers of old data (binary, json); old readers of new data (binary, json) |"
    )
    assert "- `acme.v1.Order.quantity`: `acme.v1.Order` `20 01` · old schema: `quantity: 1` · new schema: `4: 1`" in lines


def test_the_markdown_of_a_pull_request_that_breaks_nothing(repository: ForeignRepository) -> None:
    lines = run("--against", "main", "proto", "--format", "markdown").stdout.splitlines()
    assert lines[0] == "## ✅ Schema compatibility: FULL"
    assert lines[2] == "**Upgrade in any order.** Old and new readers read old and new data."
    assert len(lines) == 5


def test_uncommitted_changes_count_and_the_work_tree_stays_as_it_is(repository: ForeignRepository) -> None:
    repository.replace(ORDER, "int32 quantity = 4;", "string quantity = 4;")
    repository.write("staged.txt", "x")
    repository.git("add", "staged.txt")
    before = repository.git("status", "--porcelain")
    run("--against", "main", "proto", code=1)
    assert repository.git("status", "--porcelain") == before


def test_a_branch_a_tag_and_the_id_of_a_commit(repository: ForeignRepository) -> None:
    repository.commit()
    repository.git("tag", "-a", "v1", "-m", "a version", "main")
    main = repository.git("rev-parse", "main")
    for reference in ("main", "v1", "HEAD~1", main, main[:10]):
        assert find_commit(repository.root / "proto", reference).id == main


def test_the_merge_base_leaves_out_what_the_other_branch_has_changed_since(repository: ForeignRepository) -> None:
    repository.git("switch", "-q", "main")
    repository.replace(ORDER, "  int32 quantity = 4;\n", "  int32 quantity = 4;\n  string note = 5;\n")
    repository.commit()
    repository.git("switch", "-q", "change")
    repository.replace(ORDER, "  int32 quantity = 4;\n", "  int32 quantity = 4;\n  int32 rank = 5;\n")
    repository.commit()
    run("--against", "main", "proto", code=1)
    assert "merge base of main and HEAD" in run("--against", "main", "--merge-base", "proto").stdout


@pytest.mark.parametrize("with_buf", [True, False])
def test_a_workspace_of_buf_is_compared_without_naming_its_folders(
    repository: ForeignRepository, with_buf: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if with_buf and shutil.which("buf") is None:
        pytest.skip("buf is not installed: https://buf.build/docs/installation")
    if not with_buf:
        git = shutil.which("git")
        assert git is not None
        repository.write(".tools/git", f'#!/bin/sh\nexec {git} "$@"\n').chmod(0o755)
        monkeypatch.setenv("PATH", f"{repository.root / '.tools'}:/bin")
        assert shutil.which("buf") is None
    repository.write("buf.yaml", "version: v2\nmodules:\n  - path: proto\n")
    repository.commit()
    break_it(repository)
    result = run("--against", "HEAD~1", code=1)
    assert f"at         {ORDER}:10" in result.stdout


def test_several_folders_and_import_paths(repository: ForeignRepository) -> None:
    repository.write(
        "api/shop.proto", 'syntax = "proto3";\nimport "acme/v1/order.proto";\nmessage Shop {\n  acme.v1.Order o = 1;\n}\n'
    )
    repository.commit()
    repository.replace("api/shop.proto", "acme.v1.Order o = 1;", "acme.v1.Order o = 2;")
    assert "Imports are relative to the folder" in run("--against", "HEAD", "api", code=2).stderr
    assert "Shop.o" in run("--against", "HEAD", "api", "-I", "proto", code=1).stdout
    result = run("--against", "HEAD", "api", "proto", code=1)
    assert "api/shop.proto:4" in result.stdout
    assert result.stdout.splitlines()[2].startswith("3 messages")


def test_an_image_in_the_repository(repository: ForeignRepository) -> None:
    def image(text: str) -> bytes:
        return FileDescriptorSet(file=[model(text).file()]).SerializeToString()

    repository.write("schema.binpb", image("M: int32 a 1"))
    repository.commit()
    repository.write("schema.binpb", image("M: string a 1"))
    assert "x.M.a" in run("--against", "HEAD", "schema.binpb", code=1).stdout


def test_from_a_folder_below_the_top(repository: ForeignRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    break_it(repository)
    monkeypatch.chdir(repository.root / "proto")
    assert "at         acme/v1/order.proto:10" in run("--against", "main", code=1).stdout


def test_a_removed_field_is_shown_where_it_was_missed(repository: ForeignRepository) -> None:
    repository.replace(ORDER, "  int32 quantity = 4;\n", "")
    annotation = run("--against", "main", "proto", "--format", "github", code=1).stdout.splitlines()[0]
    assert annotation.startswith(f"::error file={ORDER},line=6,title=field-lost::acme.v1.Order.quantity")
    assert f"In the old schema: {ORDER}:10" in annotation


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--against", "nosuch", "proto"], "git knows no commit 'nosuch'. In CI fetch it first"),
        (["--against", "--output=x", "proto"], "git knows no commit '--output=x'"),
        (["--against", "origin/", "proto"], "It names no branch. On GitHub github.base_ref is empty unless a pull request"),
        (["--against", "", "proto"], "It names no branch"),
        (["--against", "main", "missing"], "missing: there is no such file or folder"),
        (["--merge-base", "proto", "proto"], "--merge-base needs --against"),
        (["proto"], "Name two schemas, OLD and NEW"),
        (["proto", "proto", "proto"], "Name two schemas, OLD and NEW"),
        (["--against", "main", "proto", "--ignore", "none.toml"], "cannot read the ignore file none.toml"),
        (["--against", "main", "proto", "--only", "nosuch"], "nothing was compared"),
        (["--against", "main", "new", "--only", "nosuch"], "nothing was compared"),
    ],
)
def test_errors_say_what_would_be_right(repository: ForeignRepository, arguments: list[str], text: str) -> None:
    repository.write("new/a.proto", 'syntax = "proto3"; message A { int32 a = 1; }')
    assert text in run(*arguments, code=2).stderr


def test_a_folder_that_is_new_on_the_branch_breaks_nothing(repository: ForeignRepository) -> None:
    added = 'syntax = "proto3"; package a.v1; message A { int32 a = 1; } service S { rpc R(A) returns (A); }'
    repository.write("new/a.proto", added)
    commit = repository.git("rev-parse", "main")[:12]
    said = f"new is not in main ({commit}), so all that it has is new."
    text = run("--against", "main", "new").stdout
    assert "compatibility: FULL" in text
    assert "only new: 1" in text
    assert said in text
    for form in ("json", "sarif", "github", "junit", "markdown"):
        assert said in run("--against", "main", "new", "--format", form).stdout.replace("\\", "")
    both = run("--against", "main", "proto", "new").stdout
    assert said in both
    assert "2 messages, 1 enum compared; only old: 0; only new: 1" in both
    repository.replace(ORDER, "int32 quantity", "string quantity")
    run("--against", "main", "proto", "new", code=1)


def test_the_first_proto_of_a_repository_breaks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ForeignRepository(tmp_path)
    made.git("rm", "-q", "-r", "proto")
    made.write("README.md", "empty")
    made.commit()
    made.write("a.proto", 'syntax = "proto3"; message A { int32 a = 1; }')
    monkeypatch.chdir(tmp_path)
    assert "compatibility: FULL" in run("--against", "HEAD").stdout
    made.write("schema.binpb", FileDescriptorSet(file=[model("M: int32 a 1").file()]).SerializeToString())
    assert "compatibility: FULL" in run("--against", "HEAD", "schema.binpb").stdout


def test_other_programs_get_paths_from_the_top_of_the_repository(
    repository: ForeignRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_it(repository)
    monkeypatch.chdir(repository.root / "proto" / "acme")
    options = ["--against", "main", "v1", "-I", ".."]
    annotation = run(*options, "--format", "github", code=1).stdout.splitlines()[0]
    assert f"file={ORDER},line=10" in annotation
    sarif = json.loads(run(*options, "--format", "sarif", code=1).stdout)
    uris = {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in sarif["runs"][0]["results"]}
    assert uris == {ORDER}
    assert f'file="{ORDER}"' in run(*options, "--format", "junit", code=1).stdout
    assert f"`{ORDER}:10`" in run(*options, "--format", "markdown", code=1).stdout
    assert "at         v1/order.proto:10" in run(*options, code=1).stdout


def test_checked_messages_have_the_same_paths_in_sarif(
    repository: ForeignRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("recorded/acme.v1.Order.bad.binpb", b"\x0a\x09short")
    monkeypatch.chdir(repository.root / "recorded")
    command = ["wire", "check", ".", "--schema", "../proto", "--format", "sarif"]
    document = json.loads(CliRunner().invoke(cli, command).stdout)
    places = {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in document["runs"][0]["results"]}
    assert places == {"recorded/acme.v1.Order.bad.binpb"}


def test_a_folder_outside_of_the_repository_is_an_error(
    repository: ForeignRepository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "a.proto").write_text('syntax = "proto3"; message A { int32 a = 1; }')
    assert "it is not in the repository" in run("--against", "main", "proto", other, code=2).stderr


def test_the_errors_of_the_compiler_keep_their_lines(repository: ForeignRepository) -> None:
    repository.write(ORDER, "message {\n}\nmessage {\n}")
    message = str(repository.write("acme.v1.Order.one.binpb", b""))
    commands = [
        ["compare", "--against", "main", "proto"],
        *([name, message, "--schema", "proto"] for name in ("check", "inspect")),
    ]
    for command in commands:
        result = CliRunner().invoke(cli, ["wire", *command])
        assert result.exit_code == 2
        assert result.stderr.startswith("error: ")
        assert "\\n" not in result.stderr
        assert len([line for line in result.stderr.splitlines() if "order.proto:" in line]) >= 2, result.stderr


@pytest.mark.parametrize(
    ("reference", "hint"),
    [
        ("nosuch", "git fetch origin nosuch:refs/remotes/origin/nosuch, and name origin/nosuch"),
        ("origin/nosuch", "git fetch origin nosuch:refs/remotes/origin/nosuch, and name origin/nosuch"),
        ("upstream/a/b", "git fetch upstream a/b:refs/remotes/upstream/a/b, and name upstream/a/b"),
        ("feature/x", "git fetch origin feature/x:refs/remotes/origin/feature/x, and name origin/feature/x"),
        ("0123456789abcdef", "git fetch origin 0123456789abcdef"),
        ("HEAD~99", "A shallow clone lacks it"),
    ],
)
def test_a_commit_that_is_not_there_has_one_hint_that_works(
    repository: ForeignRepository, reference: str, hint: str
) -> None:
    for remote in ("origin", "upstream"):
        repository.git("remote", "add", remote, str(repository.root))
    error = run("--against", reference, "proto", code=2).stderr
    assert hint in error
    assert error.count("git fetch") <= 1
    assert error.count("fetch-depth") == 1
    if command := re.search(r"git (fetch \S+ \S+:\S+?), and name (\S+);", error):
        repository.git("branch", command[2].partition("/")[2], "main")
        repository.git(*command[1].split())
        run("--against", command[2], "proto")


def test_a_broken_proto_in_the_commit_is_named_without_the_temporary_folder(repository: ForeignRepository) -> None:
    repository.write(ORDER, "message {")
    repository.commit()
    repository.git("checkout", "-q", "main", "--", ORDER)
    error = run("--against", "HEAD", "proto", code=2).stderr
    assert "order.proto:1:9" in error
    assert "/tmp" not in error.replace(str(repository.root), "")


def test_outside_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert "is not in a work tree of git" in run("--against", "main", code=2).stderr


@pytest.mark.parametrize("folder", [".git", "{root}/.git"])
def test_in_a_hook_of_git(repository: ForeignRepository, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    break_it(repository)
    monkeypatch.setenv("GIT_DIR", folder.format(root=repository.root))
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert f"  at         {ORDER}:10" in run("--against", "main", "proto", code=1).stdout


def test_a_repository_of_another_user_is_not_called_none(
    repository: ForeignRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(repository.root / "none"))
    text = run("--against", "main", "proto", code=2).stderr
    assert "git does not read the repository of proto" in text
    assert "git config --global --add safe.directory" in text


def test_a_submodule_never_passes_in_silence(repository: ForeignRepository, tmp_path: Path) -> None:
    folder = tmp_path / "own" / "vendor"
    folder.mkdir(parents=True)
    vendor = ForeignRepository(folder)
    repository.write("own/a.proto", 'syntax = "proto3"; package own; message A {}')
    repository.write(".gitmodules", '[submodule "v"]\n\tpath = own/vendor\n\turl = ../vendor\n')
    repository.git("add", "--all")
    repository.commit()
    vendor.replace(ORDER, "int32 quantity = 4;", "string quantity = 4;")
    text = run("--against", "HEAD", "proto", "own/vendor/proto", code=2).stderr
    assert "own/vendor/proto: it is in a repository of its own, " in text
    assert "own/vendor is a submodule, and HEAD (" in run("--against", "HEAD", "own", "-I", "own/vendor/proto").stdout
    assert "NONE" in run("--against", "main", "own/vendor/proto", code=1).stdout
