//! The fuzz targets, fed for a short time: mutations of what is valid, and long inputs that would take long if anything
//! took more than a bounded time per byte. `tests/fuzz` feeds the same targets to libFuzzer for as long as one likes.
//!
//! `FUZZ_ROUNDS` sets how many mutations each seed of the corpus gets.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "fuzz/targets.rs"]
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use orchestration::signature::{BodyHash, Claims, Keys, sign};
use orchestration::wire::{Timestamp, base64};
use serde_json::{Value, json};
use targets::{TARGETS, Target};

const ROUNDS: u64 = 400;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let texts: Vec<String> = match target {
        "jwt" => {
            let keys = Keys::new("sig_current", None).unwrap();
            let body = BodyHash::of(b"{}");
            let now = Timestamp::from_seconds(1_800_000_000);
            let claims = Claims::of_delivery("https://app.test/api/order", body, now, "jwt_1");
            let token = sign(&claims, keys.iter().next().unwrap());
            vec![format!("{token}\n{{}}"), "a.b.c".into(), token.replace('.', "..")]
        }
        "history" => vec![
            history(&[json!({"stepId": 1, "stepName": "a", "stepType": "Run", "out": "null", "concurrent": 1})]),
            history(&[
                json!({"stepId": 1, "stepName": "a", "stepType": "Run", "out": "null", "concurrent": 1, "now": [[0, 5]]}),
                json!({"stepId": 0, "stepName": "b", "stepType": "Run", "concurrent": 2, "targetStep": 2}),
                json!({"stepId": 0, "stepName": "c", "stepType": "Call", "concurrent": 2, "targetStep": 3}),
                json!({"stepId": 2, "stepName": "b", "stepType": "SleepFor", "sleepFor": 12, "concurrent": 2,
                       "out": r#"{"orchestration:failure":{"name":"Error","message":"no"}}"#}),
                json!({"stepId": 3, "stepName": "c", "stepType": "Call", "concurrent": 2,
                       "out": r#"{"status":200,"header":{"content-type":["text/plain"]},"body":"1"}"#}),
                json!({"stepId": 4, "stepName": "b", "stepType": "Run", "out": "1", "concurrent": 1}),
                json!({"stepId": 5, "stepName": "d", "stepType": "Wait", "out": "e30=", "concurrent": 1}),
                json!({"stepId": 6, "stepName": "e", "stepType": "CreateWebhook", "out": r#"{"webhookUrl":"u","eventId":"e"}"#, "concurrent": 1}),
                json!({"stepId": 7, "stepName": "f", "stepType": "WaitForWebhook", "waitTimeout": true, "concurrent": 1}),
            ]),
        ],
        "callback" => vec![
            json!({"status": 200, "header": {"A": ["b"]}, "body": "e30=", "retried": 1, "maxRetries": 3, "sourceBody": "e30="})
                .to_string(),
        ],
        "headers" => vec![
            "Upstash-Workflow-Sdk-Version\n1\nUpstash-Workflow-RunId\nwfr_1\nUpstash-Label\na,b\nUpstash-Retried\n3".into(),
            "Upstash-Workflow-Callback\ntrue\nUpstash-Workflow-Now\n0:1,2:3\nUpstash-Workflow-StepId\n1".into(),
            "Upstash-Workflow-Unknown-Sdk\ntrue\nUpstash-Workflow-RunId\nwfr_1".into(),
        ],
        "duration" => vec!["1d10h30m5s".into(), "7d".into(), "30".into(), "1mo1y1w".into()],
        "expression" => vec![
            "1000 * (1 + retried)".into(),
            "pow(2, retried) * max(1, min(5, -retried)) / abs(-3) + sqrt(floor(2.5))".into(),
        ],
        "answer" => vec![json!({"error": "no"}).to_string(), "120".into(), "Wed, 21 Oct 2026 07:28:00 GMT".into()],
        other => panic!("no corpus for '{other}'"),
    };
    texts.into_iter().map(String::into_bytes).collect()
}

fn history(steps: &[Value]) -> String {
    let bodies = std::iter::once("{}".to_owned()).chain(steps.iter().map(Value::to_string));
    let entries = bodies
        .enumerate()
        .map(|(n, body)| json!({"messageId": format!("msg_{n}"), "body": base64::encode(body), "callType": "step"}));
    entries.collect::<Value>().to_string()
}

/// `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    fn mutate(&mut self, data: &mut Vec<u8>) {
        const PIECES: [&str; 16] = [
            "",
            "\0",
            "\"",
            "{",
            "}",
            "[",
            "]",
            ",",
            "null",
            "-1",
            "4294967296",
            "1e999",
            "\u{feff}",
            "\\ud800",
            "\n",
            "é",
        ];
        for _ in 0..=self.below(4) {
            let (at, other) = (self.below(data.len() + 1), self.below(data.len() + 1));
            let (from, to) = (at.min(other), at.max(other));
            match self.below(6) {
                0 => drop(data.drain(from..to)),
                1 if at < data.len() => data[at] ^= 1 << self.below(8),
                2 => drop(data.splice(at..at, PIECES[self.below(PIECES.len())].bytes())),
                3 => {
                    let copy = data[from..to.min(from + 200)].to_vec();
                    drop(data.splice(at..at, copy));
                }
                4 if at < data.len() => data[at] = u8::try_from(self.below(256)).unwrap(),
                _ => data.truncate(to),
            }
        }
    }

    /// A mutation inside of the base64 of one entry of a history, where plain mutation would only break the base64.
    fn mutate_entry(&mut self, data: &mut Vec<u8>) {
        let Ok(Value::Array(mut entries)) = serde_json::from_slice::<Value>(data) else { return };
        let index = self.below(entries.len());
        if let Some(mut body) = entries[index]["body"].as_str().and_then(base64::decode) {
            self.mutate(&mut body);
            entries[index]["body"] = base64::encode(body).into();
        }
        *data = Value::Array(entries).to_string().into_bytes();
    }
}

#[test]
fn mutations_of_what_is_valid_neither_panic_nor_hang() {
    let rounds = std::env::var("FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(ROUNDS);
    for (name, target) in TARGETS {
        println!("{name}: {rounds} rounds");
        for (n, seed) in corpus(name).iter().enumerate() {
            target(seed);
            for round in 0..rounds {
                let mut dice = Dice(round << 8 | u64::try_from(n).unwrap());
                let mut data = seed.clone();
                if name == "history" && dice.below(3) > 0 {
                    dice.mutate_entry(&mut data);
                } else {
                    dice.mutate(&mut data);
                }
                feed(name, target, &data);
            }
        }
    }
}

#[test]
fn time_is_bounded_per_byte() {
    // Quadratic work on a megabyte would take hours, so the bound need not be tight to tell.
    const PER_BYTE: Duration = Duration::from_micros(20);
    const SIZE: usize = 1 << 20;
    for (name, target) in TARGETS {
        let mut inputs: Vec<Vec<u8>> = [
            "[",
            "{",
            "\"",
            "a.",
            ".",
            "1s",
            "1d",
            "(",
            "-",
            "1+",
            "retried*",
            "A\n",
            "%2e/",
            "\\u0000",
            "é",
            "[{\"body\":\"\"},",
        ]
        .iter()
        .map(|piece| piece.repeat(SIZE / piece.len()).into_bytes())
        .collect();
        for seed in corpus(name) {
            inputs.push(seed.iter().copied().cycle().take(SIZE).collect());
        }
        if name == "history" {
            let step = |id| json!({"stepId": id, "stepName": "a", "stepType": "Run", "out": "null", "concurrent": 1});
            inputs.push(history(&(1..5000).map(step).collect::<Vec<_>>()).into_bytes());
            inputs.push(history(&(1..5000).map(|_| step(1)).collect::<Vec<_>>()).into_bytes());
        }
        for input in inputs {
            let start = Instant::now();
            feed(name, target, &input);
            let (took, bound) = (start.elapsed(), PER_BYTE * u32::try_from(input.len()).unwrap());
            let shown = String::from_utf8_lossy(&input[..40.min(input.len())]).into_owned();
            assert!(took < bound, "{name}: {took:?} for {} bytes that begin with {shown:?}", input.len());
        }
    }
}

fn feed(name: &str, target: Target, data: &[u8]) {
    let fed = catch_unwind(AssertUnwindSafe(|| target(data)));
    assert!(fed.is_ok(), "{name} panics on {:?}", String::from_utf8_lossy(data));
}
