//! Maps paths to workflows and serves them.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use serde::Serialize;
use worker::{Env, Url};

use crate::error::{Code, Error, Result};
use crate::host::edge::http::{self, error_response, write_response};
use crate::host::edge::settings::{self, UPSTASH_WORKFLOW_URL};
use crate::host::edge::{EdgeHost, connect};
use crate::wire::{Request, Response};
use crate::workflow::{Context, Endpoint, FailedRun, Failure, serve, serve_with};

/// The most bytes of a delivery; a history may come with it.
const DELIVERY_BYTES: usize = 32 * 1024 * 1024;

/// The workflows of a Worker, by path.
///
/// ```ignore
/// #[event(fetch)]
/// async fn fetch(request: Request, env: Env, ctx: worker::Context) -> worker::Result<Response> {
///     Router::new().workflow("/api/order", order).run(request, env, ctx).await
/// }
/// ```
///
/// The Worker's variables and secrets tell the rest: `QSTASH_TOKEN` and `QSTASH_CURRENT_SIGNING_KEY` must be set,
/// `QSTASH_NEXT_SIGNING_KEY`, `QSTASH_URL`, `QSTASH_REGION` (with `US_EAST_1_QSTASH_URL` and its like) and
/// `UPSTASH_WORKFLOW_URL` may be; see [`settings`].
/// A workflow that needs the Worker's bindings is a closure that holds a clone of `env`.
#[derive(Default)]
pub struct Router {
    routes: Vec<(String, Serve)>,
    accept_unsigned: bool,
    adjust: Option<Box<dyn Fn(Endpoint) -> Endpoint>>,
}

type Serve = Box<dyn Fn(Arc<Endpoint>, Request, EdgeHost) -> Pin<Box<dyn Future<Output = Response>>>>;

impl Router {
    /// No workflows yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves `workflow` at `path`, which starts with `/`.
    #[must_use]
    pub fn workflow<T, W>(mut self, path: &str, workflow: W) -> Self
    where
        T: Serialize + 'static,
        W: AsyncFn(Context) -> std::result::Result<T, Failure> + 'static,
    {
        let workflow = Rc::new(workflow);
        let handler: Serve = Box::new(move |endpoint, request, host| {
            let workflow = Rc::clone(&workflow);
            Box::pin(async move { serve(&endpoint, &request, &host, async |context| workflow(context).await).await })
        });
        self.routes.push((path.to_owned(), handler));
        self
    }

    /// Serves `workflow` at `path`, and calls `on_failure` for a run that has failed for good.
    #[must_use]
    pub fn workflow_with_failure<T, W, F>(mut self, path: &str, workflow: W, on_failure: F) -> Self
    where
        T: Serialize + 'static,
        W: AsyncFn(Context) -> std::result::Result<T, Failure> + 'static,
        F: AsyncFn(Context, FailedRun) -> std::result::Result<(), Failure> + 'static,
    {
        let functions = Rc::new((workflow, on_failure));
        let handler: Serve = Box::new(move |endpoint, request, host| {
            let functions = Rc::clone(&functions);
            Box::pin(async move {
                let workflow = async |context| (functions.0)(context).await;
                let on_failure = async |context, failed| (functions.1)(context, failed).await;
                serve_with(&endpoint, &request, &host, workflow, Some(on_failure)).await
            })
        });
        self.routes.push((path.to_owned(), handler));
        self
    }

    /// Accepts deliveries without a signature. Anybody who knows the address can then run steps: only for development.
    #[must_use]
    pub fn accept_unsigned(mut self) -> Self {
        self.accept_unsigned = true;
        self
    }

    /// Adjusts the endpoints of all workflows after the settings have been read: retries, flow control, who is told of
    /// failures, the public URL and the rest of [`Endpoint`].
    ///
    /// ```ignore
    /// Router::new().workflow("/api/order", order).adjust(|endpoint| endpoint.retries(Some(5)).check_subject(false))
    /// ```
    #[must_use]
    pub fn adjust(mut self, adjust: impl Fn(Endpoint) -> Endpoint + 'static) -> Self {
        self.adjust = Some(Box::new(adjust));
        self
    }

    /// Whether a workflow is served at `path`, for Workers that answer other paths too.
    pub fn serves(&self, path: &str) -> bool {
        self.routes.iter().any(|(route, _)| route == path)
    }

    /// Answers a request. An unknown path is answered with 404, a missing setting with 500, as `{"error": …}`.
    pub async fn run(
        &self,
        request: worker::Request,
        env: Env,
        _context: worker::Context,
    ) -> worker::Result<worker::Response> {
        let request = match http::read_request(request, DELIVERY_BYTES).await {
            Ok(request) => request,
            Err(error) => return write_response(error_response(&error)),
        };
        write_response(self.respond(request, &env).await.unwrap_or_else(|error| error_response(&error)))
    }

    async fn respond(&self, request: Request, env: &Env) -> Result<Response> {
        let url = Url::parse(&request.url)
            .map_err(|_| Error::new(Code::InvalidUrl, "the request's URL is not an absolute URL"))?;
        let Some((_, serve)) = self.routes.iter().find(|(path, _)| path == url.path()) else {
            return Err(Error::new(Code::NotFound, format!("no workflow is served at {}", url.path())));
        };
        if request.body.len() > DELIVERY_BYTES {
            return Err(Error::new(Code::PayloadTooLarge, format!("a delivery may have {DELIVERY_BYTES} bytes")));
        }
        let (client, host) = connect(env, &request)?;
        let mut endpoint = Endpoint::new(client);
        if !self.accept_unsigned {
            endpoint = endpoint.keys(settings::keys(env)?);
        }
        if let Some(base_url) = settings::optional(env, UPSTASH_WORKFLOW_URL) {
            endpoint = endpoint.base_url(base_url.trim_end_matches('/'));
        }
        if let Some(adjust) = &self.adjust {
            endpoint = adjust(endpoint);
        }
        Ok(serve(Arc::new(endpoint), request, host).await)
    }
}
