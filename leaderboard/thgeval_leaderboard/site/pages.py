"""Every page of the site as text: what each shows is decided here, how it looks in ``templates/``."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from thgeval.about.docstrings import described, sections
from thgeval.about.families import FAMILIES, title
from thgeval.metric import Better
from thgeval.protocols.datasets import datasets
from thgeval.registry import metric_class
from thgeval.report.text import counted, number
from thgeval.results import Score
from thgeval.version import __version__
from thgeval_baselines.contamination import contaminated, known
from thgeval_leaderboard.board import SECTIONS, TIERS, Table, boards, table
from thgeval_leaderboard.entry import Entry
from thgeval_leaderboard.site import figures, opinions, survey
from thgeval_leaderboard.site.drawing import Figure
from thgeval_leaderboard.site.filmstrips import Filmstrip, filmstrips
from thgeval_leaderboard.survey import KINDS
from thgeval_leaderboard.survey.reporting import CALLED, reports

SMALL = 200
"""Boards of more rows leave half-widths, places and figures to other pages, so that theirs stays light."""

STRIPS = 6
MOST_WORST = 6
"""Metrics whose clips are drawn on a method's page, and worst clips that are shown as pictures."""
SYNC = ("sync-conf", "lse-d", "sync-lm-conf", "mouth-correlation")
QUALITY = ("fid", "lpips", "ssim", "psnr")

FAMILY_TITLES = {name: known.title for name, known in FAMILIES.items()} | {"other": "Plugged in"}

ROLES = {
    "system": "system",
    "reference-baseline": "reference baseline",
    "control": "control",
    "ground-truth": "ground truth",
}
"""What an entry is called by its role."""

TIER_NAMES = {"embedded": "none, or one that ships", "light": "light", "canonical": "canonical"}
"""What the networks behind columns are called where columns are chosen by them."""

MENU = (
    ("index.html", "Boards"),
    ("compare.html", "Compare"),
    ("survey/index.html", "Survey"),
    ("opinions.html", "Opinions"),
    ("about.html", "About"),
)


@dataclass(frozen=True)
class Worst:
    """One of the worst clips of an entry: its strip, where the picture lies in the site, and by which metrics."""

    strip: Filmstrip
    address: str
    by: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Site:
    """Everything the pages are made of; ``media`` are folders of clips or pictures by the ids of entries."""

    entries: tuple[Entry, ...]
    media: Mapping[str, Path] = field(default_factory=dict)

    @cached_property
    def tables(self) -> dict[str, Table]:
        """The table of every board, by the board's id: of each data set those with most generators first.

        Boards of controls alone come after all others.
        """
        made = [table(own) for own in boards(self.entries).values()]
        made.sort(key=lambda each: (not each.competing, each.board.dataset, -each.competing, each.board.id))
        return {each.board.id: each for each in made}

    @cached_property
    def measured(self) -> tuple[Entry, ...]:
        """Entries with a run, by id."""
        return tuple(entry for entry in self.entries if entry.run is not None)

    @cached_property
    def worst(self) -> dict[str, list[Worst]]:
        """The worst clips of each entry that has media, by its id: every metric's worst, then every second worst."""
        return {
            entry.id: list(_worst(entry, self.tables[entry.board.id], self.media[entry.id]))
            for entry in self.measured
            if entry.id in self.media
        }

    @cached_property
    def metrics(self) -> dict[str, list[tuple[Table, int]]]:
        """Where each metric stands, by its name: tables and numbers of columns."""
        found: dict[str, list[tuple[Table, int]]] = {}
        for each in self.tables.values():
            for at, head in enumerate(each.heads):
                found.setdefault(name_of(head.key), []).append((each, at))
        return found


def name_of(key: str) -> str:
    """The metric that a key is of: ``lmd/eat`` is of ``lmd``."""
    return key.partition("/")[0].partition(":")[0]


