"""Signatures: the text that says how a number was made, and back again.

    ssim@1|region:frame|window:11|...|rgb@1|luma@1:bt601-rounded|fps:native|...||n:19/19|dec:...|thgeval:0.1.0|device:cpu

Left of ``||`` stands the protocol part: metric and version, every field, every feature it rests on, and how clips were
prepared. Two scores may be merged, ranked or printed in one column only if their protocol parts are equal. Right of it
stands the run part: coverage, decoder, resampling of the interval, tool version.

The text is derived from the dataclass fields, never typed by hand, and parses back to an equal metric. A field that
came to a metric later is in it only where it isn't at its default, so that signatures of before stand.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from thgeval.errors import ProtocolError
from thgeval.feature import Feature
from thgeval.metric import Metric
from thgeval.parameter import declared
from thgeval.protocol import Protocol, setting
from thgeval.requirements import Pins, Requirement, Weights, pinned

RESERVED = "|:"


def protocol_part(metric: Metric[Any], protocol: Protocol, pins: Pins) -> str:
    """Everything that decides what the number means; ``pins`` hold all that the metric requires."""
    own = [f"{name}:{text_of(value)}" for name, value in signed(metric).items()]
    shared = [feature.identity(pins) for feature in closure(metric)]
    return "|".join([f"{metric.name}@{metric.version}", *own, *shared, *protocol.tokens()])


def signed(metric: Metric[Any]) -> dict[str, Any]:
    """The fields that signatures hold: all but those that came later and are at their defaults, in order."""
    usual, said = metric.parameters(), declared(type(metric))
    return {
        name: value for name, value in metric.settings().items() if value != usual[name] or not said[name].get("later")
    }


def signature(metric: Metric[Any], protocol: Protocol, pins: Pins, run: Mapping[str, str], *flags: str) -> str:
    """The whole signature; ``run`` and ``flags`` (``!limit``) form its second part."""
    second = "|".join([*(f"{key}:{value}" for key, value in run.items()), *flags])
    return f"{protocol_part(metric, protocol, pins)}||{second}"


def closure(metric: Metric[Any]) -> tuple[Feature[Any], ...]:
    """Every feature a metric rests on, inputs first, each once."""
    features: dict[Feature[Any], None] = {}
    for need in metric.needs.every():
        features.update(dict.fromkeys(need.closure()))
    return tuple(features)


def required(*metrics: Metric[Any]) -> tuple[Requirement, ...]:
    """Everything that metrics rest on and an installation may lack, each once."""
    return tuple(dict.fromkeys(item for metric in metrics for feature in closure(metric) for item in feature.requires))


def pins_of(*metrics: Metric[Any]) -> Pins:
    """What everything that metrics rest on is now."""
    return pinned(required(*metrics))


def files(*metrics: Metric[Any]) -> list[str]:
    """The weight files that metrics read, by their names in the manifest."""
    return sorted(item.name for item in required(*metrics) if isinstance(item, Weights))


def text_of(value: Any) -> str:
    """A field value as signatures and metric keys print it."""
    text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
    if not text or any(character in RESERVED or character.isspace() for character in text):
        raise ProtocolError(f"{text!r} can't stand in a signature")
    return text


def value_of(text: str, default: Any) -> Any:
    """The inverse of ``text_of`` for a field with that default."""
    if isinstance(default, bool):
        if text not in ("yes", "no"):
            raise ProtocolError(f"must be yes or no, not {text!r}")
        return text == "yes"
    if isinstance(default, int | float):
        try:
            return type(default)(text)
        except ValueError:
            raise ProtocolError(f"must be a number like {default}, not {text!r}") from None
    return text


@dataclass(frozen=True)
class Parsed:
    """A signature taken apart."""

    metric: Metric[Any]
    protocol: Protocol
    run: Mapping[str, str]
    flags: tuple[str, ...]


def parse(text: str, metric_class: Callable[[str], type[Metric[Any]]]) -> Parsed:
    """Take a signature apart; refuse one that this version would not write for the same metric and protocol."""
    first, _, second = text.partition("||")
    head, *tokens = first.split("|")
    cls = metric_class(head.partition("@")[0])
    pairs = dict(map(setting, (token for token in tokens if "@" not in token)))
    said, usual = declared(cls), cls.parameters()
    try:
        settings = {
            name: value_of(pairs[name], default)
            for name, default in usual.items()
            if name in pairs or not said[name].get("later")
        }
        parsed_protocol = Protocol.of_settings(pairs)
    except KeyError as missing:
        raise ProtocolError(f"the signature lacks {missing}: {text}") from None
    metric = cls.configured(settings)
    if (own := protocol_part(metric, parsed_protocol, pins_of(metric))) != first:
        raise ProtocolError(f"this version of thgeval signs {own!r}, not {first!r}")
    run_tokens = [token for token in second.split("|") if token]
    return Parsed(
        metric,
        parsed_protocol,
        dict(token.partition(":")[::2] for token in run_tokens if not token.startswith("!")),
        tuple(token for token in run_tokens if token.startswith("!")),
    )
