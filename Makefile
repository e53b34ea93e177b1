# Each target sets up .venv first; that is done again only when setup.py, constraints.txt or Python changed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
JOBS   ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_CONSTRAINT := $(abspath constraints.txt)

.PHONY: run test interop lint reproduce bench clean help

run: $(READY)  ## send the shipped photographs over a fading OFDM link; results in out/
	$(BIN)/semwave run flowgraphs/image_link.toml

# tests run side by side, a process a core: threads inside each would wait for one another
test interop: export OMP_NUM_THREADS := 1

test: $(READY)  ## run the tests
	$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal

interop: $(READY)  ## run what needs GNU Radio, against the real one; root installs Debian's where it is missing
	sh scripts/need_gnuradio.sh
	$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal -m peer tests/gnuradio tests/modulation/gnuradio_ofdm tests/wire

lint: $(READY)  ## ruff and mypy
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python scripts/typecheck.py

reproduce: $(READY)  ## make the figures and tables of the README and docs anew (hours; --small: minutes)
	$(BIN)/python scripts/reproduce.py $(SMALL)

bench: $(READY)  ## short versions of all benchmarks, one JSON line a case
	$(BIN)/python benchmarks/run_all.py --quick

$(READY): setup.py constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "semwave needs Python 3.11 or newer; set PYTHON=")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q pip setuptools wheel
	$(BIN)/python -m pip install -q torch
	$(BIN)/python -m pip install -q -e '.[test,lint]'
	-$(BIN)/semwave models fetch metrics  # for DISTS; what needs it says so where this failed
	touch $@

clean:
	rm -rf $(VENV) out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

help:
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/\t/'
