//! `/v1/sales/{chain}/{sale}/vouchers`: what lets investors into a sale that is not open to all, for the KYC desk.

use std::sync::Arc;

use alloy::primitives::{Bytes, U256};
use axum::{extract::State, http::StatusCode, response::Response};
use secrecy::{ExposeSecret as _, SecretSlice};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ApiState, WriteProblems,
    allowlists::NoQuery,
    auth::{Authorized, Caller, Once, Service, Turn, VouchersWrite},
    body::{BaseUnits, Fields, Post, Reference, no_store},
    extract::{CheckedPath, CheckedQuery, FromQuery, Limit, Parameter, Reader, parse_id},
    orders::find_sale,
    page::cut_after,
    problem::{Code, Problem},
    sale::SalePath,
    shapes::{AmountOut, Time, Token},
};
use crate::{
    access,
    db::{
        DbError,
        read::sales::{self, Phase, Sale},
        service::{
            audit,
            vouchers::{self as rows, Of, VoucherRow},
        },
    },
    gates::{
        eligibility::{Deadline, MaxPaid, Phases, pack_voucher},
        voucher::VoucherTerms,
    },
    orders::{OrderError, Signer},
    seal::Place,
    types::{Addr, Amount},
};

/// The id of a voucher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoucherId(pub String);

impl Parameter for VoucherId {
    fn parse(text: &str) -> Result<Self, String> {
        parse_id(text, "vch_", "a voucher").map(Self)
    }
}

/// Which vouchers.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct VouchersQuery {
    /// Vouchers of this investor.
    #[param(required = false)]
    pub investor: Option<Addr>,
    /// Most vouchers in the answer.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, required = false, default = 50)]
    pub limit: Limit,
    /// `next_after` of the answer before.
    #[param(value_type = Option<String>, required = false, pattern = "^vch_[0-9A-Za-z]{20}$")]
    pub after: Option<VoucherId>,
}

impl FromQuery for VouchersQuery {
    fn read(reader: &mut Reader) -> Self {
        Self {
            investor: reader.read("investor"),
            limit: reader.read("limit").unwrap_or_default(),
            after: reader.read("after"),
        }
    }
}

/// Whom the desk has checked, and what they may do.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVoucher {
    /// Who gets the position, whoever pays.
    #[schema(value_type = Addr)]
    pub investor: String,
    /// What the investor may have paid in all, in base units of the sale's currency.
    #[schema(example = "2500000000000000000", pattern = "^[1-9][0-9]*$", max_length = 37)]
    pub max_paid: String,
    /// The phases that it is for, counted from zero. Each has to take vouchers.
    #[schema(min_items = 1, max_items = 8, example = json!([0]))]
    pub phases: Vec<u8>,
    /// The last second that it is good for: not over by the chain's clock, and not after the sale's end.
    #[schema(value_type = Time)]
    pub deadline: String,
    /// What the desk has the investor under: 1 to 128 characters, kept sealed.
    #[schema(
        value_type = String,
        min_length = 1,
        max_length = 128,
        example = "case 2027-0815",
        pattern = r"^(?=\S)(?=.*\S$)[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]*$"
    )]
    pub kyc_reference: Reference,
    /// Signed ahead: by the newest of the service's signers, for the sale's next epoch. Of no use before the sale's owner names that signer,
    /// and good from then on. Refused where the sale names it already.
    #[serde(default)]
    pub ahead: bool,
}

/// A voucher.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Voucher)]
pub struct VoucherOut {
    /// What it is named by.
    #[schema(example = "vch_4rSw0JXjKzPq81mUcdYt")]
    pub id: String,
    /// EIP-155 id.
    #[schema(example = 1)]
    pub chain_id: i64,
    /// The sale.
    pub sale: Addr,
    /// Who gets the position.
    pub investor: Addr,
    /// What the investor may have paid in all.
    pub max_paid: AmountOut,
    /// The phases that it is for, counted from zero.
    #[schema(example = json!([0]))]
    pub phases: Vec<u8>,
    /// The last second that it is good for.
    pub deadline: Time,
    /// The sale's epoch of vouchers that it is for.
    #[schema(example = "0")]
    pub epoch: String,
    /// Whether that is the sale's present one; in another it is refused.
    pub is_current: bool,
    /// Who signed.
    pub signer: Addr,
    /// The signature, by EIP-712.
    #[schema(value_type = String, pattern = "^0x([0-9a-f]{2})+$")]
    pub signature: Bytes,
    /// `eligibility` of the contract's `contribute`, and of an order.
    #[schema(value_type = String, pattern = "^0x([0-9a-f]{2})+$")]
    pub eligibility: Bytes,
    /// What the desk has the investor under.
    #[schema(example = "case 2027-0815")]
    pub kyc_reference: String,
    /// When it was signed.
    pub created_at: Time,
}

