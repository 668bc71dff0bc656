//! Puts the rulebook's questions to cvc5 through Cedar's symbolic compiler.
//!
//! The compiler (`cedar-policy-symcc`) turns a Cedar policy into SMT; it is proved correct in Lean by its authors. A
//! proof here is one *of our encoding* of a text. The solver is the program named in the variable `CVC5`, else `cvc5`
//! on the path (Debian's package `cvc5` serves). Kept in a crate of its own: nothing that runs in production needs it.

use std::process::Command;
use std::time::{Duration, Instant};

use cedar_policy::{Policy, PolicyId, RequestEnv, Schema};
use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, Env};
use placet_rulebook::{Counterexample, Proof, Proofs, Question, Rulebook, Topic};

/// Milliseconds the solver may take for one question.
const PER_QUESTION_MS: u64 = 30_000;

/// Why nothing could be asked.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// There is no solver.
    #[error("no cvc5 found; install it (Debian: apt-get install cvc5) or name it in the variable CVC5")]
    NoSolver,
    /// The runtime or the solver's process failed.
    #[error("the solver cannot be run: {0}")]
    Run(String),
    /// A question could not be put.
    #[error("the question `{id}` cannot be put to the solver: {why}")]
    Question {
        /// Its id.
        id: String,
        /// What went wrong.
        why: String,
    },
}

/// What came of one question.
#[derive(Debug, Clone)]
pub enum Found {
    /// It holds in every case.
    Proved,
    /// A case shows it to be false.
    Refuted(Box<Counterexample>),
    /// A rule that can err, which has no replay: the request in the solver's own words.
    CanErr(String),
    /// The solver could not say in the time given.
    Unknown(String),
}

/// The solver's own name and version, if there is one.
pub fn solver() -> Option<String> {
    let program = std::env::var("CVC5").unwrap_or_else(|_| "cvc5".to_owned());
    let out = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    text.lines().next().map(|l| l.trim_start_matches("This is ").to_owned()).filter(|_| out.status.success())
}

/// Asks every question; `told` hears of each answer as it comes, with the time it took.
///
/// # Errors
/// If there is no solver, or a question cannot be put at all; a question the solver cannot answer is `Unknown`.
pub fn prove(
    book: &Rulebook,
    questions: &[Question],
    told: &mut dyn FnMut(&Question, &Found, Duration),
) -> Result<Proofs, ProveError> {
    let name = solver().ok_or(ProveError::NoSolver)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| ProveError::Run(e.to_string()))?;
    let mut proofs = Vec::new();
    let begun = Instant::now();
    runtime.block_on(async {
        let mut session = session()?;
        for question in questions {
            let start = Instant::now();
            let found = match ask(book, &mut session, question).await? {
                Ok(found) => found,
                Err(why) => {
                    // A solver that gave up may be left in the middle of an answer: start another.
                    session = self::session()?;
                    Found::Unknown(why)
                }
            };
            told(question, &found, start.elapsed());
            let (proved, counterexample) = match &found {
                Found::Proved => (Some(true), Vec::new()),
                Found::Refuted(c) => (Some(false), c.words.clone()),
                Found::CanErr(words) => (Some(false), vec![words.clone()]),
                Found::Unknown(_) => (None, Vec::new()),
            };
            proofs.push(Proof { id: question.id.clone(), proved, counterexample });
        }
        Ok::<(), ProveError>(())
    })?;
    let total_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Proofs { rulebook: book.digest().to_string(), solver: name, total_ms, proofs })
}

fn session() -> Result<CedarSymCompiler<LocalSolver>, ProveError> {
    let limit = format!("--tlimit-per={PER_QUESTION_MS}");
    let solver = LocalSolver::cvc5_with_args([limit]).map_err(|e| ProveError::Run(e.to_string()))?;
    CedarSymCompiler::new(solver).map_err(|e| ProveError::Run(e.to_string()))
}

async fn ask(
    book: &Rulebook,
    session: &mut CedarSymCompiler<LocalSolver>,
    question: &Question,
) -> Result<Result<Found, String>, ProveError> {
    let bad = |why: String| ProveError::Question { id: question.id.clone(), why };
    let (schema, policy) = book.solver_input(question);
    let (schema, _) = Schema::from_cedarschema_str(&schema).map_err(|e| bad(e.to_string()))?;
    let policy = Policy::parse(Some(PolicyId::new("question")), policy).map_err(|e| bad(e.to_string()))?;
    let action = if policy.to_string().contains("Action::\"Search\"") { "Search" } else { "Classify" };
    let env: RequestEnv = schema
        .request_envs()
        .find(|e| e.action().id().unescaped() == action)
        .ok_or_else(|| bad("the schema has no such action".to_owned()))?;
    let compiled = CompiledPolicy::compile(&policy, &env, &schema).map_err(|e| bad(e.to_string()))?;
    let model: Option<Env> = match question.topic {
        Topic::NeverErrs { .. } => {
            match session.check_never_errors_with_counterexample_opt(&compiled).await {
                Ok(model) => model,
                Err(e) => return Ok(Err(e.to_string())),
            }
        }
        Topic::Claim { .. } | Topic::Difference { .. } => {
            match session.check_never_matches_with_counterexample_opt(&compiled).await {
                Ok(model) => model,
                Err(e) => return Ok(Err(e.to_string())),
            }
        }
    };
    let Some(model) = model else { return Ok(Ok(Found::Proved)) };
    if matches!(question.topic, Topic::NeverErrs { .. }) {
        return Ok(Ok(Found::CanErr(format!("{:?}", model.request))));
    }
    let context = model
        .request
        .context()
        .ok_or_else(|| bad("the model has no context".to_owned()))?
        .to_json_value()
        .map_err(|e| bad(e.to_string()))?;
    let counterexample = book.counterexample(question, &context).map_err(bad)?;
    Ok(Ok(Found::Refuted(Box::new(counterexample))))
}
