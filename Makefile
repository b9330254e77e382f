# Every target makes what it needs: a fresh clone, Python >= 3.11 and a network are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Tests start dozens of programs; without bytecode on the disk each of them would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo test test-compiled lint lint-quick format bench chaos lock wheel-compiled clean

install: $(READY)

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("arrears needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; say PYTHON=/path/to/python3.11") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

demo: install
	$(BIN)/arrears demo

# Three processes, each with a broker and a ClickHouse of its own: much of the time is waiting for these, so they keep
# two cores busy. tests/distribution.py says who gets what. Types are checked beside them; what is wrong with those is
# printed behind the summary of the tests.
test: lint-quick
	@$(BIN)/mypy > $(VENV)/types.txt 2>&1 & types=$$!; \
	$(BIN)/python -m pytest --numprocesses=$${ARREARS_TEST_PROCESSES:-3} --dist=loadfile --durations=15; tests=$$?; \
	wait $$types || { cat $(VENV)/types.txt; exit 1; }; \
	exit $$tests

# Builds the wheel that images are made of and runs the jobs' tests on it: some minutes.
test-compiled: install
	$(BIN)/python -m pytest -m compiled tests/packaging

# A wheel for this machine whose jobs are compiled (needs a C compiler); what is installed from source stays source.
wheel-compiled: install
	HATCH_BUILD_HOOK_ENABLE_CUSTOM=true $(BIN)/uv build --wheel --python $(BIN)/python --out-dir dist .

lint: lint-quick
	$(BIN)/mypy

lint-quick: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/deptry .

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install
	$(BIN)/python -m tests.bench

chaos: install
	ARREARS_CHAOS_SECONDS=$${ARREARS_CHAOS_SECONDS:-900} $(BIN)/python -m pytest -m chaos --timeout=0 tests/integration tests/pipeline/local

lock: install
	$(BIN)/uv pip compile --quiet --no-header --no-annotate --universal --python-version 3.11 --group dev pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