/// One voucher.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OneVoucher {
    /// The voucher.
    pub data: VoucherOut,
}

/// Vouchers, the newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct VoucherList {
    /// The vouchers.
    pub data: Vec<VoucherOut>,
    /// `after` of the next answer; null at the end.
    pub next_after: Option<String>,
}

fn place(id: &str) -> Place<'_> {
    Place { table: "voucher", column: "kyc_reference_sealed", row: id }
}

pub(super) fn currency(sale: &Sale) -> Token {
    Token::new(sale.currency, &sale.currency_symbol, &sale.currency_name, sale.currency_decimals)
}

/// The phases of a voucher, and the bytes that the contract takes.
pub(super) fn packed(row: &VoucherRow) -> Result<(Phases, Bytes), Problem> {
    // Written by this program, from values that were checked.
    let wrong = |_| Problem::internal();
    let bits = row.phases;
    let phases = Phases::new((0..8).filter(|i| bits >> i & 1 == 1)).map_err(wrong)?;
    let deadline = Deadline::new(row.deadline.unsigned_abs()).map_err(wrong)?;
    let max_paid = MaxPaid::new(row.max_paid.0).map_err(wrong)?;
    Ok((phases, pack_voucher(max_paid, phases, deadline, &row.signature)))
}

/// Whether the sale takes a voucher, as far as its signer and epoch tell.
pub(super) fn is_current(row: &VoucherRow, sale: &Sale) -> bool {
    row.epoch == sale.voucher_epoch && row.signer == sale.voucher_signer
}

impl VoucherOut {
    fn read(service: &Service, sale: &Sale, row: VoucherRow) -> Result<Self, Problem> {
        let reference = service.sealer().open(&row.kyc_reference_sealed, place(&row.id)).map_err(|error| {
            tracing::error!(%error, voucher = row.id, "a reference of the desk is sealed beyond reach");
            Problem::internal()
        })?;
        let (phases, eligibility) = packed(&row)?;
        let is_current = is_current(&row, sale);
        Ok(Self {
            id: row.id,
            chain_id: sale.chain_id,
            sale: sale.address,
            investor: row.investor,
            max_paid: currency(sale).amount(row.max_paid),
            phases: phases.indices().collect(),
            deadline: Time::from_unix(row.deadline),
            is_current,
            epoch: row.epoch.to_string(),
            signer: row.signer,
            signature: row.signature.into(),
            eligibility,
            kyc_reference: String::from_utf8_lossy(reference.expose_secret()).into_owned(),
            created_at: Time::from_unix(row.created_at),
        })
    }
}

/// What is to be signed, or all that is wrong with it. What the body alone tells was told before.
fn terms(read: Read, sale: &Sale, phases: &[Phase]) -> Result<VoucherTerms, Problem> {
    let mut fields = Fields::default();
    for (index, wanted) in read.phases.indices().enumerate() {
        let gate = phases.iter().find(|p| p.phase == i16::from(wanted)).map(|p| p.gate.as_str());
        if gate.is_some_and(|gate| gate != "voucher") {
            fields.fault(&format!("phases/{index}"), format!("is phase {wanted}, which takes no vouchers"));
        }
    }
    let terms = VoucherTerms {
        chain_id: sale.chain_id.unsigned_abs(),
        sale: sale.address.0,
        investor: read.investor.0,
        max_paid: read.max_paid,
        phases: read.phases,
        deadline: read.deadline,
        epoch: sale.voucher_epoch.0.saturating_add(U256::from(u8::from(read.ahead))),
    };
    use crate::gates::voucher::VoucherFault;
    match terms.check(phases.len(), sale.chain_time.unsigned_abs()) {
        Ok(()) => {}
        Err(fault @ VoucherFault::Phase { .. }) => fields.fault("phases", format!("cannot be: {fault}")),
        Err(VoucherFault::Over { .. }) => {
            let now = Time::from_unix(sale.chain_time);
            fields.fault("deadline", format!("is over: the chain's clock is at {now}"));
        }
        Err(fault) => fields.fault("investor", format!("cannot be: {fault}")),
    }
    if terms.deadline.seconds() > sale.closes.unsigned_abs() {
        let closes = Time::from_unix(sale.closes);
        fields.fault("deadline", format!("is after the end of the sale, {closes}: name that or an earlier time"));
    }
    fields.finish().map(|()| terms)
}

