//! Signatures as wasm: the known answers, and the host's own Web Crypto as the other end, live, in both directions.

#[path = "../signature/vectors.rs"]
mod vectors;

use std::time::Duration;

use js_sys::{Function, Promise, Uint8Array};
use orchestration::Code;
use orchestration::signature::{BodyHash, Claims, Expect, Keys, sign, verify};
use orchestration::wire::{Timestamp, base64};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use vectors::Vectors;

const KEY: &str = "sig_live_4Tq8wZn2";
const URL: &str = "https://example.com/hook?größe=ü";
const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

#[wasm_bindgen_test]
fn known_answers() {
    for vector in Vectors::read().verify {
        vector.check();
    }
}

#[wasm_bindgen_test]
fn signed_tokens_are_those_of_web_crypto() {
    for vector in Vectors::read().sign {
        vector.check();
    }
}

#[wasm_bindgen_test]
async fn web_crypto_signs_and_we_verify() {
    for body in bodies() {
        let payload = format!(
            r#"{{"iss":"Upstash","sub":"{URL}","exp":1700000300,"nbf":0,"iat":1700000000,"jti":"jwt_1","body":"{}"}}"#,
            base64::encode_url(subtle_sha256(&body).await)
        );
        let input = format!("{}.{}", base64::encode_url(r#"{"typ":"JWT","alg":"HS256"}"#), base64::encode_url(payload));
        let token = format!("{input}.{}", base64::encode_url(subtle_hmac(KEY, &input).await));

        let claims = verify(&token, &BodyHash::of(&body), &keys(), &expect()).unwrap();
        assert_eq!(claims.token_id.as_deref(), Some("jwt_1"));

        let error = verify(&token, &BodyHash::of(b"another body"), &keys(), &expect()).unwrap_err();
        assert_eq!(error.code(), Code::SignatureBody);
        let forged = format!("{input}.{}", base64::encode_url(subtle_hmac("sig_other", &input).await));
        let error = verify(&forged, &BodyHash::of(&body), &keys(), &expect()).unwrap_err();
        assert_eq!(error.code(), Code::SignatureInvalid);
    }
}

#[wasm_bindgen_test]
async fn we_sign_and_web_crypto_verifies() {
    for body in bodies() {
        let token = sign(&Claims::of_delivery(URL, BodyHash::of(&body), NOW, "jwt_1"), &keys().current);
        let (input, mac) = token.rsplit_once('.').unwrap();
        assert!(subtle_verify(KEY, input, &base64::decode_url(mac).unwrap()).await);
        assert!(!subtle_verify("sig_other", input, &base64::decode_url(mac).unwrap()).await);

        let payload = base64::decode_url(input.split_once('.').unwrap().1).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(claims["body"], base64::encode_url(subtle_sha256(&body).await));
        assert_eq!(claims["sub"], URL);
    }
}

#[wasm_bindgen_test]
async fn a_digest_of_web_crypto_is_the_hash() {
    for body in bodies() {
        let digest = subtle_sha256(&body).await.try_into().unwrap();
        assert_eq!(BodyHash::from_digest(digest), BodyHash::of(&body));
    }
}

fn keys() -> Keys {
    Keys::new(KEY, None).unwrap()
}

fn expect() -> Expect<'static> {
    Expect { url: Some(URL), now: NOW, tolerance: Duration::ZERO }
}

fn bodies() -> [Vec<u8>; 4] {
    [Vec::new(), br#"{"a": "b"}"#.to_vec(), (0..=255).collect(), vec![0xa5; 1 << 20]]
}

async fn subtle_sha256(data: &[u8]) -> Vec<u8> {
    let digest = Function::new_with_args("data", "return crypto.subtle.digest('SHA-256', data)");
    bytes(digest.call1(&JsValue::NULL, &Uint8Array::from(data)).unwrap()).await
}

async fn subtle_hmac(key: &str, text: &str) -> Vec<u8> {
    let sign = hmac_function("return crypto.subtle.sign('HMAC', secret, data)");
    bytes(sign.call2(&JsValue::NULL, &Uint8Array::from(key.as_bytes()), &Uint8Array::from(text.as_bytes())).unwrap())
        .await
}

async fn subtle_verify(key: &str, text: &str, mac: &[u8]) -> bool {
    let verify = hmac_function("return crypto.subtle.verify('HMAC', secret, mac, data)");
    let [key, text, mac] = [key.as_bytes(), text.as_bytes(), mac].map(Uint8Array::from);
    let answer = verify.call3(&JsValue::NULL, &key, &text, &mac).unwrap();
    settled(answer).await.as_bool().unwrap()
}

/// A function of `key`, `data` and `mac`, whose `body` finds the imported key in `secret`.
fn hmac_function(body: &str) -> Function {
    Function::new_with_args(
        "key, data, mac",
        &format!(
            "return (async () => {{
                const algorithm = {{ name: 'HMAC', hash: 'SHA-256' }};
                const secret = await crypto.subtle.importKey('raw', key, algorithm, false, ['sign', 'verify']);
                {body};
            }})()"
        ),
    )
}

async fn bytes(promise: JsValue) -> Vec<u8> {
    Uint8Array::new(&settled(promise).await).to_vec()
}

async fn settled(promise: JsValue) -> JsValue {
    JsFuture::from(Promise::from(promise)).await.expect("Web Crypto answers")
}
