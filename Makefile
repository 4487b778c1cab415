# Every target first installs what it needs (scripts/setup); all are safe to repeat.

.DEFAULT_GOAL := help
.PHONY: help demo test build dev bench check clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1 - /p' $(MAKEFILE_LIST)

demo: ## Build, then run the main job: a durable workflow that survives a crash
	@scripts/setup demo
	@scripts/build-npm
	@scripts/build-worker
	@scripts/build-www
	@scripts/node demo/run.mjs

test: ## Run every test suite; the last line tells how many passed and failed
	@scripts/setup test
	@scripts/test

build: ## Build the npm package (pkg/), the Worker (build/) and the dashboard (www/)
	@scripts/setup build
	@scripts/build-npm
	@scripts/build-worker
	@scripts/build-www

dev: ## Run the broker with its dashboard on port 8080 until stopped
	@scripts/setup dev
	@scripts/build-npm
	@scripts/build-worker
	@scripts/build-www
	@exec scripts/node scripts/dev.mjs

bench: ## Run the benchmarks
	@scripts/setup bench
	@scripts/bench

check: ## Format, lint and native tests: the fast part of `make test`
	@scripts/setup check
	@scripts/check

clean: ## Remove everything that was built; the tools and packages stay
	rm -rf target build pkg/wasm pkg/dist pkg/dashboard www/.next www/out .wrangler .orchestration
