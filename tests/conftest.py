"""Puts tests/ on the path, and keeps every test away from the user's own cache."""

import sys
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

settings.register_profile("thgeval", deadline=None)  # machines that run tests are busy
settings.load_profile("thgeval")


@pytest.fixture(scope="session", autouse=True)
def _a_home_of_its_own(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THGEVAL_HOME", str(tmp_path_factory.mktemp("thgeval-home")))
        yield
