//! An order: validated, charged, reserved and announced, and shipped after a while.

use std::time::Duration;

use futures_util::future::try_join;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::host::edge::EdgeHost;
use crate::wire::{Method, Request};
use crate::workflow::{Context, Failure, Host};

/// What an order's run is started with.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    #[serde(rename = "orderId")]
    id: String,
    /// Where each step leaves a trace: the world outside, which no crash undoes.
    ledger_url: String,
    sleep_seconds: u64,
}

/// What a run ends with.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shipment {
    order_id: String,
    receipt: String,
    shipped: bool,
}

/// The ledger's answer.
#[derive(Serialize, Deserialize)]
struct Entry {
    entry: u64,
}

/// Each step is remembered: whatever crashes in between, none of those that have ended runs again.
pub async fn order(context: Context) -> Result<Shipment, Failure> {
    let order: Order = context.payload()?;
    let step = |name: &'static str| {
        let (run, url) = (context.clone(), format!("{}/steps", order.ledger_url));
        context.run(name, async move || record(&run, &url, name).await)
    };

    step("validate").await?;
    let charged = step("charge").await?;
    try_join(step("reserve"), step("email")).await?;
    context.sleep("wait for the parcel", Duration::from_secs(order.sleep_seconds)).await?;
    step("ship").await?;

    Ok(Shipment { order_id: order.id, receipt: format!("receipt-{}", charged.entry), shipped: true })
}

/// Writes a line into the ledger. The ledger refuses the first charges, as payment services do on a bad day.
async fn record(context: &Context, url: &str, step: &str) -> Result<Entry, Failure> {
    let line = json!({
        "runId": context.run_id(),
        "step": step,
        "attempt": context.retried() + 1,
        "language": "rust",
    });
    let request = Request::new(Method::Post, url).header("content-type", "application/json").body(line.to_string());
    let answer = EdgeHost::new().send(request).await.map_err(|error| Failure::new("LedgerUnreachable", error))?;
    if !answer.is_success() {
        return Err(Failure::new("LedgerRefused", format!("the ledger answered {} to '{step}'", answer.status)));
    }
    Ok(serde_json::from_slice(&answer.body)?)
}
