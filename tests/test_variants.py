"""Which variants of a test a run of the default profile has."""

from __future__ import annotations

from tests.variants import Case, drawn

CLIENTS = ("grpc-sync", "grpc-async", "http-sync")
CASES = [
    Case(f"test_a.py::test_get[{client}-{name}]", {"client": client, "name": name})
    for client in CLIENTS
    for name in ("one", "two")
]


def test_each_case_runs_in_one_of_its_variants():
    chosen = [CASES[position].parameters for position in drawn(CASES, 1)]
    assert sorted(str(parameters["name"]) for parameters in chosen) == ["one", "two"]


def test_the_seed_draws_them_all_in_the_end():
    assert {position for seed in range(50) for position in drawn(CASES, seed)} == set(range(len(CASES)))


def test_the_same_seed_draws_the_same():
    assert drawn(CASES, 7) == drawn(CASES, 7)


def test_cases_without_variants_all_run():
    cases = [Case("test_a.py::test_one", {}), *(Case(f"test_a.py::test_two[{n}]", {"n": n}) for n in range(3))]
    assert drawn(cases, 1) == {0, 1, 2, 3}


def test_a_store_that_cannot_run_is_not_drawn(monkeypatch):
    monkeypatch.setattr("tests.variants.find_programs", lambda: None)
    cases = [Case(f"test_a.py::test_store[{kind}]", {"place": kind}) for kind in ("sqlite", "postgresql")]
    assert {position for seed in range(20) for position in drawn(cases, seed)} == {0}
    # Its skip says what to install.
    assert drawn(cases[1:], 1) == {0}
