# Everything is installed into .venv by the targets themselves; `make serve` and `make test` are all the set-up there is.
PYTHON ?= python3
BIN := .venv/bin
PYTEST = $(BIN)/pytest --numprocesses logical --maxprocesses 4 --dist loadfile
TORCHLESS = tests/models tests/service

.PHONY: serve test check train theory bench soak

serve: .venv/service.done
	$(BIN)/reparam-serve

test: .venv/all.done
	$(PYTEST) -p tests.without_torch $(TORCHLESS)
	$(PYTEST) $(TORCHLESS:%=--ignore=%)

check: .venv/all.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

train: .venv/training.done
	$(BIN)/reparam-train $(RECIPE)

theory: .venv/training.done
	$(BIN)/reparam-theory

bench: .venv/bench.done
	$(BIN)/python -m tests.benchmarks

soak: .venv/soak.done
	$(BIN)/python -m tests.soak $(ROWS)

.venv/service.done: EXTRAS = service
.venv/training.done: EXTRAS = training
.venv/all.done: EXTRAS = client,service,training,dev
.venv/bench.done: EXTRAS = client,service,training,dev,bench
.venv/soak.done: EXTRAS = client,service,training,dev,soak
.venv/%.done: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable '.[$(EXTRAS)]'
	touch $@
