# Thin names for the real commands; each line is what you would type yourself.
BENCH_ARGS ?=
SOAK_ARGS ?=
SOAK_ROUNDS ?= 300
FUZZ_SECONDS ?= 60

.PHONY: run build test tsan fuzz bench soak fmt lint install package clean

run: build
	exec build/release/headgate serve examples/template.yaml

build:
	tools/setup.sh run
	cmake --preset release
	cmake --build --preset release

test:
	tools/setup.sh test
	tools/test.sh

tsan:
	tools/setup.sh test
	tools/test.sh tsan

fuzz:
	tools/setup.sh fuzz
	tools/fuzz.sh $(FUZZ_SECONDS)

bench:
	tools/setup.sh bench
	$(MAKE) build
	.tools/venv/bin/python load/bench.py $(BENCH_ARGS)
	.tools/venv/bin/python load/events_bench.py $(BENCH_ARGS)

soak: build
	tools/setup.sh test
	cmake --preset dev
	cmake --build --preset dev
	HEADGATE_BIN=build/dev/headgate HEADGATE_TEST_ROUNDS=$(SOAK_ROUNDS) \
		.tools/venv/bin/python -m pytest -q -s -p no:cacheprovider tests/fault/test_kill9.py
	.tools/venv/bin/python tests/soak/soak.py $(SOAK_ARGS)

fmt:
	tools/setup.sh lint
	tools/format.sh

lint:
	tools/setup.sh lint
	tools/lint.sh --all

install: build
	cmake --install build/release

package: build
	cd build/release && cpack -G DEB

clean:
	rm -rf build
