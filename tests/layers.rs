//! The direction of the layers, and the purity of all but the last: read from the sources, not from a habit.
//!
//! A module uses only what stands above it in [`LAYERS`]. Outside of `host` nothing reaches for a clock, entropy, the
//! environment, files, sockets or JavaScript.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "layers/paths.rs"]
mod paths;

use std::fs;
use std::path::{Path, PathBuf};

use paths::{Found, paths};

const LAYERS: [&str; 9] =
    ["error", "wire", "signature", "client", "resilience", "workflow", "privacy", "broker", "host"];

/// Not a layer: a check at compile time, which uses nothing and is used by nothing.
const GUARD: &str = "wasm_pack";

/// The layer that owns I/O.
const HOST: &str = "host";

/// What only a host may name: a path that starts so.
const IMPURE: [&[&str]; 16] = [
    &["js_sys"],
    &["web_sys"],
    &["wasm_bindgen"],
    &["wasm_bindgen_futures"],
    &["worker"],
    &["console_error_panic_hook"],
    &["getrandom"],
    &["rusqlite"],
    &["std", "env"],
    &["std", "fs"],
    &["std", "io"],
    &["std", "net"],
    &["std", "os"],
    &["std", "process"],
    &["std", "thread"],
    &["std", "*"],
];

/// What only a host may name, under whatever path: the clocks, and output.
const IMPURE_WORDS: [&str; 7] = ["SystemTime", "Instant", "println", "print", "eprintln", "eprint", "dbg"];

#[test]
fn layers_point_upwards_and_only_hosts_touch_the_world() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = rust_files(&root);
    assert!(files.len() > 20, "only {} files were found in {}", files.len(), root.display());
    let complaints: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let module = module_of(file.strip_prefix(&root).unwrap());
            let source = fs::read_to_string(file).unwrap();
            complaints(&module, &source).into_iter().map(|text| format!("{}:{text}", file.display()))
        })
        .collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn the_crate_declares_its_modules_in_the_order_of_the_layers() {
    let source = include_str!("../src/lib.rs");
    let declared: Vec<&str> = source
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ").or(line.strip_prefix("mod "))?.strip_suffix(';'))
        .filter(|module| *module != GUARD)
        .collect();
    let known: Vec<&str> = LAYERS.into_iter().filter(|layer| declared.contains(layer)).collect();
    assert_eq!(declared, known, "a module of lib.rs is not a layer, or stands in another order");
}

#[test]
fn a_use_of_a_lower_layer_is_found() {
    for source in [
        "use crate::broker::Broker;",
        "use crate::{error::Code, broker::Broker};",
        "use crate::{error::{Code, Error}, wire, client::{self}};",
        "fn f() { let x = crate::broker::start(); }",
        "fn f() -> Result<(), crate::workflow::Failure> {}",
        "use super::super::broker;",
        "use super::{super::broker, header};",
        "mod tests { use super::super::super::host::js; }",
        "macro_rules! m { () => { $crate::client::send() } }",
        "pub(crate) use orchestration::workflow::Context;",
        "use self::super::super::client;",
        "#[cfg(test)] mod tests { fn t() { crate::workflow::run(); } }",
        "use crate::*;",
        "use crate as root;",
        "use super::super as root;",
        "use crate::Engine;",
        "extern crate self as root;",
    ] {
        assert_eq!(complaints(&["wire", "step"], source).len(), 1, "{source}");
    }
}

#[test]
fn a_use_of_the_world_is_found() {
    for source in [
        "use std::time::SystemTime;",
        "use std::time::{Duration, Instant};",
        "use std::time; fn f() { time::Instant::now(); }",
        "use std::{collections::BTreeMap, env};",
        "fn f() { std::fs::read(x); }",
        "use ::std::net::TcpStream;",
        "use js_sys::Date;",
        "use worker;",
        "use worker as w;",
        "use {worker::Env, serde::Serialize};",
        "extern crate web_sys;",
        "#[wasm_bindgen::prelude::wasm_bindgen] pub fn f() {}",
        "fn f() { getrandom::fill(&mut bytes); }",
        "fn f() { println!(\"{}\", 1); }",
        "use std::*;",
    ] {
        assert_eq!(complaints(&["broker", "store"], source).len(), 1, "{source}");
        assert_eq!(complaints(&["host", "edge"], source), [""; 0], "{source}");
    }
}

