//! The body of a callback or failure callback message (`qstash/features/callbacks.mdx`).

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a destination answered, as told to the callback URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallbackBody {
    /// The status; 0 if there was no answer.
    pub status: u16,
    /// The headers of the answer.
    #[serde(default)]
    pub header: BTreeMap<String, Vec<String>>,
    /// The body of the answer, in standard base64.
    #[serde(default)]
    pub body: String,
    /// How many tries came before this one.
    #[serde(default)]
    pub retried: u32,
    /// How many tries may follow the first.
    #[serde(default)]
    pub max_retries: u32,
    /// The message that was delivered.
    #[serde(default)]
    pub source_message_id: String,
    /// Where it was delivered.
    #[serde(default)]
    pub url: String,
    /// By which method.
    #[serde(default)]
    pub method: String,
    /// The headers that were delivered.
    #[serde(default)]
    pub source_header: BTreeMap<String, Vec<String>>,
    /// The body that was delivered, in standard base64.
    #[serde(default)]
    pub source_body: String,
    /// Not before this moment; Unix milliseconds, as text.
    #[serde(default)]
    pub not_before: String,
    /// When the message was created; Unix milliseconds, as text.
    #[serde(default)]
    pub created_at: String,
    /// The address of whoever published the message.
    #[serde(default, rename = "callerIP", skip_serializing_if = "Option::is_none")]
    pub caller_ip: Option<String>,
    /// The URL group that it was published to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic_name: Option<String>,
    /// The name of the group's endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_name: Option<String>,
    /// The schedule that published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_id: Option<String>,
    /// The entry in the dead letter queue; only in failure callbacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dlq_id: Option<String>,
    /// The run that failed; only in a workflow's failure callback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_run_id: Option<String>,
    /// When that run was created; Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_created_at: Option<u64>,
}
