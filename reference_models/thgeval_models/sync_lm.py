"""Two towers that see whether a mouth and a voice belong together: landmarks at 25 Hz, log-mel speech at 100 Hz.

Each gives one embedding of length 1 for every 40 ms. The lips' tower sees 11 rows around the embedding's own (0.44 s),
the voice's 38 columns (0.4 s). Trained by ``reference_models/training/train_sync_lm.py``; the model card is
``reference_models/sync_lm.md``.
"""

from torch import Tensor, nn
from torch.nn.functional import normalize

LIP_COLUMNS, MEL_BANDS = 40, 40
WIDTH, EMBEDDING = 96, 48


class SyncLM(nn.Module):
    """(batch, 40, rows) of lip motion and (batch, 40, 4 x rows) of log-mel speech to (batch, 48, rows) each."""

    def __init__(self) -> None:
        super().__init__()
        self.lips = nn.Sequential(
            nn.Conv1d(LIP_COLUMNS, WIDTH, 5, padding=2),
            nn.ReLU(),
            nn.Conv1d(WIDTH, WIDTH, 5, padding=2),
            nn.ReLU(),
            nn.Conv1d(WIDTH, WIDTH, 3, padding=1),
            nn.ReLU(),
            nn.Conv1d(WIDTH, EMBEDDING, 1),
        )
        self.voice = nn.Sequential(
            nn.Conv1d(MEL_BANDS, WIDTH, 5, padding=2),
            nn.ReLU(),
            nn.Conv1d(WIDTH, WIDTH, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv1d(WIDTH, WIDTH, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv1d(WIDTH, WIDTH, 7, padding=3),
            nn.ReLU(),
            nn.Conv1d(WIDTH, EMBEDDING, 1),
        )

    def forward(self, lips: Tensor, voice: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings of both sides."""
        return normalize(self.lips(lips), dim=1), normalize(self.voice(voice), dim=1)


def build() -> SyncLM:
    """The network with the layout of the shipped weights, untrained."""
    return SyncLM()
