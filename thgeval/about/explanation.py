"""What a text of the tool means: a signature taken back to the command that made it, a metric and its presets."""

import shlex
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from thgeval.about.availability import beside_clips, where_ready
from thgeval.about.comparability import comparable
from thgeval.about.docstrings import described
from thgeval.engine.provenance import decoder
from thgeval.errors import ProtocolError
from thgeval.metric import Metric
from thgeval.protocol import CHOICES, Protocol, protocols, setting
from thgeval.registry import key, metric, metric_class
from thgeval.signature import pins_of, protocol_part, text_of, value_of
from thgeval.version import __version__


def explained(text: str) -> list[str]:
    """Lines about a signature, a metric, a preset or a metric with parameters; ProtocolError for anything else."""
    if "@" in text.partition("|")[0]:
        return list(_of_signature(text.strip()))
    return list(_of_metric(text))


def _of_signature(text: str) -> Iterator[str]:
    """The command that makes such a score, and what would be made differently here."""
    first, _, second = text.partition("||")
    head, *tokens = first.split("|")
    name, _, version = head.partition("@")
    cls = metric_class(name)
    pairs = dict(setting(token) for token in tokens if "@" not in token)
    kept = {field: value_of(pairs[field], usual) for field, usual in cls.parameters().items() if field in pairs}
    found = cls.configured(kept)
    try:
        prepared = Protocol.of_settings(pairs)
    except KeyError as missing:
        raise ProtocolError(f"the signature says nothing of {missing.args[0]}: is it whole?") from None
    run = [token for token in second.split("|") if token]
    said = dict(token.partition(":")[::2] for token in run if not token.startswith("!"))
    yield f"{key(found)}: {described(cls)['is']}"
    yield f"made by   {' '.join(map(shlex.quote, _command(found, prepared, said, run)))}"
    yield from _facts(said, run)
    own = protocol_part(found, prepared, pins_of(found)).split("|")
    differs = [f"{token} there" for token in (head, *tokens) if token not in own]
    differs += [f"{token} here" for token in own if token not in (head, *tokens)]
    if version != str(cls.version):
        yield f"version {version} of {name} was another definition; the changelog says how it differs (Numbers)"
    yield f"differs   {', '.join(differs)}" if differs else "differs   in nothing that decides the number"
    for what, here in (("thgeval", __version__), ("dec", decoder())):
        if said.get(what) not in (None, here):
            yield f"          {what} was {said[what]} and is {here} here"


def _command(found: Metric[Any], prepared: Protocol, said: dict[str, str], run: list[str]) -> list[str]:
    label = said.get("protocol", "native@1")
    name = label.removesuffix("!")
    shipped = protocols().get(name)
    words = ["thgeval", "score", "PRED_DIR", "GT_DIR", "-m", key(found), "--protocol", name.partition("#")[0]]
    if "#" in name:
        words[-1] = "FILE.toml"
    wanted = replace(Protocol(), fps=prepared.fps, size=prepared.size, **{f: getattr(prepared, f) for f in CHOICES})
    usual = shipped or Protocol()
    for field in ("fps", "size", *CHOICES):
        value = getattr(wanted, field)
        if label.endswith("!") and value != getattr(usual, field) and value is not None and field != "pairs":
            words += [f"--{field}", str(value)]
    if prepared.unpaired and not usual.unpaired:
        words.append("--unpaired")
    if device := said.get("device", "").partition(",")[0]:
        words += ["--device", device] if device.startswith("cuda") else []
    return [*words, *(["--limit", "N"] if "!limit" in run else [])]


def _facts(said: dict[str, str], run: list[str]) -> Iterator[str]:
    if count := said.get("n"):
        yield f"over      {count} clips{' (the first ones alone)' if '!limit' in run else ''}"
    if said.get("protocol", "").endswith("!"):
        yield "          under a protocol that was changed (!)"


def _of_metric(text: str) -> Iterator[str]:
    """Definition, where it departs from its source, presets side by side, and what it lacks here."""
    named = metric(text)
    cls = type(named.metric)
    said = described(cls)
    yield f"{named.key}: {said['is']}"
    for label in ("direction", "range", "reads", "returns", "source", "departs"):
        yield f"{label:<9} {said[label]}"
    form, changed, _ = named.key.partition(":")
    if with_what := comparable(*form.split("/")):
        yield f"compare   {f'but for what is changed (*), as {form}: ' if changed else ''}with {with_what}"
    settings, usual = named.metric.settings(), cls.parameters()
    for name, says in cls.explained().items():
        mark = "*" if settings[name] != usual[name] else " "
        yield f"{mark} {name}={text_of(settings[name])}: {says}".replace("``", "")
    for name, preset in cls.presets.items():
        fields = ", ".join(f"{field}={text_of(value)}" for field, value in preset.fields.items())
        others = comparable(cls.name, name)
        compare = f". Compare with {others}" if others else ""
        yield f"preset    {cls.name}/{name} ({fields}): {preset.says}{compare}"
    form, lacks = where_ready(cls.name)
    files = beside_clips(named.metric)
    if lacks:
        yield f"here      lacks what it needs: {lacks}{f'; {form} is ready' if form else ''}"
    else:
        yield f"here      ready{f', where {files[0]} lies beside each clip' if files else ''}"
