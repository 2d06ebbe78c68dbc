//! What is asked of `/v1/orders`, checked.

use alloy::primitives::{U256, hex};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    api::{
        body::{BaseUnits, Fields, Reference},
        extract::{ChainId, FromPath, FromQuery, Limit, Parameter, Reader, parse_id},
        problem::Problem,
    },
    orders::{self, Decoded, MAX_RAW},
    types::Addr,
};

/// Most bytes of a voucher or a proof: a signature of a contract can be long.
const MAX_ELIGIBILITY: usize = 4096;

/// The id of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderId(pub String);

impl Parameter for OrderId {
    fn parse(text: &str) -> Result<Self, String> {
        parse_id(text, "ord_", "an order").map(Self)
    }
}

/// Which order.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct OrderPath {
    /// The order's id.
    #[param(value_type = String, example = "ord_4rSw0JXjKzPq81mUcdYt", pattern = "^ord_[0-9A-Za-z]{20}$")]
    pub id: OrderId,
}

impl FromPath for OrderPath {
    fn read(reader: &mut Reader) -> Option<Self> {
        Some(Self { id: reader.read("id")? })
    }
}

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum OrderState {
    /// Written, with its signed transaction; sent from now on.
    Accepted,
    /// A node has it.
    Pending,
    /// In a block, and it did what it was to do.
    Included,
    /// In a block, and the sale refused it.
    Failed,
    /// Included, and it cannot change any more.
    Final,
    /// Its nonce was used by another transaction of its sender's, which does something else; or, once that is final, by something that is
    /// not known.
    Replaced,
    /// The transaction that cancels it is in a block.
    Cancelled,
    /// No node has had it for some blocks, and its nonce is not used.
    Dropped,
    /// The same for so long that it is not expected any more. If it is mined after all, the order says so.
    Expired,
    /// Its block was reorged away.
    Reorged,
}

impl OrderState {
    pub(in crate::api) const ALL: [Self; 10] = [
        Self::Accepted,
        Self::Pending,
        Self::Included,
        Self::Failed,
        Self::Final,
        Self::Replaced,
        Self::Cancelled,
        Self::Dropped,
        Self::Expired,
        Self::Reorged,
    ];
    /// Those in which an order ends.
    pub(in crate::api) const SETTLED: [Self; 4] = [Self::Final, Self::Failed, Self::Cancelled, Self::Replaced];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Pending => "pending",
            Self::Included => "included",
            Self::Failed => "failed",
            Self::Final => "final",
            Self::Replaced => "replaced",
            Self::Cancelled => "cancelled",
            Self::Dropped => "dropped",
            Self::Expired => "expired",
            Self::Reorged => "reorged",
        }
    }
}

impl Parameter for OrderState {
    fn parse(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or_else(|| {
            let all = Self::ALL.map(Self::as_str).join(", ");
            format!("must be one of {all}")
        })
    }
}

/// Which orders.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OrdersQuery {
    /// Orders on this chain.
    #[param(value_type = Option<i64>, minimum = 0, required = false)]
    pub chain: Option<ChainId>,
    /// Orders in this sale.
    #[param(required = false)]
    pub sale: Option<Addr>,
    /// Orders in this state.
    #[param(required = false, inline)]
    pub state: Option<OrderState>,
    /// Orders for this customer. Proxies write queries into their logs: take a reference that names nobody.
    #[param(
        value_type = Option<String>,
        required = false,
        min_length = 1,
        max_length = 128,
        pattern = r"^(?=\S)(?=.*\S$)[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]*$"
    )]
    pub customer_reference: Option<Reference>,
    /// Most orders in the answer.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, required = false, default = 50)]
    pub limit: Limit,
    /// `next_after` of the answer before.
    #[param(value_type = Option<String>, required = false, pattern = "^ord_[0-9A-Za-z]{20}$")]
    pub after: Option<OrderId>,
}

impl FromQuery for OrdersQuery {
    fn read(reader: &mut Reader) -> Self {
        Self {
            chain: reader.read("chain"),
            sale: reader.read("sale"),
            state: reader.read("state"),
            customer_reference: reader.read("customer_reference"),
            limit: reader.read("limit").unwrap_or_default(),
            after: reader.read("after"),
        }
    }
}

