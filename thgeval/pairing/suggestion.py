"""Which setting would bring together names that don't fit: tried on the names that are there before it is offered."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from thgeval.errors import ProtocolError
from thgeval.pairing.naming import Naming

SEPARATORS = ("##", "__", "@", "_", "-", " ", ".")
"""What generators put between the name of a clip and the name of what drove it."""
BY_HAND = "list pairs with --list"


@dataclass(frozen=True)
class Names:
    """The names of one side: in the folder, and in its subfolders."""

    here: tuple[str, ...]
    below: tuple[str, ...] = ()

    def read(self, naming: Naming) -> tuple[str, ...]:
        """The names that count."""
        return self.here + (self.below if naming.recursive else ())


def suggested(generated: Names, reference: Names | None, naming: Naming) -> str:
    """What to add to the command, in one sentence; empty where nothing is missing, or nothing would help.

    Offered is what pairs most, if it is at least half of what lacks a partner; of equals, what changes least.
    """
    below = generated.below + (reference.below if reference is not None else ())
    if reference is None:
        return _deeper(len(below), naming) if below and not naming.recursive else ""
    now = len(_paired(generated, reference, naming, naming))
    best, gained = naming, 0
    for candidate in _candidates(generated, reference, naming):
        more = len(_paired(generated, reference, candidate, naming)) - now
        missing = min(len(side.read(candidate)) for side in (generated, reference)) - now
        if more > gained and 2 * more >= missing:
            best, gained = candidate, more
    if gained:
        return f"{_reason(gained, naming, best)}: {_how(best)}, or {BY_HAND}"
    if now or not (generated.here and reference.here):
        return _elsewhere(below) if below and not naming.recursive else ""
    return (
        f"no clip is called the same on both sides, such as {min(generated.here)} and {min(reference.here)}: pair them "
        f"by the part of their names that is equal (--match REGEX; in Python, naming=Naming(match=...)), or {BY_HAND}"
    )


def _deeper(count: int, naming: Naming) -> str:
    return f"{_lying(count)} in subfolders: {_how(replace(naming, recursive=True))}"


def _lying(count: int) -> str:
    return "1 clip lies" if count == 1 else f"{count} clips lie"


def _elsewhere(below: tuple[str, ...]) -> str:
    clips = _lying(len(below))
    return f"{clips} in subfolders, where --recursive finds no pairs: name the subfolders themselves, or {BY_HAND}"


def _how(naming: Naming) -> str:
    return f"{naming.options} (in Python, naming={naming})"


def _reason(count: int, before: Naming, naming: Naming) -> str:
    names = "1 name" if count == 1 else f"{count} names"
    by = [f"the suffix {naming.pred_suffix}"] if naming.pred_suffix != before.pred_suffix else []
    by += ["case"] if naming.ignore_case != before.ignore_case else []
    by += ["what stands around the id"] if naming.match != before.match else []
    verb = "differs" if count == 1 else "differ"
    said = [f"{verb} by {' and '.join(by)}"] if by else []
    said += (
        ["lies in a subfolder" if count == 1 else "lie in subfolders"] if naming.recursive != before.recursive else []
    )
    return f"{names} {' and '.join(said)}"


def _paired(generated: Names, reference: Names, naming: Naming, given: Naming) -> set[str]:
    """Keys that both sides have under a naming; none where it can't be used. ``given`` is what the user wrote."""
    search = None if naming.match == given.match else _simply
    try:
        first, second = naming.ids(generated.read(naming), reference.read(naming), search)
    except ProtocolError:
        return set()
    return {naming.key(id) for id in first.values()} & {naming.key(id) for id in second.values()}


def _simply(pattern: str, flags: int, names: Iterable[str]) -> dict[str, str | None]:
    """A search for an expression of our own, which ends soon."""
    found = {name: re.search(pattern, name, flags) for name in names}
    return {name: match[1] if match else None for name, match in found.items()}


def _candidates(generated: Names, reference: Names, given: Naming) -> list[Naming]:
    """Settings that may help, those first that change least."""
    deep = {given.recursive, bool(generated.below or reference.below) or given.recursive}
    found = []
    for base in [replace(given, recursive=one, ignore_case=two) for one in deep for two in {given.ignore_case, True}]:
        found.append(base)
        if not (given.pred_suffix or given.match):
            ours, theirs = ({base.key(name): name for name in side.read(base)} for side in (generated, reference))
            left = {key: name for key, name in ours.items() if key not in theirs}
            right = {key: name for key, name in theirs.items() if key not in ours}
            found += _parts(left, right, base)
    return sorted(found, key=lambda naming: _changes(naming, given))


def _changes(naming: Naming, given: Naming) -> int:
    return sum(now != before for now, before in zip(vars(naming).values(), vars(given).values(), strict=True))


def _parts(left: dict[str, str], right: dict[str, str], base: Naming) -> Iterator[Naming]:
    """Settings that take one text off names (by key) that have no partner."""
    if suffix := _most(_after(left, right, base)):
        yield replace(base, pred_suffix=suffix)
    if suffix := _most(_after(right, left, base)):
        yield replace(base, match=f"(.+){_plain(suffix)}$")
    for names, others in ((left, right), (right, left)):
        if prefix := _most(_before(names, others, base)):
            yield replace(base, match=f"^{_plain(prefix)}(.+)")
    if ends := _ends(sorted(left), sorted(right)):
        yield replace(base, match=f"(.+)(?:{'|'.join(map(_plain, ends))})$")
    for separator in SEPARATORS:
        for names, others in ((left, right), (right, left)):
            cut = [before for before, found, _ in (key.partition(separator) for key in names) if found]
            if cut and 2 * sum(key in others for key in cut) >= len(names):
                yield replace(base, match=f"(.+?){_plain(separator)}")


def _after(names: dict[str, str], others: dict[str, str], base: Naming) -> Iterator[str]:
    """What stands after the name of another clip."""
    for name in names.values():
        for cut in range(name.rfind("/") + 2, len(name)):
            if base.key(name[:cut]) in others:
                yield name[cut:]


def _before(names: dict[str, str], others: dict[str, str], base: Naming) -> Iterator[str]:
    """What stands before the name of another clip."""
    for name in names.values():
        folder, slash, last = name.rpartition("/")
        for cut in range(1, len(last)):
            if base.key(folder + slash + last[cut:]) in others:
                yield last[:cut]


def _most(texts: Iterable[str]) -> str:
    """The text that is found most often; none that may be a part of a number, or came up by chance."""
    counts = Counter(text for text in texts if not text.isdigit())
    text, count = max(counts.items(), key=lambda item: (item[1], -len(item[0])), default=("", 0))
    sure = count > 1 or not (text.isalnum() or text.strip("_-. ").isdigit())
    return text if sure else ""


def _plain(text: str) -> str:
    """An expression that finds a text as it is; ``re.escape`` also marks signs that need no mark."""
    return re.sub(r"[][\\.^$*+?{}|()]", r"\\\g<0>", text)


def _ends(left: list[str], right: list[str]) -> tuple[str, ...]:
    """With what the names of both sides end where they go on differently; empty where that isn't always the same."""
    found = set()
    for one, other in zip(left, right, strict=False):
        same = next((place for place, pair in enumerate(zip(one, other, strict=False)) if len(set(pair)) > 1), 0)
        same -= same > 0 and not one[same - 1].isalnum()  # the sign that parts an ending belongs to it
        found.add((one[same:], other[same:]))
    alike = len(left) == len(right) and len(found) == 1
    ends = found.pop() if alike else ()
    return ends if all(ends) and not any(end.isalnum() for end in ends) else ()
