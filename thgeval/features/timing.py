"""How long a clip took to generate, from the record beside it."""

from thgeval.feature import Feature, Grain
from thgeval.timing import TimingRecord

timing: Feature[TimingRecord] = Feature("timing", version=1, grain=Grain.CLIP, offered="timing")