def pages(site: Site) -> Iterator[tuple[str, str]]:
    """Every page: its address from the root of the site, and its HTML."""
    show = _Pages(site)
    yield "index.html", show.index()
    yield "about.html", show.about()
    yield "compare.html", show.compare()
    yield from survey.pages(show.page)
    yield from opinions.pages(show.page, site.tables)
    for each in site.tables.values():
        yield f"boards/{each.board.id}.html", show.board(each)
        if not is_small(each):
            yield f"boards/{each.board.id}.figures.html", show.figures(each)
    for entry in site.measured:
        yield f"methods/{entry.id}.html", show.method(entry)
    for name in site.metrics:
        yield f"metrics/{name}.html", show.metric(name)
    for name in sorted({dataset_of(entry) for entry in site.measured}):
        yield f"datasets/{name}.html", show.dataset(name)
    for name in paradigms(site.measured):
        yield f"paradigms/{name}.html", show.paradigm(name)


def _worst(entry: Entry, each: Table, folder: Path) -> Iterator[Worst]:
    run = entry.run
    if run is None:
        return
    by: dict[str, list[str]] = {}
    columns = [(each.heads[at], each.columns[at]) for at in each.shown if entry.id in each.columns[at].scores]
    ranked = [(head.title, figures.worst_of(run, column)) for head, column in columns]
    for rank in range(figures.WORST):
        for title_of, worst in ranked:
            if rank < len(worst):
                by.setdefault(worst[rank], []).append(title_of)
    clips = {clip.id: clip for clip in run.clips if clip.side != "reference"}
    chosen = list(by)[:MOST_WORST]
    for number_of, strip in enumerate(filmstrips([clips[id] for id in chosen], folder), 1):
        address = f"media/{entry.id}/{number_of}.webp" if strip.picture else ""
        yield Worst(strip, address, tuple(by[strip.clip]))


def is_small(each: Table) -> bool:
    """Whether a board's page has room for half-widths, places and figures."""
    return len(each.rows) <= SMALL


def paradigms(entries: Sequence[Entry]) -> list[str]:
    """Paradigms that occur, in alphabetical order."""
    return sorted({name for entry in entries for name in (entry.method.paradigm, *entry.method.also)} - {"none"})


def dataset_of(entry: Entry) -> str:
    """An entry's data set as addresses name it."""
    return entry.board.dataset.replace("@", "-")


