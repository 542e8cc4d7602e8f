# Every target sets up what it needs.
PYTHON := .venv/bin/python
FARM := .venv/bin/farm
FUZZ_EXAMPLES := 1000
# Several files of tests at a time, each by one process; a run of some files alone is quicker without.
AT_ONCE := -n auto --dist loadfile --no-loadscope-reorder
# Some containers forbid it to keep compiled code: then each of a thousand processes compiles anew.
COMPILED_ONCE := env -u PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test fuzz test-page test-docker test-torch check format bench docs-pictures lock schema clean

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-12s %s\n", $$1, $$2}'

setup: ## Make .venv with the locked packages on Python 3.13
	@tools/setup.sh

demo: setup ## Build three models, render a small dataset of them, say where it is
	@$(FARM) samples demo/assets
	@$(FARM) render --models demo/assets/models --hdrs demo/assets/hdrs --output demo/dataset \
		--augmented --fit --pitch 4 --yaw-per-pitch 2 --resolution 256 --samples 16

test: setup ## Run all tests, or some: make test PYTEST=tests/unit/spec
	@$(COMPILED_ONCE) $(PYTHON) -m pytest $(if $(findstring tests/,$(PYTEST)),,$(AT_ONCE)) $(PYTEST)

fuzz: setup ## Throw strange things at every door, for long: make fuzz FUZZ_EXAMPLES=5000
	@FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(PYTHON) -m pytest tests/fuzz tests/unit/ledger/test_redis_as_memory.py \
		tests/unit/ledger/test_interleavings.py --timeout 0 -o faulthandler_timeout=0 $(PYTEST)

test-page: setup ## Click through every page in Chromium; make test clicks through the main ones
	@$(PYTHON) -m pytest tests/page $(PYTEST)

test-docker: setup ## Build the images, render on a stack of containers, take it down
	@$(PYTHON) -m pytest tests/docker -s -o faulthandler_timeout=0 $(PYTEST)

test-torch: ## Train with PyTorch, in an environment of its own; on a rendered dataset after make setup
	@tools/setup_torch.sh
	@FARM_RENDERS="$(abspath $(wildcard $(FARM)))" .venv-torch/bin/python -m pytest -s $(PYTEST) \
		tests/unit/dataset/test_torch.py tests/unit/stream/test_tensors.py tests/unit/stream/test_handover.py \
		tests/unit/stream/test_batches.py tests/integration/test_remote_training.py \
		tests/integration/streams/test_torch.py

chaos: setup ## Break a farm for ten minutes, real outages included, and see that nothing is lost
	@$(PYTHON) -m tests.chaos

check: setup ## Style, types, architecture
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@.venv/bin/lint-imports

format: setup ## Rewrite the code in the project's style
	@.venv/bin/ruff check --fix
	@.venv/bin/ruff format

bench: setup ## Measure against peers, in a quarter of an hour: bench/report.md
	@$(PYTHON) -m bench.report

docs-pictures: setup ## Render the pictures of README.md and docs/ anew, in some minutes
	@$(PYTHON) -m tools.docs_pictures

schema: setup ## Write the JSON schema of a spec
	@$(FARM) schema > docs/viewfarm.schema.json

LOCK := tools/uv.sh pip compile pyproject.toml --universal --python-version 3.13 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet

lock: ## Pin all packages anew: requirements.lock, and the parts of it that the images install
	@$(LOCK) --extra worker --extra s3 --extra export --extra tables --group dev --upgrade --output-file requirements.lock
	@$(LOCK) --extra worker --extra s3 -c requirements.lock --upgrade --output-file requirements-worker.lock
	@$(LOCK) --extra server --extra s3 --extra formats -c requirements.lock --upgrade --output-file requirements-api.lock

clean: ## Delete what is made: .venv, caches, the demo
	rm -rf .venv .venv-tools .venv-torch .venv-blenderproc setup.log demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
