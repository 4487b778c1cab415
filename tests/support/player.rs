//! Plays QStash for one run: keeps its history, delivers its messages one by one, makes its calls, and knows no failure of
//! its own. What QStash would wait for has always just happened.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

use orchestration::client::Client;
use orchestration::wire::{Headers, Method, Request, Response, Timestamp, base64, header};
use orchestration::workflow::{Context, Endpoint, Failure, Host, serve};
use serde::Serialize;
use serde_json::{Value, json};

const URL: &str = "https://app.test/api/order";
const BROKER: &str = "https://broker.test";

/// What a third party answers: status, headers, body.
pub type Answer = (u16, Vec<(&'static str, &'static str)>, Vec<u8>);

type ThirdParty = Box<dyn FnMut(&Request) -> Answer>;

#[derive(Default)]
pub struct Player {
    /// Every request that came, in order.
    pub sent: Vec<Request>,
    /// In which order the members of a group are delivered, from 1; as they came if empty.
    pub order: Vec<usize>,
    /// How often a failed delivery is tried again.
    pub retries: u32,
    /// Whether the endpoint authorizes on its own.
    pub authorized: bool,
    /// The result of an invoked run.
    pub invoked: Option<Value>,
    events: BTreeMap<String, Option<String>>,
    third_party: Option<ThirdParty>,
    run_id: String,
    history: Vec<(String, Vec<u8>)>,
    queue: VecDeque<Message>,
    seconds: u64,
    end: Option<Seen>,
}

/// How a run ended.
#[derive(Debug, PartialEq)]
pub enum Seen {
    Finished(Value),
    Cancelled,
    /// By this status and error.
    Failed(u16, String),
    /// Before it began.
    Refused(u16),
}

#[derive(Debug)]
enum Message {
    /// A step; its id in the history.
    Step(String),
    /// A callback.
    Callback(Request),
}

impl Player {
    pub fn third_party(&mut self, answer: impl FnMut(&Request) -> Answer + 'static) {
        self.third_party = Some(Box::new(answer));
    }

    /// The data of an event, `None` if nobody notifies; the id `""` stands for every other event.
    pub fn event(&mut self, id: &str, data: Option<&str>) {
        self.events.insert(id.to_owned(), data.map(str::to_owned));
    }

    /// The delays that were asked for, in order.
    pub fn delays(&self) -> Vec<String> {
        let batches = self.sent.iter().filter(|request| request.url.ends_with("/v2/batch"));
        let items = batches.flat_map(|batch| serde_json::from_slice::<Vec<Value>>(&batch.body).unwrap());
        items.filter_map(|item| item["headers"]["upstash-delay"].as_str().map(str::to_owned)).collect()
    }

    /// Plays the run to its end. Its result.
    pub fn play<T: Serialize>(&mut self, workflow: impl AsyncFn(Context) -> Result<T, Failure>) -> Value {
        match self.end(workflow) {
            Seen::Finished(result) => result,
            other => panic!("the run ended otherwise: {other:?}"),
        }
    }

    /// Plays the run to its end, whatever that is.
    pub fn end<T: Serialize>(&mut self, workflow: impl AsyncFn(Context) -> Result<T, Failure>) -> Seen {
        self.step_through(1000, workflow);
        self.end.take().expect("the run hangs: nothing is left to deliver")
    }

    /// Makes this many deliveries.
    pub fn step_through<T: Serialize>(
        &mut self,
        deliveries: usize,
        workflow: impl AsyncFn(Context) -> Result<T, Failure>,
    ) {
        if self.history.is_empty() {
            let first = Request::new(Method::Post, URL).header("Content-Type", "application/json").body("{}");
            let response = self.deliver(&first, &workflow);
            if response.status != 200 {
                self.end = Some(Seen::Refused(response.status));
                return;
            }
        }
        for _ in 0..deliveries {
            let Some(message) = self.queue.pop_front().filter(|_| self.end.is_none()) else { return };
            let request = self.request(&message);
            for retried in 0.. {
                let request = request.clone().header(header::RETRIED, retried.to_string());
                let response = self.deliver(&request, &workflow);
                if response.status == 200 {
                    break;
                }
                if response.status == 489 || retried == self.retries {
                    let error: Value = serde_json::from_slice(&response.body).unwrap();
                    self.end = Some(Seen::Failed(response.status, error["error"].as_str().unwrap().to_owned()));
                    break;
                }
            }
        }
    }

    fn request(&self, message: &Message) -> Request {
        let id = match message {
            Message::Callback(request) => return request.clone(),
            Message::Step(id) => id,
        };
        let end = self.history.iter().position(|(other, _)| other == id).unwrap();
        let entries: Vec<_> = self.history[..=end]
            .iter()
            .map(|(id, body)| json!({"messageId": id, "body": base64::encode(body), "callType": "step"}))
            .collect();
        Request::new(Method::Post, URL)
            .header(header::WORKFLOW_SDK_VERSION, "1")
            .header(header::WORKFLOW_RUN_ID, &self.run_id)
            .header(header::WORKFLOW_CREATED_AT, "1700000000000")
            .header(header::MESSAGE_ID, id)
            .body(Value::from(entries).to_string())
    }

