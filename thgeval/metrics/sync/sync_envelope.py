"""Whether a mouth opens when there is sound: correlation of aperture and loudness, without any network."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thgeval.errors import InputError
from thgeval.features.faces.lips import LANDMARKS_HZ
from thgeval.features.sync.envelope import Envelopes, best_shift, chance, changes, envelopes
from thgeval.metric import Better, Metric, Needs, Preset, View, of_generated
from thgeval.metrics.faces.missing import policy
from thgeval.metrics.faces.whom import Landmarked, over_people
from thgeval.parameter import holding, parameter
from thgeval.states import ClipMean


@dataclass(frozen=True)
class SyncEnvelope(Metric[ClipMean]):
    """How well the opening of the mouth follows the loudness of the speech, at the shift in time where it does best.

    Reads    the gap of the inner lips of the generated clip, in eye distances, and the decibels of its speech within 40
             ms, both brought to 25 per second and freed of their mean over the 2 s around
    Returns  largest correlation over all shifts, then mean over clips: in [-1, 1], no unit. On 3 s clips of GRID 0.56
             with their own sound and 0.51 with another's of like rhythm (medians of 224), with 41 % of errors between
             the two: it finds a still mouth, not wrong words. A constant lag of up to ``furthest`` costs nothing; a
             mouth that never moves has no value. The
             largest of many correlations is never near 0: independent smooth noise scores 0.36 at 3 s, 0.19 at 10 s
             and 0.09 at 40 s, and the result says what it would at the clips' length
    Source   this project; Slaney, Covell, NIPS 2000, correlate sound and mouth in the same spirit
    Departs  nothing; there is no published form. Loudness is not opening: vowels are, closures and hisses are not
    """

    whom: Landmarked = holding(Landmarked(), missing=policy("skip", "fail"))
    furthest: int = parameter(15, "the largest shift, in frames of 40 ms; 0 for none at all", least=0, most=75)

    name = "sync-envelope"
    version = 2
    range = (-1.0, 1.0)
    better = Better.HIGHER
    cites = ("slaney2000facesync",)
    with_reference = True
    presets: ClassVar[Mapping[str, Preset]] = {
        "unshifted": Preset({"furthest": 0}, "as the clip plays, so that a lag costs correlation")
    }

    @property
    def needs(self) -> Needs:
        """Aperture and loudness of the generated clip."""
        return of_generated(envelopes(**self.whom.chosen))

    def measure(self, view: View) -> ClipMean:
        """What each 40 ms add to the correlation, which is their mean; InputError if nothing moves or is heard."""
        found: Envelopes = view.generated[envelopes(**self.whom.chosen)]
        people = [best_shift(aperture, found.loudness, self.furthest) for aperture in found.aperture.T]
        values = np.stack([products for _, products in people], axis=1)
        if not any(map(changes, found.aperture.T)):
            raise InputError(f"{view.clip}: its mouth never moves, so that it follows nothing", reason="still mouth")
        if np.isnan(values).all():
            raise InputError(
                f"{view.clip}: too little is seen and heard at once for a correlation at every shift",
                reason="too short",
            )
        none = np.isnan(found.aperture).all(axis=1)
        why = np.where(none, "no face", "")
        self.whom.missing.applied(view.clip, why)
        mean = over_people(values)
        why = np.where((why == "") & np.isnan(mean), "beyond the shift", why)
        return ClipMean({view.clip: (self.whom.part(mean, why),)})

    def cautions(self, state: ClipMean) -> Iterator[str]:
        """What lips and sound that have nothing to do with each other would score."""
        rows = [len(state.record(clip).values) for clip in state.scored]
        usual = int(np.median(rows))
        if self.furthest and not np.isnan(by_chance := chance(usual, self.furthest)):
            yield (
                f"lips and sound that have nothing to do with each other score {by_chance:.2f} by chance in clips of "
                f"{usual / LANDMARKS_HZ:.1f} s: compare clips of one length"
            )
