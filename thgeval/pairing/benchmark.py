"""Pairs of a benchmark: the clips that a protocol names, found in any copy of their data set.

The folder of references is a copy of the data set, in a layout that ``thgeval.protocols.datasets`` knows, and is
searched with all its subfolders. Generated clips are called as their references, in whatever layout, or, where a list
says what drives what, by the number of their row. What the protocol names and nobody finds is a failed clip with its
reason; what it doesn't name is left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from thgeval.errors import Failure, ProtocolError
from thgeval.media.folder import is_image
from thgeval.pairing import Pairing, apart, pair, paired
from thgeval.pairing.folders import everywhere, is_clip
from thgeval.pairing.naming import Naming
from thgeval.protocol import Protocol
from thgeval.protocols.datasets import DataSet, DatasetFound, dataset
from thgeval.protocols.lists import ListedClip, drawn, hash_of, listed_rows, shipped_ids
from thgeval.results import ClipResult

Paths = Mapping[str, list[Path]]
NAMED = 3
"""How many names a sentence gives."""


def of_protocol(
    generated: Path, reference: Path | None, protocol: Protocol, naming: Naming, clip_list: Path | None = None
) -> tuple[Protocol, Pairing]:
    """The pairs of two folders under a protocol, and the protocol with the hash of the list that was brought.

    ProtocolError for a protocol that can't be scored, and for folders that don't hold what it is about.
    """
    about = protocol.benchmark
    if about.unscorable:
        raise ProtocolError(f"{protocol.label} can't be scored: {about.unscorable}")
    if clip_list is not None and about.listing is None:
        raise ProtocolError(f"{protocol.label} needs no list of clips, so {clip_list} would do nothing")
    if not about.selects:
        found = (apart if protocol.unpaired else paired)(generated, reference, protocol.clips, naming)
        return protocol, found
    for side, place in (("generated", generated), ("reference", reference)):
        if place is not None and not place.is_dir():
            raise ProtocolError(f"{protocol.label} is about folders of {side} clips, and {place} is none")
    if protocol.unpaired:
        raise ProtocolError(f"{protocol.label} says which clips belong together, so --unpaired can't take them apart")
    if naming.match:
        raise ProtocolError(f"{protocol.label} says how names are read, so --match can't")
    given: Sequence[ListedClip] = ()
    if about.listing is not None:
        if clip_list is None:
            raise ProtocolError(
                f"{protocol.label} is of {about.listing.clips} clips that {about.listing.file} names, which can't be "
                f"passed on here; get it from {about.listing.where} and give it with --clip-list"
            )
        listing = about.listing
        given, whole_hash = listed_rows(clip_list, listing.format, listing.clips, listing.sha256)
        if not listing.sha256:
            protocol = replace(protocol, hash=hash_of(f"{protocol.hash}{whole_hash}".encode()))
    return protocol, _pairs(generated, reference, protocol, naming, given)


@dataclass(frozen=True)
class _Copy:
    """The clips of one folder by id, and who is seen in them, as far as names say."""

    folder: Path
    paths: Paths
    found: Mapping[str, DatasetFound]

    @classmethod
    def of(cls, folder: Path, data: DataSet | None, naming: Naming, *, own: bool) -> "_Copy":
        """``own`` names may end with the suffix that generated names have."""
        names = everywhere(folder)
        ids, _ = replace(naming, pred_suffix=naming.pred_suffix if own else "").ids(names, ())
        paths: dict[str, list[Path]] = {}
        said: dict[str, DatasetFound] = {}
        for name, id in ids.items():
            found = DatasetFound(id, "") if data is None else data.found(id)
            if found is not None:
                paths.setdefault(found.id, []).extend(names[name])
                said[found.id] = found
        return cls(folder, paths, said)


def _pairs(
    generated: Path, reference: Path | None, protocol: Protocol, naming: Naming, given: Sequence[ListedClip]
) -> Pairing:
    about = protocol.benchmark
    data = dataset(about.dataset) if about.dataset else None
    theirs = None if reference is None else _Copy.of(reference, data, naming, own=False)
    if theirs is not None and not theirs.paths and not any(row.frame for row in given):
        raise ProtocolError(_no_copy(theirs.folder, data))
    numbered = given and given[0].id == "0"
    ours = _Numbered.of(generated, naming) if numbered else _Copy.of(generated, data, naming, own=True)
    rows = given or _rows(protocol, data, theirs or ours)
    pairs, unpaired = [], []
    for row in rows:
        mine = ours.paths.get(row.id, [])
        target = _target(row, theirs)
        problem = _problem(row, mine, target, generated, reference)
        if problem is not None:
            unpaired.append(ClipResult(row.id, failure=problem))
        if problem is None or problem.reason == "missing reference":
            pairs.append(pair(row.id, mine[0], target[0] if target else None))
    places = {"generated": generated} | ({} if reference is None else {"reference": reference})
    advice = _left_out(ours.paths.keys() - {row.id for row in rows}, protocol)
    if not pairs:
        raise ProtocolError(f"no clip in {generated} is one of {protocol.label}, such as {rows[0].id}")
    return Pairing(
        tuple(sorted(pairs, key=lambda item: item.id)),
        tuple(sorted(unpaired, key=lambda item: item.id)),
        advice,
        places,
    )


class _Numbered(_Copy):
    """Generated clips called by the number of a row, from 0, with or without zeros before it; or numbered images."""

    @classmethod
    def of(cls, folder: Path, naming: Naming) -> "_Numbered":  # type: ignore[override]
        named: dict[str, list[Path]] = {}
        if is_clip(folder):
            for path in sorted(folder.iterdir()):
                if is_image(path):
                    named.setdefault(path.stem, []).append(path)
        else:
            named = everywhere(folder)
        ids, _ = naming.ids(named, ())
        paths: dict[str, list[Path]] = {}
        for name, id in ids.items():
            paths.setdefault(str(int(id)) if id.isascii() and id.isdigit() else id, []).extend(named[name])
        return cls(folder, paths, {})


def _rows(protocol: Protocol, data: DataSet | None, copy: _Copy) -> tuple[ListedClip, ...]:
    """The rows of a protocol that is no list; a copy of the data set is asked where it doesn't name its clips."""
    about = protocol.benchmark
    ids: Iterable[str]
    if protocol.clips is not None:
        ids = protocol.clips
    elif about.draw is not None and data is not None:
        ids = drawn_ids(protocol)
    elif about.people:
        ids = sorted(id for id, said in copy.found.items() if said.person in about.people)
    else:
        ids = sorted(copy.paths)
    ids = tuple(ids)
    if about.clips is not None and len(ids) != about.clips:
        of = f" of {', '.join(about.people)}" if about.people else ""
        raise ProtocolError(
            f"{protocol.label} is of {about.clips} clips, and {copy.folder} holds {len(ids)}{of}; score a whole copy, "
            "or write a protocol of your own that says how many yours has"
        )
    if not ids:
        raise ProtocolError(f"{copy.folder} holds no clip that {protocol.label} is about")
    if about.driver:
        return tuple(ListedClip(id, about.driver) for id in ids if id != about.driver)
    if about.cross == "next":
        return tuple(ListedClip(id, ids[(number + 1) % len(ids)]) for number, id in enumerate(ids))
    return tuple(ListedClip(id, id) for id in ids)