    fn deliver<T: Serialize>(
        &mut self,
        request: &Request,
        workflow: &impl AsyncFn(Context) -> Result<T, Failure>,
    ) -> Response {
        self.seconds += 1;
        // The official dev server's token: base64 of JSON with the user's id.
        let token = base64::encode(r#"{"UserID":"user"}"#);
        let endpoint = Endpoint::new(Client::new(BROKER, &token).unwrap()).authorized(self.authorized);
        let wire = Wire { now: Timestamp::from_seconds(1_700_000_000 + self.seconds), player: RefCell::new(self) };
        let endpoint = Arc::new(endpoint);
        let served = serve(&endpoint, request, &wire, async |ctx| workflow(ctx).await);
        let mut served = pin!(served);
        let mut task = Task::from_waker(Waker::noop());
        for _ in 0..100 {
            if let Poll::Ready(response) = served.as_mut().poll(&mut task) {
                return response;
            }
        }
        panic!("the engine waits for nothing");
    }

    fn take(&mut self, request: &Request) -> Response {
        let path = request.url.strip_prefix(BROKER).unwrap().to_owned();
        self.sent.push(request.clone());
        if let Some(event) = path.strip_prefix("/v2/wait/") {
            self.wait(event, &request.body);
        } else if path.starts_with("/v2/notify/") {
            return Response::json(201, &json!([{"messageId": "msg_notify"}]));
        } else if let Some(destination) = path.strip_prefix("/v2/publish/") {
            self.publish(destination, &request.headers, request.body.clone());
        } else if path == "/v2/batch" {
            self.batch(&request.body);
        } else if path.ends_with("?cancel=false") {
            self.end = Some(Seen::Finished(serde_json::from_slice(&request.body).unwrap_or(Value::Null)));
        } else if path.ends_with("?cancel=true") {
            self.end = Some(Seen::Cancelled);
        } else {
            panic!("nobody expects {path}");
        }
        Response::json(200, &json!([{"messageId": "msg"}]))
    }

    fn batch(&mut self, body: &[u8]) {
        let items: Vec<Value> = serde_json::from_slice(body).unwrap();
        let before = self.queue.len();
        for item in &items {
            let headers = item["headers"].as_object().unwrap();
            let headers: Headers =
                headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
            let body = item["body"].as_str().unwrap_or_default().as_bytes().to_vec();
            self.publish(item["destination"].as_str().unwrap(), &headers, body);
        }
        if items.len() > 1 && !self.order.is_empty() {
            let mut group: Vec<_> = self.queue.drain(before..).map(Some).collect();
            let ordered: Vec<_> = self.order.iter().map(|member| group[member - 1].take().unwrap()).collect();
            self.queue.extend(ordered);
        }
    }

    fn publish(&mut self, destination: &str, headers: &Headers, body: Vec<u8>) {
        if headers.get(header::WORKFLOW_CALL_TYPE) == Some("toCallback") {
            self.call(destination, headers, body);
        } else if headers.contains(header::WORKFLOW_INVOKE) {
            let envelope: Value = serde_json::from_slice(&body).unwrap();
            let mut step = envelope["step"].clone();
            step["out"] = self.invoked.as_ref().unwrap().to_string().into();
            self.append(step.to_string().into_bytes());
        } else {
            assert_eq!(destination, URL);
            headers.get(header::WORKFLOW_RUN_ID).unwrap().clone_into(&mut self.run_id);
            self.append(body);
        }
    }

    fn append(&mut self, step: Vec<u8>) {
        let id = format!("msg_{}", self.history.len());
        self.history.push((id.clone(), step));
        self.queue.push_back(Message::Step(id));
    }

    fn wait(&mut self, event: &str, body: &[u8]) {
        let body: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(body["timeoutHeaders"]["Upstash-Workflow-RunId"], json!([self.run_id]));
        let mut step = body["step"].clone();
        match self.events.get(event).or_else(|| self.events.get("")).expect("an event that nobody knows") {
            Some(data) => step["out"] = base64::encode(data).into(),
            None => step["waitTimeout"] = true.into(),
        }
        self.append(step.to_string().into_bytes());
    }

    fn call(&mut self, url: &str, headers: &Headers, body: Vec<u8>) {
        let forwarded = headers.with_prefix(header::FORWARD_PREFIX).collect();
        let method = Method::parse(headers.get(header::METHOD).unwrap()).unwrap();
        let call = Request { method, url: url.to_owned(), headers: forwarded, body };
        let (status, answer, body) = self.third_party.as_mut().expect("nobody answers calls")(&call);
        let answer: BTreeMap<_, _> = answer.into_iter().map(|(name, value)| (name, [value])).collect();
        let callback =
            json!({"status": status, "header": answer, "body": base64::encode(body), "retried": 0, "maxRetries": 0});
        let mut request = Request::new(Method::Post, headers.get(header::CALLBACK).unwrap());
        for (name, value) in headers.with_prefix(header::CALLBACK_PREFIX) {
            match name.to_ascii_lowercase() {
                name if name.starts_with("forward-") => request.headers.set(&name["forward-".len()..], value),
                name if name.starts_with("workflow-") => request.headers.set(format!("Upstash-{name}"), value),
                _ => {}
            }
        }
        self.queue.push_back(Message::Callback(request.body(callback.to_string())));
    }
}

struct Wire<'a> {
    now: Timestamp,
    player: RefCell<&'a mut Player>,
}

impl Host for Wire<'_> {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }

    async fn sleep(&self, _: Duration) {}

    async fn send(&self, request: Request) -> Result<Response, String> {
        Ok(self.player.borrow_mut().take(&request))
    }
}
