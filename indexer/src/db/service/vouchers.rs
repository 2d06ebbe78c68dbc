//! `voucher`: vouchers that the KYC desk had signed. The desk's own reference is sealed.

use sqlx::PgConnection;

use crate::{
    db::DbError,
    types::{Addr, Amount},
};

/// A voucher, and what is known of it here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoucherRow {
    /// What it is named by.
    pub id: String,
    /// Who may contribute.
    pub investor: Addr,
    /// Up to how much in all, in base units.
    pub max_paid: Amount,
    /// In which phases: bit `i` is phase `i`.
    pub phases: i16,
    /// Until when, Unix seconds.
    pub deadline: i64,
    /// The sale's epoch that it is for.
    pub epoch: Amount,
    /// Who signed.
    pub signer: Addr,
    /// What was signed.
    pub signature: Vec<u8>,
    /// The desk's reference.
    pub kyc_reference_sealed: Vec<u8>,
    /// When it was signed, Unix seconds of the database's clock.
    pub created_at: i64,
}

/// A voucher's place: whose, and for which sale.
#[derive(Clone, Copy, Debug)]
pub struct Of<'a> {
    /// Who asked for it.
    pub caller: &'a str,
    /// The chain.
    pub chain_id: i64,
    /// The sale.
    pub sale: Addr,
}

/// Adds a voucher; its time is the database's.
pub async fn insert(connection: &mut PgConnection, of: Of<'_>, v: &VoucherRow) -> Result<i64, DbError> {
    Ok(sqlx::query_scalar!(
        r#"INSERT INTO crowdsale_service.voucher
               (id, caller, chain_id, sale, investor, max_paid, phases, deadline, epoch, signer, signature, kyc_reference_sealed)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
           RETURNING extract(epoch FROM created_at)::bigint AS "at!""#,
        v.id,
        of.caller,
        of.chain_id,
        of.sale as _,
        v.investor as _,
        v.max_paid as _,
        v.phases,
        v.deadline,
        v.epoch as _,
        v.signer as _,
        v.signature,
        v.kyc_reference_sealed
    )
    .fetch_one(connection)
    .await?)
}

macro_rules! page {
    ($where:literal, $end:literal, $order:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            VoucherRow,
            r#"SELECT id, investor AS "investor: Addr", max_paid AS "max_paid: Amount", phases, deadline, epoch AS "epoch: Amount",
                      signer AS "signer: Addr", signature, kyc_reference_sealed,
                      extract(epoch FROM created_at)::bigint AS "created_at!"
               FROM crowdsale_service.voucher WHERE caller = $1 AND chain_id = $2 AND "# + $where
                + "(CASE WHEN $4::text IS NULL THEN 9223372036854775807
                         ELSE (SELECT a.position FROM crowdsale_service.voucher a WHERE a.id = $4 AND a.caller = $1) END)"
                + $end + " ORDER BY " + $order + " LIMIT $5"
            $(, $argument)*
        )
    };
}

/// Vouchers of a caller for a sale, the newest first, behind one; of one investor if given.
pub async fn list(
    connection: &mut PgConnection,
    of: Of<'_>,
    investor: Option<Addr>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<VoucherRow>, DbError> {
    Ok(match investor {
        None => {
            page!("sale = $3 AND position < ", "", "position DESC", of.caller, of.chain_id, of.sale as _, after, limit)
                .fetch_all(connection)
                .await?
        }
        // Compared and ordered as the index of these has it: those of all investors have another order.
        Some(investor) => {
            page!(
                "(sale, investor, position) > ($3, $6, 0) AND (sale, investor, position) < ($3, $6, ",
                ")",
                "sale DESC, investor DESC, position DESC",
                of.caller,
                of.chain_id,
                of.sale as _,
                after,
                limit,
                investor as _
            )
            .fetch_all(connection)
            .await?
        }
    })
}

/// The newest vouchers that a wallet was given on a chain, each with its sale.
pub async fn list_of_investor(
    connection: &mut PgConnection,
    chain_id: i64,
    investor: Addr,
    limit: i64,
) -> Result<Vec<(Addr, VoucherRow)>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT sale AS "sale: Addr", id, max_paid AS "max_paid: Amount", phases, deadline, epoch AS "epoch: Amount",
                  signer AS "signer: Addr", signature, kyc_reference_sealed,
                  extract(epoch FROM created_at)::bigint AS "created_at!"
           FROM crowdsale_service.voucher WHERE chain_id = $1 AND investor = $2 ORDER BY position DESC LIMIT $3"#,
        chain_id,
        investor as _,
        limit
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let voucher = VoucherRow {
                id: row.id,
                investor,
                max_paid: row.max_paid,
                phases: row.phases,
                deadline: row.deadline,
                epoch: row.epoch,
                signer: row.signer,
                signature: row.signature,
                kyc_reference_sealed: row.kyc_reference_sealed,
                created_at: row.created_at,
            };
            (row.sale, voucher)
        })
        .collect())
}
