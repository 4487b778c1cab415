# Pinned versions and paths that every script shares. Sourced by bash, never run.
#
# wasm-bindgen's command line must equal the library exactly (Cargo.toml): 0.2.125 goes with
# js-sys and web-sys 0.3.102, wasm-bindgen-futures 0.4.75 and worker 0.8.5.

RUST_MINIMUM=1.95
NODE_MINIMUM=20
WASM_BINDGEN_VERSION=0.2.125
WORKER_BUILD_VERSION=0.8.7
WASM_PACK_VERSION=0.15.1
PYTHON_MINIMUM=3.10
# The same version as in tests/python/requirements.txt.
PYTHON_CLIENT_VERSION=3.4.0
# The JavaScript tools, Node 22 among them, are pinned in package.json and package-lock.json.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Compiled tools live outside the clone, so that the next clone finds them.
export ORCHESTRATION_CACHE=${ORCHESTRATION_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/orchestration}
TOOLS=$ORCHESTRATION_CACHE/tools
WASM_BINDGEN_DIR=$TOOLS/wasm-bindgen-cli-$WASM_BINDGEN_VERSION/bin
WORKER_BUILD_DIR=$TOOLS/worker-build-$WORKER_BUILD_VERSION/bin
WASM_PACK_DIR=$TOOLS/wasm-pack-$WASM_PACK_VERSION/bin
PYTHON_CLIENT_DIR=$TOOLS/python-qstash-$PYTHON_CLIENT_VERSION
NODE_BIN=$ROOT/node_modules/.bin

# Puts the pinned tools first on PATH; `node` is Node 22 from then on.
use_toolchain() {
  export PATH="$NODE_BIN:$WASM_BINDGEN_DIR:$WORKER_BUILD_DIR:$WASM_PACK_DIR:$PATH"
  # worker-build downloads what these do not name.
  export WASM_BINDGEN_BIN=$WASM_BINDGEN_DIR/wasm-bindgen
  export WASM_OPT_BIN=$NODE_BIN/wasm-opt
  export ESBUILD_BIN=$NODE_BIN/esbuild
  export WRANGLER_SEND_METRICS=false
  # The official Python client; tests/python.
  export PYTHON_CLIENT_DIR
  # The target is named on every command line; as a variable it is taken for wasm-pack's (src/wasm_pack.rs).
  unset CARGO_BUILD_TARGET
}

# newer FILE THAN...: whether the file exists and is newer than all the others.
newer() {
  local file=$1 other
  shift
  for other in "$@"; do [[ $file -nt $other ]] || return 1; done
}

say() { printf '%s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
