"""Pictures of reports, drawn with matplotlib, which is imported only here and only to draw."""

# pyright: reportUnknownMemberType=false
# matplotlib's annotations leave open what keyword arguments are.

from __future__ import annotations

import importlib
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from gateway_entities.cli.cells import printable, time_text
from gateway_entities.entities.amount import from_nanos
from gateway_entities.extras import not_installed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gateway_entities.entities import GatewaySpendTotal

_MAX_SERIES: Final = 7
"""Series that are drawn by themselves; the others are one."""
_MAX_BARS: Final = 20
_MAX_LABEL: Final = 40
_OTHERS: Final = "others"
# Okabe and Ito's palette, which is readable with any kind of vision; grey is for the others.
_COLOURS: Final = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")
_GREY: Final = "#999999"
_DAY_MS: Final = 86_400_000
_MIN_DAYS: Final = 7
_MAX_TICKS: Final = 8
_SETTINGS: Final[Any] = {
    # Text stays text, and a name with a dollar sign is no formula.
    "svg.fonttype": "none",
    "text.parse_math": False,
    # The same report is the same file.
    "svg.hashsalt": "gateway-entities",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "grid.color": "#dddddd",
    "legend.frameon": False,
}


def require() -> None:
    """Check that the library is there.

    Raises:
        GatewayError: FAILED_PRECONDITION if it is not installed.
    """
    try:
        importlib.import_module("matplotlib.figure")
    except ModuleNotFoundError as error:
        raise not_installed(f"--plot needs matplotlib, which is not installed (no module {error.name})", "plot") from error


def draw(totals: Sequence[GatewaySpendTotal], grouping: Sequence[str], endpoints: Mapping[str, str], path: str) -> None:
    """Draw a report into a file, as SVG or PNG by the end of its name: by day stacked bars, otherwise one bar for each key.

    Args:
        totals: the rows; without any the picture says so.
        grouping: the parts of their key: of day, endpoint and user.
        endpoints: names of endpoints by id.
        path: the file, which is replaced.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    units: dict[str, list[GatewaySpendTotal]] = defaultdict(list)
    for total in totals:
        units[str(getattr(total.budget_unit, "name", total.budget_unit))].append(total)
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        # A font may lack the characters of a name.
        warnings.filterwarnings("ignore", message="Glyph ")
        figure = Figure(figsize=(10, 5 * max(len(units), 1)), layout="constrained")
        by = f"by {' and '.join(filter(None, [', '.join(grouping[:-1]), grouping[-1]]))}"
        if not units:
            _nothing(figure.subplots(), by)
        for number, unit in enumerate(sorted(units), 1):
            axes = figure.add_subplot(len(units), 1, number)
            axes.set_title(f"Spending {by}, {unit}")
            if "day" in grouping:
                _by_day(axes, units[unit], unit, endpoints)
            else:
                _by_key(axes, units[unit], unit, endpoints)
        kind = path.rpartition(".")[2]
        figure.savefig(path, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)


def _nothing(axes: Axes, by: str) -> None:
    axes.set_title(f"Spending {by}")
    axes.set_axis_off()
    axes.text(0.5, 0.5, "nothing is recorded", ha="center", va="center", transform=axes.transAxes)


def _by_day(axes: Axes, totals: Sequence[GatewaySpendTotal], unit: str, endpoints: Mapping[str, str]) -> None:
    days = sorted({_day(total) for total in totals})
    below = [0.0] * len(days)
    series = _largest(totals, endpoints, _MAX_SERIES)
    for number, (label, amounts) in enumerate(series.items()):
        heights = [_units(amounts.get(day, 0)) for day in days]
        colour = _GREY if number == _MAX_SERIES else _COLOURS[number]
        axes.bar(days, heights, width=0.8, bottom=below, color=colour, label=label or None)
        below = [low + height for low, height in zip(below, heights, strict=True)]
    # A day alone would be as wide as the picture.
    room = max((_MIN_DAYS - (days[-1] - days[0] + 1)) / 2, 0) + 0.6
    axes.set_xlim(days[0] - room, days[-1] + room)
    ticks = range(days[0], days[-1] + 1, (days[-1] - days[0]) // _MAX_TICKS + 1)
    axes.set_xticks(ticks, labels=[time_text(day * _DAY_MS).partition("T")[0] for day in ticks])
    axes.set_ylabel(unit)
    axes.grid(axis="y")
    if list(series) != [""]:
        handles, labels = axes.get_legend_handles_labels()
        # In the order of the stack.
        axes.legend(handles[::-1], labels[::-1], loc="upper left", bbox_to_anchor=(1, 1))


def _by_key(axes: Axes, totals: Sequence[GatewaySpendTotal], unit: str, endpoints: Mapping[str, str]) -> None:
    series = _largest(totals, endpoints, _MAX_BARS)
    amounts = [_units(sum(each.values())) for each in series.values()]
    places = range(len(series))
    colours = [_GREY if number == _MAX_BARS else _COLOURS[0] for number in places]
    bars = axes.barh(places, amounts, height=0.7 if len(series) > 3 else 0.3, color=colours)
    axes.bar_label(bars, labels=[f"{amount:,.4g}" for amount in amounts], padding=4)
    axes.set_yticks(places, labels=list(series))
    axes.set_ylim(max(len(series), 3) - 0.5, -0.5)
    axes.margins(x=0.1)
    axes.set_xlabel(unit)
    axes.grid(axis="x")


def _largest(totals: Iterable[GatewaySpendTotal], endpoints: Mapping[str, str], count: int) -> dict[str, dict[int, int]]:
    """Return nano-units by label and number of the day, the largest series first, those beyond the count as one."""
    series: dict[tuple[str | None, str | None], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for total in totals:
        series[total.endpoint_id, total.user][_day(total)] += total.amount_nanos
    ordered = sorted(series, key=lambda key: -sum(series[key].values()))
    found: dict[str, dict[int, int]] = {}
    for number, key in enumerate(ordered):
        label = _label(key, endpoints) if number < count else f"{_OTHERS} ({len(ordered) - count})"
        # Two names may look the same once they are cut.
        while number < count and label in found:
            label += " "
        amounts = found.setdefault(label, defaultdict(int))
        for day, nanos in series[key].items():
            amounts[day] += nanos
    return found


def _label(key: tuple[str | None, str | None], endpoints: Mapping[str, str]) -> str:
    endpoint_id, user = key
    parts = [endpoints.get(endpoint_id, endpoint_id)] if endpoint_id else []
    parts += ["(no user)" if user == "" else user] if user is not None else []
    text = printable(", ".join(parts))
    return text if len(text) <= _MAX_LABEL else text[: _MAX_LABEL - 1] + "…"


def _day(total: GatewaySpendTotal) -> int:
    """Return the number of the day since the Unix epoch; 0 if the report is not by day."""
    return (total.day_start_ms or 0) // _DAY_MS


def _units(nanos: int) -> float:
    """Return an amount in units, as exact as a picture is."""
    return float(from_nanos(nanos))
