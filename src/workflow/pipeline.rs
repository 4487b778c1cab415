//! Steps one after the other, each given what the one before has come to.

use std::pin::Pin;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::workflow::context::Context;
use crate::workflow::failure::Failure;
use crate::workflow::policy::PolicyStep;

type Stages<'a, I, O> = Box<dyn FnOnce(Context, I) -> Outcome<'a, O> + 'a>;
type Outcome<'a, O> = Pin<Box<dyn Future<Output = Result<O, Failure>> + 'a>>;

/// Named steps from an input `I` to an output `O`. Each runs durably, once; the first that fails ends the pipeline.
///
/// ```
/// # use orchestration::workflow::{Context, Failure, Pipeline};
/// # use std::time::Duration;
/// # async fn download(url: String) -> Result<Vec<u8>, std::io::Error> { Ok(url.into_bytes()) }
/// async fn size(ctx: Context) -> Result<usize, Failure> {
///     Pipeline::new()
///         .step_with("download", |step| step.retries(3).timeout(Duration::from_secs(30)), download)
///         .step("measure", async |bytes: Vec<u8>| Ok::<_, Failure>(bytes.len()))
///         .run(&ctx, ctx.payload()?)
///         .await
/// }
/// ```
#[must_use = "nothing runs before `run`"]
pub struct Pipeline<'a, I, O> {
    stages: Stages<'a, I, O>,
}

#[allow(clippy::mismatching_type_param_order)]
impl<'a, I: 'a> Pipeline<'a, I, I> {
    /// A pipeline without steps: its output is its input.
    #[allow(clippy::new_without_default)] // Of which input, the first step says.
    pub fn new() -> Self {
        Self { stages: Box::new(|_, input| Box::pin(async { Ok(input) })) }
    }
}

impl<'a, I: 'a, O: 'a> Pipeline<'a, I, O> {
    /// Adds a step. The rules are those of [`Context::run`].
    pub fn step<T, E, F>(self, name: impl Into<String>, step: F) -> Pipeline<'a, I, T>
    where
        T: Serialize + DeserializeOwned + 'a,
        E: Into<Failure> + 'a,
        F: AsyncFnOnce(O) -> Result<T, E> + 'a,
    {
        self.step_with(name, |step| step, step)
    }

    /// Adds a step with a policy: retries, a timeout or a compensation of its own.
    pub fn step_with<T, E, F>(
        self,
        name: impl Into<String>,
        policy: impl FnOnce(PolicyStep) -> PolicyStep + 'a,
        step: F,
    ) -> Pipeline<'a, I, T>
    where
        T: Serialize + DeserializeOwned + 'a,
        E: Into<Failure> + 'a,
        F: AsyncFnOnce(O) -> Result<T, E> + 'a,
    {
        let (stages, name) = (self.stages, name.into());
        Pipeline {
            stages: Box::new(move |context, input| {
                Box::pin(async move {
                    let between = stages(context.clone(), input).await?;
                    policy(context.step(&name)).run(async || step(between).await).await
                })
            }),
        }
    }

    /// Puts another pipeline behind this one.
    pub fn then<T: 'a>(self, next: Pipeline<'a, O, T>) -> Pipeline<'a, I, T> {
        Pipeline {
            stages: Box::new(move |context, input| {
                Box::pin(async move {
                    let between = (self.stages)(context.clone(), input).await?;
                    (next.stages)(context, between).await
                })
            }),
        }
    }

    /// Runs the steps of a run. Remembered ones are not run again.
    pub async fn run(self, context: &Context, input: I) -> Result<O, Failure> {
        (self.stages)(context.clone(), input).await
    }
}
