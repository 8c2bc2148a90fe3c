# The two commands: `make demo` and `make test`. Both set up all they need.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN = $(VENV)/bin
# What is imported is compiled then: to compile all of it now takes a third of the installation.
PIP = $(BIN)/python -m pip install -q --no-compile --disable-pip-version-check -c binder/requirements.txt
# Many tests wait for a server, a browser or another process: three share two cores.
WORKERS ?= 3
# How often `make test-long` carries out the browser tests: what depends on timing shows late. On two quiet cores all
# tests take half an hour, and then each time a quarter of an hour: less of it is `make test-long TIMES=1`.
TIMES ?= 1 2 3 4 5 6 7 8 9 10

.PHONY: demo lab site test test-long test-site lint bench picture clean
.DEFAULT_GOAL := demo

demo: $(VENV)/.installed
	$(BIN)/vidgen-nb demo

# Drawn examples are the same each time here (profile ci); new ones are looked for by `make test-long`.
test: $(VENV)/.installed-test
	BIN=$(BIN) sh .ci/chromium
	sh .ci/redis
	$(BIN)/python -m pytest -n $(WORKERS) -m "not long" --hypothesis-profile ci

test-long: $(VENV)/.installed-test
	BIN=$(BIN) sh .ci/chromium
	sh .ci/redis
	sh .ci/nginx
	$(BIN)/python -m pytest -n $(WORKERS)
	for time in $(TIMES); do \
		echo "--- browser tests, time $$time"; \
		$(BIN)/python -m pytest -q tests/in_lab || exit 1; \
	done

lint: $(VENV)/.installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# The tour, in JupyterLab.
lab: $(VENV)/.installed-lab
	$(BIN)/jupyter lab notebooks/00_tour.ipynb

# The notebooks as a web site: JupyterLite, where nothing is installed and no server runs; into site/.
site: $(VENV)-site/.installed-site
	sh .ci/node
	$(VENV)-site/bin/python binder/site/build.py site

test-site: $(VENV)/.installed-test site
	BIN=$(BIN) sh .ci/chromium
	VIDGEN_NB_NEEDS_SITE=1 $(BIN)/python -m pytest tests/web_site

bench: $(VENV)/.installed-test
	$(BIN)/python -m tests.benchmarks

# The pictures of the README and its pages: the panel in JupyterLab, and the Gantt of a run of the demo.
picture: demo $(VENV)/.installed-test
	BIN=$(BIN) sh .ci/chromium
	$(BIN)/python -m tests.in_lab.pictures
	$(BIN)/vidgen-nb gantt demo/run.jsonl --out notebooks/images/demo.svg
	$(BIN)/vidgen-nb gantt demo/run.jsonl --out notebooks/images/demo-dark.svg --theme dark

clean:
	rm -rf $(VENV) $(VENV)-site site demo .hypothesis .mypy_cache .pytest_cache .ruff_cache .coverage* artifacts

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name it with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml binder/requirements.txt
	$(PIP) -e .
	touch $@

$(VENV)/.installed-lab: $(VENV)/bin/python pyproject.toml binder/requirements.txt
	$(PIP) -e ".[lab]"
	touch $@ $(VENV)/.installed

$(VENV)/.installed-test: $(VENV)/bin/python pyproject.toml binder/requirements.txt
	$(PIP) -e ".[test]"
	touch $@ $(VENV)/.installed

# A place of its own: JupyterLab would load the extensions of JupyterLite.
$(VENV)-site/.installed-site: pyproject.toml binder/requirements.txt binder/site/requirements.txt
	$(MAKE) -s $(VENV)-site/bin/python VENV=$(VENV)-site
	$(VENV)-site/bin/python -m pip install -q --disable-pip-version-check -c binder/requirements.txt \
		-r binder/site/requirements.txt -e .
	touch $@
