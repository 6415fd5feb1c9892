"""A coverage-guided fuzzer of the native codec, with sanitizers, and the corpus that it has found.

The corpus is native_corpus.txt, a line for each case: the name of an entity, and bytes in hexadecimal digits. The tests
compare all of them. To find more, with clang and atheris (``apt-get install clang``, ``pip install atheris``):

    python -m tests.entities.fuzz_native make FOLDER            compile the codec for the fuzzer, and unpack the corpus
    python -m tests.entities.fuzz_native run FOLDER [OPTION]    fuzz, with options of libFuzzer, such as -max_total_time=600
    python -m tests.entities.fuzz_native save FOLDER            write the corpus, without its longest cases

``run`` needs a library of atheris in front of the program: LD_PRELOAD=SITE-PACKAGES/asan_with_fuzzer.so, and
ASAN_OPTIONS=detect_leaks=0.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).with_name("native_corpus.txt")
LONGEST = 400
FLAGS = ("-std=c11", "-O1", "-g", "-fPIC", "-fsanitize=address,undefined,fuzzer-no-link")


def cases() -> list[tuple[str, bytes]]:
    """Return the entity and the bytes of each case."""
    lines = CORPUS.read_text(encoding="ascii").splitlines()
    return [(name, bytes.fromhex(data)) for name, _, data in (line.partition(" ") for line in lines)]


def kinds() -> list[Any]:
    from tests.entities.entity_types import KINDS

    return sorted(KINDS, key=lambda kind: kind.__name__)


def make(folder: Path) -> None:
    from gateway_entities.entities._native.compile import compile_codec

    os.environ.setdefault("CC", "clang")
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    compile_codec((folder / "codec.so").resolve(), FLAGS)
    names = [kind.__name__ for kind in kinds()]
    for name, data in cases():
        case = bytes([names.index(name)]) + data
        (corpus / hashlib.sha256(case).hexdigest()).write_bytes(case)


def run(folder: Path, options: list[str]) -> None:
    import atheris

    from tests.entities import native

    native.load(str((folder / "codec.so").resolve()))
    chosen = kinds()

    def compare(data: bytes) -> None:
        if data:
            native.compare(chosen[data[0] % len(chosen)], data[1:])

    atheris.Setup([sys.argv[0], *options, str(folder / "corpus")], compare)
    atheris.Fuzz()


def save(folder: Path) -> None:
    chosen = kinds()
    found = {case for path in (folder / "corpus").iterdir() if 0 < len(case := path.read_bytes()) <= LONGEST}
    lines = sorted(f"{chosen[case[0] % len(chosen)].__name__} {case[1:].hex()}" for case in found)
    CORPUS.write_text("\n".join(lines) + "\n", encoding="ascii")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", folder]:
            make(Path(folder))
        case ["run", folder, *options]:
            run(Path(folder), options)
        case ["save", folder]:
            save(Path(folder))
        case _:
            print(__doc__)
