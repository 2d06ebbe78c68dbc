//! `POST /v1/sales/plan`: a sale file is checked, and told back as what it comes to, before anything is sent. Nothing is kept of it.

use std::time::Duration;

use alloy::primitives::{Address, Bytes};
use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::{
    ApiState, PlanProblems,
    body::{Ask, Fields, no_store},
    extract::{ChainId, CheckedQuery},
    meta::{ChainMeta, Condition, Envelope, Snapshot},
    plan_terms::PlannedTerms,
    problem::{Code, Problem},
    status::NoQuery,
};
use crate::{
    chain::{ChainError, Node},
    db::read::chains,
    plan::{self, Deployment, PlanError, Step},
    sale_file::{self, Clock, Order, SaleFile, SaleFileError, Severity, sale_hash},
    types::{Addr, Hash32},
};

/// Most characters of a file; one has some five thousand.
const MOST_CHARACTERS: usize = 60_000;
/// Most problems that are told: an answer must not be much larger than its question.
const MOST_PROBLEMS: usize = 200;
/// How long nodes may take for all that they are asked of a plan.
const PATIENCE: Duration = Duration::from_secs(8);

/// A sale file, and who would deploy it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPlan {
    /// EIP-155 id of the chain that it is for.
    #[schema(example = 31337, minimum = 0)]
    pub chain: i64,
    /// Who would deploy it. Without, it is checked by itself, and no addresses are told.
    #[serde(default)]
    #[schema(value_type = Option<Addr>)]
    pub creator: Option<String>,
    /// The sale file, TOML, byte for byte: its SHA-256 is pinned on the chain.
    #[schema(max_length = 60000)]
    pub file: String,
}

/// How bad a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FaultSeverity {
    /// The file cannot be deployed.
    Error,
    /// It can, but look again.
    Warning,
}

/// What is wrong with a sale file: the same words as of `crowdsale sale lint`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FileFault {
    /// Line of the file, from one.
    #[schema(example = 12)]
    pub line: i64,
    /// Whether it stops a deployment.
    pub severity: FaultSeverity,
    /// The key that it is about.
    #[schema(example = "sale.opens")]
    pub key: String,
    /// What is wrong, and why that matters.
    pub message: String,
    /// What to write instead.
    pub mend: String,
}

impl From<sale_file::Problem> for FileFault {
    fn from(problem: sale_file::Problem) -> Self {
        let severity = match problem.severity {
            Severity::Error => FaultSeverity::Error,
            Severity::Warning => FaultSeverity::Warning,
        };
        let line = i64::try_from(problem.line).unwrap_or(i64::MAX);
        Self { line, severity, key: problem.key, message: problem.message, mend: problem.mend }
    }
}

/// What a transaction of a deployment does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StepKind {
    /// Lets the factory take exactly the tokens that the sale needs.
    Approve,
    /// Creates the sale, its vault, its wallets and, where the file says so, its token.
    Create,
}

/// A transaction that the creator has still to send. No ether goes with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeploymentStep {
    /// What it does.
    pub step: StepKind,
    /// The contract that it calls.
    pub to: Addr,
    /// Its data.
    #[schema(value_type = String, pattern = "^0x([0-9a-f]{2})+$")]
    pub data: Bytes,
}

/// The addresses that the creator gets for this very file, and what is left to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlannedDeployment {
    /// Who deploys.
    pub creator: Addr,
    /// What creates the sale.
    pub factory: Addr,
    /// The sale.
    pub sale: Addr,
    /// Its vault.
    pub vault: Addr,
    /// What it sells.
    pub token: Addr,
    /// Wallets of the allocations, in their order.
    pub wallets: Vec<Addr>,
    /// Whether this account has deployed this file already: then nothing is left to be sent.
    pub is_deployed: bool,
    /// What is left to be sent, in this order.
    pub steps: Vec<DeploymentStep>,
}

