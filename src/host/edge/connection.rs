//! From the Worker's settings to its broker.

use worker::{Env, Url, console_warn};

use crate::client::Client;
use crate::client::region::{Sought, credentials};
use crate::error::{Code, Error, Result};
use crate::host::edge::settings::{self, BROKER, QSTASH_TOKEN, QSTASH_URL};
use crate::host::edge::{BrokerObjects, EdgeHost};
use crate::wire::{Request, header};

/// The broker that the Worker's [settings](crate::host::edge) name, else the one in this Worker, else hosted QStash: a
/// client of it, and the host that carries the client's requests there.
///
/// ```ignore
/// use orchestration::client::{Published, Retry, Trigger, call};
///
/// let (client, host) = connect(&env, &request)?;
/// let run_id = RunId::generate(&mut PlatformEntropy);
/// let run = Trigger::new("https://app.test/api/order", run_id).json(&order)?;
/// let started: Vec<Published> = call(&host, &Retry::default(), &client.trigger([run])?).await?;
/// ```
///
/// `request` is the one that is being answered: it tells the Worker's own address and, if it is a delivery, its region.
/// [`Code::InvalidConfiguration`] names the setting that is missing.
pub fn connect(env: &Env, request: &Request) -> Result<(Client, EdgeHost)> {
    let url = Url::parse(&request.url)
        .map_err(|_| Error::new(Code::InvalidUrl, "the request's URL is not an absolute URL"))?;
    let own = url.origin().ascii_serialization();
    let embedded = env.durable_object(BROKER).is_ok();
    let environment = settings::environment(env);
    let named = [QSTASH_URL, "QSTASH_REGION", "QSTASH_DEV"].iter().any(|name| environment.get(name).is_some());
    let found = if embedded && !named {
        None
    } else {
        let sought = Sought { delivered_from: request.headers.get(header::REGION), ..Sought::default() };
        Some(credentials(&environment, &sought)?)
    };
    for warning in found.iter().flat_map(|found| &found.warnings) {
        console_warn!("{warning}");
    }
    match found {
        Some(found) if !(embedded && found.base_url == own) => {
            if found.token.is_empty() {
                settings::required(env, QSTASH_TOKEN)?;
            }
            Ok((Client::new(&found.base_url, &found.token)?, EdgeHost::new()))
        }
        _ => {
            let client = Client::new(&own, &settings::required(env, QSTASH_TOKEN)?)?;
            Ok((client, EdgeHost::new().embedded_broker(own, BrokerObjects::new(env)?)))
        }
    }
}
