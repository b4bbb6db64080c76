"""Where things are kept on systems that number no users."""

import os
import tempfile
from pathlib import Path

from thgeval import home


def test_a_system_without_user_numbers_gets_a_temporary_folder(monkeypatch):
    def homeless():
        raise RuntimeError

    monkeypatch.delattr(os, "getuid")
    monkeypatch.delenv("THGEVAL_HOME")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    home._homeless.cache_clear()
    try:
        assert home.home() == Path(tempfile.gettempdir()) / "thgeval"
    finally:
        home._homeless.cache_clear()