/// A sale file, checked.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SalePlan {
    /// Whether it can be deployed.
    pub ok: bool,
    /// SHA-256 of the file.
    pub sale_hash: Hash32,
    /// What is wrong with it, by line; the first 200.
    pub problems: Vec<FileFault>,
    /// What it comes to; null where it has errors.
    pub terms: Option<PlannedTerms>,
    /// Where it will stand; null without a creator, and where it has errors.
    pub deployment: Option<PlannedDeployment>,
}

/// Checks a sale file and tells what it comes to
///
/// By the same rules and in the same words as `crowdsale sale lint`, against the chain where a creator is named: addresses, terms, every
/// outcome, and the transactions that are left to be sent. Nothing is kept, and no other file is read: a list stands in it by its root.
#[utoipa::path(
    post,
    path = "/v1/sales/plan",
    tag = "sales",
    request_body = NewPlan,
    responses((status = 200, description = "The file's problems and its plan.", body = Envelope<SalePlan, ChainMeta>), PlanProblems)
)]
pub async fn plan_sale(
    State(state): State<ApiState>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
    Ask(body): Ask<NewPlan>,
) -> Result<Response, Problem> {
    let mut fields = Fields::default();
    let creator: Option<Addr> = body.creator.as_deref().and_then(|text| fields.read("creator", text));
    if body.chain < 0 {
        fields.fault("chain", "must be a chain id: a whole number below 2^63");
    }
    if body.file.chars().count() > MOST_CHARACTERS {
        fields.fault(
            "file",
            format!("must not have more than {MOST_CHARACTERS} characters: check that it is the sale file"),
        );
    }
    fields.finish()?;
    let mut snapshot = Snapshot::of_chain(&state, ChainId(body.chain), None, Condition::none()).await?;
    let followed = chains::list_followed(snapshot.connection()).await?;
    let factory = followed.iter().find(|c| c.chain_id == body.chain).map(|c| c.factory);
    let meta = snapshot.meta()?;
    let now = u64::try_from(meta.indexed_block.timestamp.as_unix()).unwrap_or_default();
    // A node is waited for without a connection.
    drop(snapshot);
    let factory = factory.ok_or_else(Problem::internal)?;
    let until = Instant::now() + PATIENCE;
    let maker = Maker { state: &state, chain_id: body.chain, factory: factory.0, now, until };
    let data = maker.make(&body.file, creator.map(|c| c.0)).await?;
    Ok(no_store(Envelope { data, meta }))
}

struct Maker<'s> {
    state: &'s ApiState,
    chain_id: i64,
    factory: Address,
    /// The chain's clock, as of the indexed block.
    now: u64,
    /// When the answer has to be there.
    until: Instant,
}