/// A body whose fields are each good by themselves.
struct Read {
    investor: Addr,
    max_paid: MaxPaid,
    phases: Phases,
    deadline: Deadline,
    ahead: bool,
}

impl NewVoucher {
    fn read(&self) -> Result<Read, Problem> {
        let mut fields = Fields::default();
        let investor = fields.read::<Addr>("investor", &self.investor);
        let max_paid = fields.read::<BaseUnits>("max_paid", &self.max_paid);
        let phases = Phases::new(self.phases.iter().copied()).map_err(|e| fields.fault("phases", e.to_string()));
        let deadline = fields.read::<Time>("deadline", &self.deadline);
        fields.finish()?;
        let impossible = |_| Problem::internal();
        match (investor, max_paid, phases, deadline) {
            (Some(investor), Some(max_paid), Ok(phases), Some(deadline)) => Ok(Read {
                investor,
                max_paid: MaxPaid::new(max_paid.0).map_err(impossible)?,
                phases,
                deadline: Deadline::new(deadline.as_unix().unsigned_abs()).map_err(impossible)?,
                ahead: self.ahead,
            }),
            _ => Err(Problem::internal()),
        }
    }
}

/// Issues a voucher
///
/// Signed by the operator's signer of vouchers, which has to be the sale's, for the sale's present epoch; with `ahead`, by the one that the
/// sale is to name next, for its next epoch. Nothing is sent to the chain: the investor hands `eligibility` in, or an order does.
#[utoipa::path(
    post,
    path = "/v1/sales/{chain}/{sale}/vouchers",
    tag = "vouchers",
    security(("key" = ["vouchers:write"])),
    params(SalePath, ("Idempotency-Key" = String, Header, description = "A fresh UUID for every new request.")),
    request_body(content = NewVoucher, example = json!({
        "investor": "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", "max_paid": "2500000000000000000", "phases": [0],
        "deadline": "2027-01-15T14:00:00Z", "kyc_reference": "case 2027-0815"
    })),
    responses((status = 201, description = "The voucher.", body = OneVoucher), WriteProblems)
)]
pub async fn issue_voucher(
    State(state): State<ApiState>,
    service: Arc<Service>,
    caller: Authorized<VouchersWrite>,
    CheckedPath(path): CheckedPath<SalePath>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
    Post { body, request }: Post<NewVoucher>,
) -> Result<Response, Problem> {
    let read = body.read()?;
    let mut once = match Once::begin(&service, &caller, &request).await? {
        Turn::First(once) => once,
        Turn::Replay(answer) => return Ok(answer),
    };
    match sign(&state, &service, &caller, &mut once, (path, body, read)).await {
        Ok(answer) => once.finish(StatusCode::CREATED, &answer).await,
        Err(why) => Err(once.undo(why).await),
    }
}