def drawn_ids(protocol: Protocol) -> tuple[str, ...]:
    """The clips that a protocol's rule draws from the list of all clips of its data set; none if it has no rule."""
    draw = protocol.benchmark.draw
    if draw is None:
        return ()
    data = dataset(draw.of)

    def person(id: str) -> str:
        found = data.found(id)
        return id if found is None or not found.person else found.person

    return drawn(shipped_ids(data.universe), draw.salt, draw.clips, person)


def _target(row: ListedClip, theirs: _Copy | None) -> list[Path]:
    """What a row's clip is compared with: a clip of the copy, or a single frame."""
    if theirs is None:
        return []
    if not row.frame:
        return theirs.paths.get(row.reference, [])
    places = (theirs.folder / row.reference, theirs.folder / "test" / row.reference)
    return [place for place in places if place.is_file()][:1]


def _problem(
    row: ListedClip, mine: Sequence[Path], target: Sequence[Path], generated: Path, reference: Path | None
) -> Failure | None:
    for found, folder, id in ((mine, generated, row.id), (target, reference, row.reference)):
        if len(found) > 1:
            names = ", ".join(path.name for path in found[:NAMED])
            return Failure("duplicate stem", f"{folder} holds {len(found)} clips called {id}: {names}")
    if not mine:
        return Failure("missing clip", f"{generated} has no clip called {row.id}")
    if not target and reference is not None:
        return Failure("missing reference", f"{reference} has no clip called {row.reference}")
    return None


def _left_out(names: Iterable[str], protocol: Protocol) -> str:
    """What is said of generated clips that are none of the protocol's."""
    others = sorted(names)
    if not others:
        return ""
    more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
    said = ", ".join(others[:NAMED]) + more
    return f"left out, as {protocol.label} doesn't name them: {said}"


def _no_copy(folder: Path, data: DataSet | None) -> str:
    if data is None:
        return f"there is no clip in {folder} or its subfolders"
    said = "; or ".join(layout.says for layout in data.layouts)
    return f"no clip in {folder} is called as those of {data.title} are: {said}"