#[test]
fn what_is_allowed_is_not_complained_about() {
    for source in [
        "use crate::error::{Code, Error, Result};",
        "use crate::wire::Timestamp; use crate::signature::{self, Keys};",
        "use super::{Members, token::Token}; use super::*;",
        "mod tests { use super::*; use super::super::*; }",
        "use self::key::Keys;",
        "//! See [`crate::broker`] and std::fs. \n/// `crate::host`\nfn f() { let s = \"crate::broker::x std::env\"; } // crate::host",
        "use std::time::Duration; use std::fmt; fn f(worker: u8, instant: u8) -> u8 { worker }",
        "fn f() { own::worker::run(); x.worker(); let env = std::convert::identity(1); }",
    ] {
        assert_eq!(complaints(&["signature", "verify"], source), [""; 0], "{source}");
    }
}

#[test]
fn a_module_that_is_no_layer_is_complained_about() {
    assert_eq!(complaints(&["util"], "fn f() {}").len(), 1);
    assert_eq!(complaints(&[GUARD], "use crate::error::Code;").len(), 1);
    assert_eq!(complaints(&["wire"], "use crate::wasm_pack::X;").len(), 1);
    assert_eq!(complaints(&[], "use worker::Env; pub use broker::Broker;").len(), 1, "lib.rs may name every layer");
}

/// What is wrong with the source of `module`, a line each, starting with the line's number.
fn complaints(module: &[&str], source: &str) -> Vec<String> {
    let layer = module.first().copied();
    if let Some(layer) = layer
        && !LAYERS.contains(&layer)
        && layer != GUARD
    {
        return vec![format!("1: '{layer}' is no layer; give it a place in LAYERS")];
    }
    let found = paths(source).unwrap_or_else(|error| panic!("{module:?}: {error}"));
    found
        .iter()
        .filter_map(|found| complaint(layer, module, found))
        .map(|(line, text)| format!("{line}: {text}"))
        .collect()
}

fn complaint(layer: Option<&str>, module: &[&str], found: &Found) -> Option<(usize, String)> {
    let used: Vec<&str> = found.path.iter().map(String::as_str).collect();
    let shown = used.join("::");
    let impure =
        IMPURE.iter().any(|start| used.starts_with(start)) || used.iter().any(|word| IMPURE_WORDS.contains(word));
    if layer != Some(HOST) && impure {
        return Some((found.line, format!("'{shown}' belongs into '{HOST}'")));
    }
    let layer = layer?;
    let target = match from_root(module, found.depth, &used)? {
        [] => return Some((found.line, format!("'{shown}' names the whole crate; name the module"))),
        [target, ..] => *target,
    };
    let place = |name: &str| LAYERS.iter().position(|layer| *layer == name);
    match place(target) {
        None => Some((found.line, format!("'{shown}' is in no layer; use the module's own path"))),
        Some(used) if Some(used) > place(layer) => {
            Some((found.line, format!("'{layer}' uses '{shown}', but '{target}' is below it")))
        }
        Some(_) => None,
    }
}

/// The path as seen from the crate's root; `None` if it doesn't lead there. A `*` or a new name for the root itself
/// leaves nothing.
fn from_root<'a, 'b>(module: &[&str], depth: usize, path: &'b [&'a str]) -> Option<&'b [&'a str]> {
    let rest = match path {
        ["crate" | "orchestration", rest @ ..] => rest,
        ["self" | "super", ..] => {
            let path = path.strip_prefix(&["self"]).unwrap_or(path);
            let ups = path.iter().take_while(|word| **word == "super").count();
            if ups < module.len() + depth {
                return None;
            }
            &path[ups..]
        }
        _ => return None,
    };
    Some(if matches!(rest, ["*" | "self", ..]) { &[] } else { rest })
}

/// `wire/step.rs` is `["wire", "step"]`, `wire/mod.rs` is `["wire"]`, `lib.rs` is `[]`.
fn module_of(file: &Path) -> Vec<&str> {
    let mut module: Vec<&str> = file.iter().map(|part| part.to_str().unwrap()).collect();
    match module.pop().unwrap() {
        "lib.rs" if module.is_empty() => {}
        "mod.rs" => {}
        name => module.push(name.strip_suffix(".rs").unwrap()),
    }
    module
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}