/// Signs a voucher and writes it through `once`.
async fn sign(
    state: &ApiState,
    service: &Service,
    caller: &Caller,
    once: &mut Once,
    (path, body, read): (SalePath, NewVoucher, Read),
) -> Result<OneVoucher, Problem> {
    let (sale, mut snapshot) = find_sale(state, path.chain, path.sale).await?;
    let phases = sales::list_phases(snapshot.connection(), &[(sale.chain_id, sale.address)]).await?;
    let signers = service.voucher_signers();
    if signers.is_empty() {
        let detail =
            "this service signs no vouchers: its operator has to set CROWDSALE_VOUCHER_SIGNER_FILE, and start it again";
        return Err(Problem::new(Code::NotConfigured, detail));
    }
    if sale.voucher_signer.0.is_zero() {
        let detail = format!("the sale {} names no signer: none of its phases takes vouchers", sale.address);
        return Err(Problem::new(Code::VouchersNotTaken, detail));
    }
    // Ahead is for another signer than that of now. To name the same one again is how an owner voids vouchers, which must make none good.
    if read.ahead && signers.first().is_some_and(|newest| newest.address() == sale.voucher_signer.0) {
        let detail = format!(
            "the newest signer here is {}, and the sale {} names it already: leave out `ahead`, or replace the signer first",
            sale.voucher_signer, sale.address
        );
        return Err(Problem::new(Code::SignerMismatch, detail));
    }
    let is_it = |signer: &&Signer| read.ahead || signer.address() == sale.voucher_signer.0;
    let Some(signer) = signers.iter().find(is_it) else {
        let here: Vec<_> = signers.iter().map(|signer| signer.address().to_string()).collect();
        let detail = format!(
            "the vouchers of sale {} are signed by {}, and this service signs with {}: the sale's owner can name it with setVoucherSigner, or the operator set the other key",
            sale.address,
            sale.voucher_signer,
            here.join(" or ")
        );
        return Err(Problem::new(Code::SignerMismatch, detail));
    };
    let terms = terms(read, &sale, &phases)?;
    let key = signer.on(terms.chain_id)?;
    let signature = terms.sign(key).map_err(|e| OrderError::Signing(e.to_string()))?;
    let id = access::fresh_id("vch").map_err(|_| Problem::internal())?;
    let text = SecretSlice::from(body.kyc_reference.expose().as_bytes().to_vec());
    let mut row = VoucherRow {
        kyc_reference_sealed: service.sealer().seal(&text, place(&id)).map_err(|_| Problem::internal())?,
        id,
        investor: Addr(terms.investor),
        max_paid: Amount(terms.max_paid.get()),
        phases: i16::from(terms.phases.bits()),
        deadline: i64::try_from(terms.deadline.seconds()).map_err(|_| Problem::internal())?,
        epoch: Amount(terms.epoch),
        signer: Addr(signer.address()),
        signature: signature.as_bytes().to_vec(),
        created_at: 0,
    };
    let whose = caller.id();
    let of = Of { caller: &whose, chain_id: sale.chain_id, sale: sale.address };
    row.created_at = rows::insert(once.connection(), of, &row).await?;
    let detail = format!(
        "for {} in sale {} on chain {}, epoch {}, by {}",
        row.investor, sale.address, sale.chain_id, row.epoch, row.signer
    );
    audit::append(once.connection(), &caller.source().did("voucher.issued", &row.id, Some(detail))).await?;
    Ok(OneVoucher { data: VoucherOut::read(service, &sale, row)? })
}

/// The caller's vouchers for a sale
///
/// The newest first, with the desk's references opened.
#[utoipa::path(
    get,
    path = "/v1/sales/{chain}/{sale}/vouchers",
    tag = "vouchers",
    security(("key" = ["vouchers:write"])),
    params(SalePath, VouchersQuery),
    responses((status = 200, description = "Vouchers.", body = VoucherList), WriteProblems)
)]
pub async fn list_vouchers(
    State(state): State<ApiState>,
    service: Arc<Service>,
    caller: Authorized<VouchersWrite>,
    CheckedPath(path): CheckedPath<SalePath>,
    CheckedQuery(query): CheckedQuery<VouchersQuery>,
) -> Result<Response, Problem> {
    let (sale, _) = find_sale(&state, path.chain, path.sale).await?;
    let mut connection = service.pool().acquire().await.map_err(DbError::from)?;
    let whose = caller.id();
    let of = Of { caller: &whose, chain_id: sale.chain_id, sale: sale.address };
    let Limit(limit) = query.limit;
    let after = query.after.as_ref().map(|a| a.0.as_str());
    let mut found = rows::list(&mut connection, of, query.investor, after, limit + 1).await?;
    let next_after = cut_after(&mut found, limit, |row| row.id.clone());
    if !found.is_empty() {
        // Reading what is sealed is noted, if not each page of it.
        audit::append_rarely(
            &mut connection,
            &caller.source().did("voucher.references_read", &sale.address.to_string(), None),
        )
        .await?;
    }
    let data = found.into_iter().map(|row| VoucherOut::read(&service, &sale, row)).collect::<Result<_, _>>()?;
    Ok(no_store(VoucherList { data, next_after }))
}
