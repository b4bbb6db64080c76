"""A page for each metric, the page that lists them, and their part of the side bar."""

from typing import Any

from making.markdown import MADE, code, listed, prose, stacked, table
from thgeval.about.bibliography import entry
from thgeval.about.comparability import comparable
from thgeval.about.docstrings import described, sections
from thgeval.about.families import FAMILIES, family, members, title
from thgeval.metric import Better, Metric
from thgeval.metrics import ALIASES
from thgeval.registry import embedded, runs_programs
from thgeval_baselines.orderings import ORDERS, UNSTATED


def metric_page(cls: type[Metric[Any]]) -> str:
    """One metric: what its docstring says, its parameters, presets and papers."""
    said = sections(cls)
    parts = [f"# {title(cls.name)}\n", prose(said["Is"]) + "\n", _facts(cls)]
    parts += [f"**{label}:** {prose(said[label])}\n" for label in ("Reads", "Returns", "Source", "Departs")]
    if cls.parameters():
        parts.append(f"## Parameters\n\n{_parameters(cls)}")
    if cls.presets:
        rows = [
            (
                code(f"{cls.name}/{name}"),
                prose(preset.says),
                prose(comparable(cls.name, name) or ""),
                listed(f"{key}={value}" for key, value in preset.fields.items()),
            )
            for name, preset in cls.presets.items()
        ]
        parts.append("## Presets\n\n" + stacked(table(rows, ("preset", "is", "compare with", "fields"))))
    if ranked := _controls(cls):
        parts.append(f"## Controls\n\n{ranked}")
    if cls.cites:
        parts.append("## Cite\n\n```bibtex\n" + "\n\n".join(entry(key) for key in cls.cites) + "\n```\n")
    return MADE + "\n".join(parts)


def metric_index() -> str:
    """All metrics, family by family."""
    parts = [OPENING]
    for name, classes in members().items():
        rows = [
            (
                f"[{title(cls.name)}]({cls.name}.md)<br>`{cls.name}`",
                prose(about["is"]),
                better(cls),
                about["range"],
                reference(cls),
            )
            for cls in classes
            for about in (described(cls),)
        ]
        parts.append(f"## {FAMILIES[name].title}\n\n{FAMILIES[name].says}\n")
        head = ("metric", "is", "better", "range", "reference clips")
        parts.append(stacked(table(rows, head), "catalogue"))
    return MADE + "\n".join(parts)


OPENING = """# Metrics

Each under its original definition; its page says what differs. Ask for them by the name in `code` letters, as in
`thgeval score generated/ reference/ -m ssim lmd`. `thgeval ls metrics` prints the same list. A page also says what
reported numbers a score may be compared with, on the same data at the same size and frame rate.

*Reference clips* are `compared` clip by clip, `compared as sets`, `needed` for something else, `read beside` where a
number is best near their own, or `not needed`.
"""


CONTROLS = """Clips whose fault is known must score in this order, whichever way the metric improves. A test holds it on
a clip of `synth-v1`; `thgeval baseline list` says what each control is.

"""


def metric_entries() -> list[str]:
    """The metrics' part of the side bar, family by family."""
    entries = []
    for name, classes in members().items():
        entries.append(f"- {FAMILIES[name].title}:")
        entries += [f'    - "{title(cls.name)}": metrics/{cls.name}.md' for cls in classes]
    return entries


def metric_names() -> str:
    """The names of all metrics, family by family; apart from the others those that need a file, or a checkout."""
    rows = []
    for name, classes in members().items():
        here: dict[str, list[str]] = {
            "": [],
            "after a `thgeval fetch`: ": [],
            "with [a checkout](docs/checkouts.md): ": [],
        }
        ready, fetched, run = here.values()
        for cls in classes:
            of = ready if embedded(cls.name) is not None else run if runs_programs(cls()) else fetched
            of.append(code(cls.name))
        rows.append((FAMILIES[name].title, "; ".join(how + " ".join(names) for how, names in here.items() if names)))
    return table(rows, ("", "metrics"))


def better(cls: type[Metric[Any]]) -> str:
    """Which way a score improves, with the arrow of tables."""
    return f"{cls.better.arrow} {cls.better.value.replace('-', ' ')}"


def reference(cls: type[Metric[Any]]) -> str:
    """What a metric wants of reference clips, at its defaults."""
    needs = cls().needs
    if needs.compares:
        return "compared as sets" if cls.sets else "compared"
    if needs.a_reference:
        return "needed"
    return "read beside" if cls.with_reference or cls.better is Better.CLOSER_TO_REFERENCE else "not needed"


def _facts(cls: type[Metric[Any]]) -> str:
    about = described(cls)
    known_as = [cls.name, *(alias for alias, meant in ALIASES.items() if meant == cls.name)]
    rows = [
        ("ask for", listed(known_as)),
        ("better", better(cls)),
        ("range", about["range"]),
        ("reference clips", reference(cls)),
        ("compare with", prose(about["compare"])),
        ("family", FAMILIES[family(cls)].title.lower()),
        ("version", about["version"]),
        ("rests on", listed(about["needs"].split(", "))),
    ]
    return table([(f"**{label}**", text) for label, text in rows], ("", ""))


def _controls(cls: type[Metric[Any]]) -> str:
    """How controls of one clip must rank, or why nothing is said; empty of a metric that says neither."""
    if why := UNSTATED.get(cls.name):
        return f"No order of controls is tested here: {why}.\n"
    rows = [(code(order.metric), order.line, order.why) for order in ORDERS if order.name == cls.name]
    return CONTROLS + table(rows, ("asked for", "order of scores", "because")) if rows else ""


def _parameters(cls: type[Metric[Any]]) -> str:
    """Name, default and meaning of every parameter."""
    defaults = cls.parameters()
    rows = [
        (code(name), code('""' if defaults[name] == "" else defaults[name]), prose(says))
        for name, says in cls.explained().items()
    ]
    return table(rows, ("parameter", "default", "is"))
