//! URL groups: a name for several endpoints, each of which gets its own copy of a message (`/v2/topics`).

use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::client::lenient::or_default;
use crate::client::query::Resource;
use crate::error::{Code, Error, Result};
use crate::wire::{Method, Request, Timestamp};

const URL_GROUPS: Resource = Resource { path: "/v2/topics", id: "the name of a URL group" };

/// A URL group, as the broker shows it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlGroup {
    /// The name.
    pub name: String,
    /// Who gets its messages.
    #[serde(deserialize_with = "or_default")]
    pub endpoints: Vec<Endpoint>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

/// A member of a URL group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The address. May be left out where a name says which one is meant.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// A name within the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Endpoint {
    /// An endpoint without a name.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), name: None }
    }

    /// The endpoint with this name, wherever it is: to remove it.
    pub fn named(name: impl Into<String>) -> Self {
        Self { url: String::new(), name: Some(name.into()) }
    }
}

impl Client {
    /// Adds endpoints to a URL group, which is made if there is none of that name.
    ///
    /// [`Code::InvalidRequest`] without endpoints, and for one without a URL.
    pub fn add_endpoints(&self, group: &str, endpoints: &[Endpoint]) -> Result<Request> {
        if endpoints.iter().any(|endpoint| endpoint.url.is_empty()) {
            return Err(Error::new(Code::InvalidRequest, "an endpoint needs a url"));
        }
        self.endpoints(Method::Post, group, endpoints)
    }

    /// Removes endpoints, named by their URL or their name, from a URL group. A group without endpoints is deleted.
    ///
    /// [`Code::InvalidRequest`] without endpoints, and for one with neither.
    pub fn remove_endpoints(&self, group: &str, endpoints: &[Endpoint]) -> Result<Request> {
        if endpoints
            .iter()
            .any(|endpoint| endpoint.url.is_empty() && endpoint.name.as_deref().is_none_or(str::is_empty))
        {
            return Err(Error::new(Code::InvalidRequest, "an endpoint needs a url or a name to be removed"));
        }
        self.endpoints(Method::Delete, group, endpoints)
    }

    /// Asks for a [`UrlGroup`].
    pub fn url_group(&self, name: &str) -> Result<Request> {
        Ok(self.request(Method::Get, &URL_GROUPS.at(name)?))
    }

    /// Asks for all URL groups: `Vec<`[`UrlGroup`]`>`.
    pub fn url_groups(&self) -> Request {
        self.request(Method::Get, URL_GROUPS.path)
    }

    /// Deletes a URL group.
    pub fn delete_url_group(&self, name: &str) -> Result<Request> {
        Ok(self.request(Method::Delete, &URL_GROUPS.at(name)?))
    }

    fn endpoints(&self, method: Method, group: &str, endpoints: &[Endpoint]) -> Result<Request> {
        #[derive(Serialize)]
        struct Body<'a> {
            endpoints: &'a [Endpoint],
        }
        if endpoints.is_empty() {
            return Err(Error::new(Code::InvalidRequest, "name at least one endpoint"));
        }
        Ok(self.json(method, &(URL_GROUPS.at(group)? + "/endpoints"), &Body { endpoints }))
    }
}
