//! What a route has still to do for an answer, once its request has been parsed.

use crate::http::cache::Cache;
use crate::http::cache::Key;
use crate::http::cost::Cost;
use crate::http::problem::Problem;
use crate::http::response::Response;

/// Makes an answer. It reads what it holds and nothing else, so that the same request gives the same bytes.
type Run = Box<dyn FnOnce() -> Result<Response, Problem> + Send>;
/// Builds what the estimate and the key of an answer need, and gives the work that remains.
type Prepare = Box<dyn FnOnce() -> Result<Work, Problem> + Send>;

/// The rest of an answer: what it costs, what it is made of, and how it is made.
pub struct Work {
    cost: Cost,
    key: Option<Key>,
    step: Step,
}

enum Step {
    Run(Run),
    Prepare(Prepare),
}

impl Work {
    /// An answer that costs about `cost`.
    #[must_use]
    pub fn new(cost: Cost, run: impl FnOnce() -> Result<Response, Problem> + Send + 'static) -> Self {
        Self { cost, key: None, step: Step::Run(Box::new(run)) }
    }

    /// Work whose key and cost are known only once an index has been built, which costs about `cost`.
    #[must_use]
    pub fn after(cost: Cost, prepare: impl FnOnce() -> Result<Self, Problem> + Send + 'static) -> Self {
        Self { cost, key: None, step: Step::Prepare(Box::new(prepare)) }
    }

    /// The answer is taken from the cache by this key, and put there.
    #[must_use]
    pub fn with_key(mut self, key: Key) -> Self {
        self.key = Some(key);
        self
    }

    /// What it costs.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// The answer, if the cache has it.
    pub(super) fn cached(&self, cache: &Cache) -> Option<Response> {
        cache.get(self.key.as_ref()?)
    }

    /// Makes the answer.
    ///
    /// # Errors
    /// What the route refuses once it looks at rows.
    pub(super) fn run(self, cache: &Cache) -> Result<Response, Problem> {
        let mut work = self;
        loop {
            match (work.step, work.key) {
                (Step::Prepare(prepare), _) => work = prepare()?,
                (Step::Run(run), Some(key)) => return cache.answer(key, run),
                (Step::Run(run), None) => return run(),
            }
        }
    }
}

impl std::fmt::Debug for Work {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Work").field("cost", &self.cost).field("key", &self.key).finish_non_exhaustive()
    }
}
