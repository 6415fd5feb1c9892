"""Tables that fit the terminal."""

from __future__ import annotations

import os
import pty
import random
import subprocess
import sys
import termios

import pytest

from gateway_entities import BudgetUnit, GatewayBudgetBalance
from gateway_entities.cli import output
from gateway_entities.cli.table import cut, table, text_width
from gateway_entities.testing import Gateway
from tests import profiles

ROWS = [("support", "chat 0.9, chat-mini 0.1", "team=search", "e-0123abcd"), ("東京", "x", "-", "e-89abcdef")]
HEADINGS = ("name", "models", "tags", "endpoint_id")


def test_a_table_that_fits_is_whole() -> None:
    assert table(HEADINGS, ROWS, width=80) == table(HEADINGS, ROWS)
    assert "…" not in table(HEADINGS, ROWS)


def test_the_widest_cells_are_cut_first() -> None:
    heading, first, second = table(HEADINGS, ROWS, width=52).splitlines()
    assert first == "support  chat 0.9, chat-m…  team=search  e-0123abcd"
    assert heading.split() == [name.upper() for name in HEADINGS]
    assert second.split() == ["東京", "x", "-", "e-89abcdef"]


def test_the_last_columns_are_left_out_where_nothing_else_helps() -> None:
    lines = table(HEADINGS, ROWS, width=20).splitlines()
    assert [line.split()[0] for line in lines] == ["NAME", "support", "東京"]
    assert "e-0123abcd" not in "".join(lines)
    assert table(HEADINGS, ROWS, width=3).splitlines() == ["NA…", "su…", "東…"]


def test_no_line_is_wider_than_the_terminal() -> None:
    rng = random.Random(profiles.SEED)
    for _ in range(profiles.count(2000, 100)):
        columns = rng.randint(1, 7)
        texts = ["".join(rng.choices("aé東 ́", k=rng.choice((0, 3, 9, 40, 300)))) for _ in range(columns * 3)]
        rows = [texts[start : start + columns] for start in range(0, len(texts), columns)]
        width = rng.randint(1, 200)
        lines = table([f"heading_{number}" for number in range(columns)], rows, width=width).split("\n")
        assert len(lines) == len(rows) + 1
        assert max(map(text_width, lines)) <= width, (rows, width)


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("東京都", 5, "東京…"), ("東京都", 4, "東…"), ("ab", 1, "…")],
)
def test_a_cut_text_shows_that_it_is_cut(text: str, width: int, expected: str) -> None:
    assert cut(text, width) == expected


def test_a_list_fits_the_terminal_and_a_pipe_has_everything(running: Gateway, endpoint: dict[str, str]) -> None:
    command = [sys.executable, "-m", "gateway_entities", "endpoint", "list", "--target", running.http_target]
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    ours, theirs = pty.openpty()
    try:
        termios.tcsetwinsize(theirs, (24, 50))
        subprocess.run(command, stdout=theirs, env=environment, timeout=60, check=True)
        shown = os.read(ours, 1 << 16).decode().splitlines()
    finally:
        os.close(ours)
        os.close(theirs)
    assert shown[0].split()[0] == "NAME"
    assert max(map(text_width, shown)) <= 50
    piped = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=True).stdout
    assert "…" not in piped
    assert endpoint["endpoint_id"][:10] in piped


def test_columns_that_can_be_spared_go_before_names_and_content_are_cut() -> None:
    headings = ("name", "models", "created_at", "id")
    rows = [("customer-support", "chat 0.9, chat-mini 0.1, spare fallback", "2026-11-27T01:16:59Z", "e-0123abcd")]
    assert table(headings, rows, width=90, spare=[2]).splitlines()[1].endswith("e-0123abcd")
    assert "2026-11-27T01:16:59Z" in table(headings, rows, width=80, spare=[2])
    narrow = table(headings, rows, width=60, spare=[2]).splitlines()
    assert narrow[0].split() == ["NAME", "MODELS", "ID"]
    assert narrow[1] == "customer-support  chat 0.9, chat-mini 0.1, spar…  e-0123abcd"
    assert table(headings, rows, width=40, spare=[2]).splitlines()[1].startswith("customer-sup…  chat")


def test_columns_of_numbers_are_left_out_but_never_cut() -> None:
    headings = ("name", "limit", "recorded", "models")
    rows = [("customer-support", "1234567.123456789", "0.000000001", "chat 0.9, chat-mini 0.1")]
    for width in range(26, 80):
        heading, row = table(headings, rows, width=width, whole=[1, 2]).splitlines()
        for name, number in zip(headings[1:3], rows[0][1:3], strict=True):
            assert (name.upper() in heading) == (number in row)
        assert len(row) <= width
        assert row.startswith("custom")


def test_a_terminal_shows_whole_amounts_of_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    window = GatewayBudgetBalance("bp-" + "3" * 32, 0, 86_400_000, BudgetUnit.USD, 10**9 + 1, 1, 2, 10**15 - 1, 10**15 - 2)
    monkeypatch.setattr(output, "terminal_width", lambda: 80)
    columns = {"scope": lambda _: "USER", "target": lambda _: "a-user-with-a-long-name"}
    heading, row = output.entity_table([window], columns=columns).splitlines()
    assert heading.split()[:5] == ["SCOPE", "TARGET", "UNIT", "LIMIT", "RECORDED"]
    assert row.split()[2:5] == ["USD", "999999.999999999", "1.000000001"]