impl Maker<'_> {
    async fn make(&self, text: &str, creator: Option<Address>) -> Result<SalePlan, Problem> {
        let clock = Clock { now: self.now, by: "by the chain's clock" };
        // Without a clock at first: a sale that is deployed already may have opened since.
        let sale = match read(text, None) {
            Ok((sale, _)) => sale,
            Err(_) => return Ok(refused(text, read(text, Some(clock)).err().unwrap_or_default())),
        };
        let deployment = match creator {
            Some(creator) => Some(self.within(|node| self.predict(node, text, &sale, creator)).await?),
            None => None,
        };
        if deployment.as_ref().is_some_and(|d| d.is_deployed) {
            return Ok(good(text, Vec::new(), PlannedTerms::new(&sale), deployment));
        }
        let (sale, mut problems) = match read(text, Some(clock)) {
            Ok(read) => read,
            Err(problems) => return Ok(refused(text, problems)),
        };
        let Some(mut deployment) = deployment else {
            return Ok(good(text, problems, PlannedTerms::new(&sale), None));
        };
        let creator = deployment.creator.0;
        problems.extend(self.within(|node| self.check(node, &sale, creator)).await?);
        if problems.iter().any(|p| p.severity == Severity::Error) {
            return Ok(refused(text, problems));
        }
        deployment.steps = self.within(|node| self.steps(node, text, &sale, creator)).await?;
        Ok(good(text, problems, PlannedTerms::new(&sale), Some(deployment)))
    }

    async fn within<T, F>(&self, ask: impl Fn(Node) -> F) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, PlanError>>,
    {
        let answer = tokio::time::timeout_at(self.until, async {
            let chain = self.state.chain(self.chain_id).await?;
            // Closed at the end of the process alone.
            let _turn = self.state.planning().acquire().await.map_err(|_| ChainError::NotYet)?;
            // Another node is asked for what is a node's fault, and nothing else.
            let asked = chain.ask(|node| {
                let asked = ask(node);
                async move {
                    match asked.await {
                        Err(PlanError::Chain(error)) => Err(error),
                        answer => Ok(answer),
                    }
                }
            });
            Ok::<_, Problem>(asked.await?)
        });
        let answer = answer.await.map_err(|_| ChainError::NotYet)??;
        answer.map_err(|error| match error {
            PlanError::Chain(error) => error.into(),
            other => {
                tracing::error!(error = %other, "no sale can be planned");
                Problem::new(Code::NotConfigured, format!("{other}: the operator has to follow one of this version"))
            }
        })
    }

    async fn predict(
        &self,
        node: Node,
        text: &str,
        sale: &SaleFile,
        creator: Address,
    ) -> Result<PlannedDeployment, PlanError> {
        let order = Order::new(sale, sale_hash(text));
        let Deployment { predicted, wallets, is_deployed } =
            plan::predict(&node, self.factory, &order, creator).await?;
        Ok(PlannedDeployment {
            creator: Addr(creator),
            factory: Addr(self.factory),
            sale: Addr(predicted.sale),
            vault: Addr(predicted.vault),
            token: Addr(predicted.token),
            wallets: wallets.into_iter().map(Addr).collect(),
            is_deployed,
            steps: Vec::new(),
        })
    }

    async fn check(&self, node: Node, sale: &SaleFile, creator: Address) -> Result<Vec<sale_file::Problem>, PlanError> {
        let chain_id = u64::try_from(self.chain_id).unwrap_or_default();
        Ok(plan::check(&node, chain_id, sale, Some(creator)).await?)
    }

    async fn steps(
        &self,
        node: Node,
        text: &str,
        sale: &SaleFile,
        creator: Address,
    ) -> Result<Vec<DeploymentStep>, PlanError> {
        let steps = plan::steps(&node, self.factory, (sale, sale_hash(text)), creator).await?;
        let show = |step| match step {
            Step::Approve { token, data, .. } => DeploymentStep { step: StepKind::Approve, to: Addr(token), data },
            Step::Create { data } => DeploymentStep { step: StepKind::Create, to: Addr(self.factory), data },
        };
        Ok(steps.into_iter().map(show).collect())
    }
}

fn read(text: &str, clock: Option<Clock>) -> Result<(SaleFile, Vec<sale_file::Problem>), Vec<sale_file::Problem>> {
    SaleFile::parse_alone(text, clock).map_err(|error| match error {
        SaleFileError::Problems(problems) => problems,
        // No file is read.
        SaleFileError::Read { .. } | SaleFileError::NotText { .. } => Vec::new(),
    })
}

fn refused(text: &str, problems: Vec<sale_file::Problem>) -> SalePlan {
    SalePlan { ok: false, ..good(text, problems, None, None) }
}

fn good(
    text: &str,
    problems: Vec<sale_file::Problem>,
    terms: impl Into<Option<PlannedTerms>>,
    deployment: Option<PlannedDeployment>,
) -> SalePlan {
    SalePlan {
        ok: true,
        sale_hash: Hash32(sale_hash(text)),
        problems: problems.into_iter().take(MOST_PROBLEMS).map(FileFault::from).collect(),
        terms: terms.into(),
        deployment,
    }
}