class _Pages:
    """One method a kind of page."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.environment = _environment()

    def page(self, template: str, here: str, **what: Any) -> str:
        """A template rendered for the address ``here``."""
        root = "../" * here.count("/")
        made = self.environment.get_template(template)
        return made.render(root=root, here=here, menu=MENU, version=__version__, **what)

    def index(self) -> str:
        reported = [(entry, item) for entry in self.site.entries for item in entry.reported if not entry.withdrawn]
        families: dict[str, list[tuple[str, str]]] = {}
        for name, where in self.site.metrics.items():
            families.setdefault(where[0][0].heads[where[0][1]].family, []).append((name, title(name)))
        return self.page(
            "index.html.j2",
            "index.html",
            boards=[_card(each) for each in self.site.tables.values() if each.competing],
            controls=[_card(each) for each in self.site.tables.values() if not each.competing],
            datasets={dataset_of(entry): entry.board.dataset for entry in self.site.measured},
            paradigms=paradigms(self.site.measured),
            families=[(FAMILY_TITLES[name], families[name]) for name in FAMILY_TITLES if name in families],
            reported=reported,
        )

    def about(self) -> str:
        first = next(iter(self.site.tables.values()), None)
        return self.page(
            "about.html.j2",
            "about.html",
            protocol=first.board.protocol if first else "native@1",
            dataset=first.board.dataset if first else "NAME@1",
        )

    def compare(self) -> str:
        choices = [(each.board, [row.entry for row in each.rows]) for each in self.site.tables.values()]
        listed = {board.id: [[entry.id, entry.method.name] for entry in entries] for board, entries in choices}
        return self.page("compare.html.j2", "compare.html", choices=choices, listed=listed)

    def drawn(self, each: Table) -> list[Figure]:
        """The figures of a board."""
        entries = {row.entry.id: row.entry for row in each.rows}
        found = [figures.against(each, SYNC, QUALITY, "Picture and sync"), figures.parallel(each)]
        found.append(figures.correlation(each))
        if each.shown:
            first, head = each.columns[each.shown[0]], each.heads[each.shown[0]]
            found = [figures.intervals(first, head, entries, head.title), *found]
            found.append(figures.best_so_far(first, head, entries))
        return [plot for plot in found if plot is not None]

    def figures(self, each: Table) -> str:
        return self.page(
            "figures.html.j2", f"boards/{each.board.id}.figures.html", board=each.board, figures=self.drawn(each)
        )

    def board(self, each: Table) -> str:
        return self.page(
            "board.html.j2",
            f"boards/{each.board.id}.html",
            table=each,
            wide=is_small(each),
            dataset=each.board.dataset.replace("@", "-"),
            paradigms=paradigms([row.entry for row in each.rows]),
            repeated={name for name, count in Counter(row.entry.method.name for row in each.rows).items() if count > 1},
            families=FAMILY_TITLES,
            sections=SECTIONS,
            apart=[
                (head, len(column.scores)) for head, column in zip(each.heads, each.columns, strict=True) if head.apart
            ],
            contaminated=_contaminated(each),
            tiers={
                name: says
                for name, says in TIER_NAMES.items()
                if name in {head.tier or TIERS[0] for head in each.heads}
            },
            figures=self.drawn(each) if is_small(each) else [],
        )

    def method(self, entry: Entry) -> str:
        each = self.site.tables[entry.board.id]
        row = next(row for row in each.rows if row.entry is entry)
        run = entry.run
        lines: list[dict[str, Any]] = [
            {
                "head": head,
                "cell": cell,
                "score": column.scores[entry.id],
                "interval": _interval(column.scores[entry.id]),
                "normalised": f"{between[entry.id]:.2f}" if entry.id in between else "",
            }
            for head, cell, column, between in zip(each.heads, row.cells, each.columns, each.normalised, strict=True)
            if entry.id in column.scores
        ]
        drawn = (
            plot
            for at in each.shown
            if run is not None
            and entry.id in each.columns[at].scores
            and (plot := figures.clips(run, each.columns[at], each.heads[at])) is not None
        )
        same = [other for other in self.site.measured if other.board.id == entry.board.id]
        return self.page(
            "method.html.j2",
            f"methods/{entry.id}.html",
            entry=entry,
            run=run,
            scored=[line for line in lines if line["score"].value is not None],
            unscored=[line for line in lines if line["score"].value is None],
            normalised=any(line["normalised"] for line in lines),
            strips=list(islice(drawn, STRIPS)),
            worst=self.site.worst.get(entry.id, []),
            costs=_costs(entry.cost or {}),
            command=command(entry),
            submissions=sum(other.method.name == entry.method.name for other in same),
        )

    def metric(self, name: str) -> str:
        cls = metric_class(name)
        by_board = []
        for each, at in self.site.metrics[name]:
            entries = {row.entry.id: row.entry for row in each.rows}
            head, column = each.heads[at], each.columns[at]
            called = head.title + (f", made otherwise: {head.apart}" if head.apart else "")
            if drawn := figures.intervals(column, head, entries, called, each.normalised[at]):
                by_board.append((each.board, [drawn]))
        said = {**sections(cls), "range": described(cls)["range"]}
        first = self.site.metrics[name][0]
        return self.page(
            "metric.html.j2",
            f"metrics/{name}.html",
            title=title(name),
            family=first[0].heads[first[1]].family,
            said=said,
            better=cls.better,
            by_board=by_board,
            spread=_spread(self.site.metrics[name]),
            reports=reports(name),
            shared=[other for other in CALLED if other != name and CALLED[other] == CALLED.get(name)],
            kinds=KINDS,
        )

    def dataset(self, name: str) -> str:
        entries = [entry for entry in self.site.measured if dataset_of(entry) == name]
        label = entries[0].board.dataset
        known = datasets().get(label.partition("@")[0])
        own = [each.board for each in self.site.tables.values() if each.board.dataset == label]
        return self.page(
            "dataset.html.j2", f"datasets/{name}.html", name=label, known=known, boards=own, entries=entries
        )

    def paradigm(self, name: str) -> str:
        entries = [entry for entry in self.site.measured if name in (entry.method.paradigm, *entry.method.also)]
        return self.page("paradigm.html.j2", f"paradigms/{name}.html", name=name, entries=entries)


def command(entry: Entry) -> str:
    """What makes an entry's numbers again from its clips."""
    assert entry.run is not None  # noqa: S101  # entries with a page have a run
    metrics = " ".join(entry.run.options["metrics"])
    return f"thgeval score GENERATED REFERENCE --protocol {entry.board.protocol} -m {metrics} -o run.json"


