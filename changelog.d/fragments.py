"""Fragments of the changelog: one file a change, and versions of metrics that go up if and only if one says so.

python changelog.d/fragments.py            check
python changelog.d/fragments.py --gather   print the entries of all fragments, under their headings
python changelog.d/fragments.py --release  move them into CHANGELOG.md, and note the versions that are released

A fragment is ``NAME.KIND.md``, of one of the kinds below. Each of the kind ``numbers`` begins with the metrics it is
about and their versions: ```fid`, `kid` 1 to 2: why, and how large.`` Versions are compared with ``released.tsv``, so
that no history is needed.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).parent
CHANGELOG = FOLDER.parent / "CHANGELOG.md"
PARTS = FOLDER.parent / "tests" / "golden" / "protocol_parts.txt"
RELEASED = "released.tsv"
KINDS = {"added": "Added", "changed": "Changed", "fixed": "Fixed", "numbers": "Numbers"}
OPENING = re.compile(r"((?:`[a-z0-9-]+`, )*`[a-z0-9-]+`) (\d+) to (\d+): \S")


def fragments(folder: Path = FOLDER) -> dict[Path, str]:
    """The text of each fragment, without white space around it."""
    files = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
    return {path: path.read_text(encoding="utf-8").strip() for path in files}


def versions(parts: str) -> dict[str, int]:
    """Metric name -> version, out of the file of protocol parts."""
    tokens = [line.split("\t")[2].partition("|")[0] for line in parts.splitlines()]
    return {name: int(version) for name, _, version in (token.partition("@") for token in tokens)}


def released(folder: Path = FOLDER) -> dict[str, int]:
    """Metric name -> version at the last release, or where fragments began."""
    lines = (folder / RELEASED).read_text(encoding="utf-8").splitlines()
    return {name: int(version) for name, version in (line.split("\t") for line in lines)}


def problems(texts: Mapping[Path, str], before: Mapping[str, int], now: Mapping[str, int]) -> list[str]:
    """What is wrong with fragments, or missing from them; a metric that is new or gone owes no numbers."""
    found, said = [], {}
    for path, text in texts.items():
        kind = path.name.split(".")[-2]
        if kind not in KINDS or path.name.count(".") != 2:
            found.append(f"{path.name}: name it NAME.KIND.md with KIND one of {', '.join(KINDS)}")
        elif not text:
            found.append(f"{path.name}: it is empty")
        elif kind == "numbers":
            if not (opening := OPENING.match(text)):
                found.append(f"{path.name}: begin with the metrics and versions, like: `fid`, `kid` 1 to 2: why")
                continue
            for name in re.findall("`(.*?)`", opening[1]):
                if name in said:
                    found.append(f"{path.name}: {said[name][0]} names {name} too; make them one")
                said[name] = (path.name, int(opening[2]), int(opening[3]))
    for name in sorted(said.keys() | (before.keys() & now.keys())):
        found += _about(name, said.get(name), before.get(name), now.get(name))
    return found


def _about(name: str, said: tuple[str, int, int] | None, before: int | None, now: int | None) -> list[str]:
    if said and (before is None or now is None):
        return [f"{said[0]}: {name} is no metric that was released and is still there"]
    if said and said[1:] != (before, now):
        return [f"{said[0]}: {name} went from {before} to {now}, not from {said[1]} to {said[2]}"]
    if said and before == now:
        return [f"{said[0]}: the version of {name} is still {now}; raise it"]
    if not said and before != now:
        return [f"{name} went from version {before} to {now}: say why in changelog.d/NAME.numbers.md"]
    return []


def gathered(texts: Mapping[Path, str]) -> dict[str, str]:
    """Heading -> entries, for headings that have any."""
    under: dict[str, list[str]] = {heading: [] for heading in KINDS.values()}
    for path, text in texts.items():
        under[KINDS[path.name.split(".")[-2]]].append("- " + text.replace("\n", "\n  ") + "\n")
    return {heading: "".join(entries) for heading, entries in under.items() if entries}


def taken_up(changelog: str, entries: Mapping[str, str]) -> str:
    """The changelog with entries at the end of what is unreleased under their headings, which are made if need be."""
    head, mark, rest = changelog.partition("## Unreleased\n")
    if not mark:
        raise SystemExit("CHANGELOG.md has no heading '## Unreleased'; add it")
    unreleased, following, older = rest.partition("\n## ")
    for heading, lines in entries.items():
        if f"\n### {heading}\n" not in unreleased:
            unreleased = f"{unreleased.rstrip()}\n\n### {heading}\n\n"
        before, _, after = unreleased.partition(f"\n### {heading}\n")
        section, next_mark, others = after.partition("\n### ")
        section = "\n" + section.strip() + "\n" if section.strip() else "\n"
        unreleased = f"{before}\n### {heading}\n{section}{lines}{next_mark}{others}"
    return head + mark + unreleased + following + older


def main(arguments: list[str]) -> None:
    """Check, and print or release."""
    texts, now = fragments(), versions(PARTS.read_text(encoding="utf-8"))
    if found := problems(texts, released(), now):
        raise SystemExit("\n".join(found))
    if arguments == ["--gather"]:
        sys.stdout.write("\n".join(f"### {heading}\n\n{lines}" for heading, lines in gathered(texts).items()))
    if arguments == ["--release"]:
        CHANGELOG.write_text(taken_up(CHANGELOG.read_text(encoding="utf-8"), gathered(texts)), encoding="utf-8")
        lines = "".join(f"{name}\t{version}\n" for name, version in sorted(now.items()))
        (FOLDER / RELEASED).write_text(lines, encoding="utf-8")
        for path in texts:
            path.unlink()


if __name__ == "__main__":
    main(sys.argv[1:])