/// An order: with `raw_transaction`, or with `sale`, `investor`, `amount` and `customer_reference`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// EIP-155 id.
    #[schema(minimum = 0, example = 1)]
    pub chain: i64,
    /// A signed transaction that contributes to a sale: a plain transfer, `contribute` or `contributeWithPermit`, of type 0, 1 or 2.
    #[schema(max_length = 16_386, pattern = "^0x([0-9a-fA-F]{2})+$")]
    pub raw_transaction: Option<String>,
    /// The sale.
    #[schema(value_type = Option<Addr>)]
    pub sale: Option<String>,
    /// The customer's own wallet, which gets the position, the tokens and any refund. The operator's account pays.
    #[schema(value_type = Option<Addr>)]
    pub investor: Option<String>,
    /// Base units of the sale's currency.
    #[schema(example = "1500000000000000000", pattern = "^[1-9][0-9]*$", max_length = 37)]
    pub amount: Option<String>,
    /// Whose it is to the caller: 1 to 128 characters, kept sealed. Several orders may have the same.
    #[schema(
        value_type = Option<String>,
        min_length = 1,
        max_length = 128,
        example = "customer 4711",
        pattern = r"^(?=\S)(?=.*\S$)[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]*$"
    )]
    pub customer_reference: Option<Reference>,
    /// Voucher or proof, where the sale asks for one.
    #[schema(max_length = 8_194, pattern = "^0x([0-9a-fA-F]{2})*$")]
    pub eligibility: Option<String>,
    /// Wei of a unit of gas that the order never pays beyond; the market's fees if it is not given.
    #[schema(example = "50000000000", pattern = "^[1-9][0-9]*$", max_length = 37)]
    pub max_fee_per_gas: Option<String>,
}

/// What is wanted, in the one way or the other.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    Raw(Box<Decoded>),
    Intent { sale: Addr, investor: Addr, amount: U256, eligibility: Vec<u8>, fee_cap: Option<u128> },
}

/// A voucher or a proof.
struct Eligibility(Vec<u8>);

impl Parameter for Eligibility {
    fn parse(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("0x").filter(|d| d.len() <= 2 * MAX_ELIGIBILITY);
        let bytes = digits.and_then(|d| hex::decode(d).ok());
        let wrong = || format!("must be 0x and pairs of hexadecimal digits, at most {MAX_ELIGIBILITY}");
        bytes.map(Self).ok_or_else(wrong)
    }
}

/// Wei of a unit of gas.
struct FeeCap(u128);

impl Parameter for FeeCap {
    fn parse(text: &str) -> Result<Self, String> {
        let fee = BaseUnits::parse(text).map_err(|_| "must be wei in decimal digits, from 1".to_owned())?;
        Ok(Self(fee.0.saturating_to()))
    }
}

impl NewOrder {
    /// Chain, reference and what is wanted.
    pub(super) fn read(self) -> Result<(ChainId, Option<Reference>, Wanted), Problem> {
        let mut fields = Fields::default();
        if self.chain < 0 {
            fields.fault("chain", "must be a chain id: a whole number below 2^63");
        }
        let wanted = match &self.raw_transaction {
            Some(text) => self.read_raw(&mut fields, text),
            None => self.read_intent(&mut fields),
        };
        fields.finish()?;
        let wanted = wanted.ok_or_else(Problem::internal)?;
        Ok((ChainId(self.chain), self.customer_reference, wanted))
    }

    fn read_raw(&self, fields: &mut Fields, text: &str) -> Option<Wanted> {
        for (field, is_there) in [
            ("sale", self.sale.is_some()),
            ("investor", self.investor.is_some()),
            ("amount", self.amount.is_some()),
            ("eligibility", self.eligibility.is_some()),
            ("max_fee_per_gas", self.max_fee_per_gas.is_some()),
        ] {
            if is_there {
                fields.fault(field, "is said by raw_transaction already: leave it out");
            }
        }
        if text.len() > 2 + 2 * MAX_RAW {
            fields.fault("raw_transaction", orders::RawFault::Long.to_string());
            return None;
        }
        match orders::decode(text, self.chain.unsigned_abs()) {
            Ok(decoded) => Some(Wanted::Raw(Box::new(decoded))),
            Err(fault) => {
                fields.fault("raw_transaction", fault.to_string());
                None
            }
        }
    }

    fn read_intent(&self, fields: &mut Fields) -> Option<Wanted> {
        if [&self.sale, &self.investor, &self.amount].iter().all(|field| field.is_none()) {
            let detail = "is missing: send a signed transaction, or sale, investor, amount and customer_reference";
            fields.fault("raw_transaction", detail);
            return None;
        }
        let sale = fields.require::<Addr>("sale", self.sale.as_deref());
        let investor = fields.require::<Addr>("investor", self.investor.as_deref());
        if investor.is_some_and(|i| i.0.is_zero()) {
            fields.fault("investor", "is the zero address, which is nobody's");
        }
        let amount = fields.require::<BaseUnits>("amount", self.amount.as_deref());
        if self.customer_reference.is_none() {
            fields.fault("customer_reference", "is missing: it says whose order it is");
        }
        let eligibility = self.eligibility.as_deref().map(|text| fields.read::<Eligibility>("eligibility", text));
        let fee_cap = self.max_fee_per_gas.as_deref().map(|text| fields.read::<FeeCap>("max_fee_per_gas", text));
        Some(Wanted::Intent {
            sale: sale?,
            investor: investor?,
            amount: amount?.0,
            eligibility: eligibility.flatten().map_or_else(Vec::new, |e| e.0),
            fee_cap: fee_cap.flatten().map(|cap| cap.0),
        })
    }
}