def _card(each: Table) -> dict[str, Any]:
    """What the index says of a board: how many of what stand there, and who is first where somebody is second."""
    count = {role: len(each.section(role)) for role in ROLES}
    return {
        "board": each.board,
        "entries": [counted(count[role], said) for role, said in ROLES.items() if count[role]],
        "metrics": len(each.heads),
        "leaders": _leaders(each),
    }


def _leaders(each: Table) -> Mapping[str, Any] | None:
    """The entries that share the first place of the first column in which several compete."""
    for at in each.shown:
        placed = [(row.entry, place) for row in each.rows if (place := row.cells[at].place)]
        if len(placed) > 1:
            first = [entry for entry, place in placed if place.rank == 1]
            return {"title": each.heads[at].title, "entries": first[:6]}
    return None


def _contaminated(each: Table) -> dict[str, list[str]]:
    """Where the data of systems meet the board's own clips, or what trained networks of metrics; by id of the entry."""
    own = each.board.dataset.partition("@")[0]
    found: dict[str, list[str]] = {}
    for row in each.rows:
        method = row.entry.method
        if not method.trained_on:
            continue
        said = contaminated(method.trained_on, None, method.name)
        if met := known().shared(method.trained_on, [own]):
            said = [f"{method.name} was trained on {', '.join(sorted(met))}, whose clips are scored here", *said]
        if said:
            found[row.entry.id] = said
    return found


def _interval(score: Score) -> str:
    return "" if score.interval is None else " .. ".join(number(bound) for bound in score.interval)


def _costs(cost: Mapping[str, Any]) -> list[tuple[str, str]]:
    said = {
        "real_time_factor": ("Seconds per second of video", "{:.3g}"),
        "first_frame_s": ("Seconds to the first frame", "{:.3g}"),
        "peak_bytes": ("Peak memory, bytes", "{:,}"),
        "weights_bytes": ("Weights, bytes", "{:,}"),
        "hardware": ("Hardware", "{}"),
    }
    return [(label, form.format(cost[name])) for name, (label, form) in said.items() if name in cost]


def _spread(where: Sequence[tuple[Table, int]]) -> Mapping[str, Any] | None:
    """A metric under all its presets on the same clips: one row an entry; None where there is one definition alone."""
    boards_of: dict[str, list[tuple[Table, int]]] = {}
    for each, at in where:
        boards_of.setdefault(each.board.id, []).append((each, at))
    widest = max(boards_of.values(), key=len)
    if len(widest) < 2:
        return None
    each = widest[0][0]
    rows = [(row.entry.method.name, [row.cells[at].text for _, at in widest]) for row in each.rows]
    return {"heads": [each.heads[at].title for _, at in widest], "rows": rows[:40]}


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("thgeval_leaderboard.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["counted"] = counted
    environment.filters["metric"] = name_of
    environment.filters["plain"] = lambda value: f"{value:.6g}"
    environment.filters["host"] = lambda address: urlsplit(address).hostname
    environment.filters["direction"] = _direction
    return environment


def _direction(better: Better) -> str:
    return figures.SAYS[better]
