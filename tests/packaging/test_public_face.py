"""What `import thgeval` offers: exactly its list, sorted, and quickly."""

import json
import subprocess
import sys

import thgeval

HEAVY = ("av", "cv2", "numba", "numpy", "scipy", "torch", "click", "rich")


def test_the_public_list_is_sorted_and_true():
    assert thgeval.__all__ == sorted(thgeval.__all__)
    assert all(getattr(thgeval, name) is not None for name in thgeval.__all__)
    assert dir(thgeval) == thgeval.__all__


def test_importing_it_imports_nothing_heavy():
    code = "import json, sys, thgeval; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
    assert not {name for name in loaded if name in HEAVY}


def test_scoring_pixels_does_not_import_torch():
    code = (
        "import sys, numpy, thgeval; frames = numpy.zeros((2, 192, 192, 3), 'uint8');"
        "thgeval.score(frames, frames); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "False"


def test_listing_metrics_imports_no_filters():
    code = (
        "import sys; from thgeval import registry; table = [registry.metric_class(name) for name in registry.table()];"
        "print('scipy.signal' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "False"
