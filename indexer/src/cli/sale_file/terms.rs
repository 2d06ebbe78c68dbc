//! From a file's values to the terms, with every rule that the contracts check and the ones that only people need.

use alloy::primitives::{Address, B256, U256, Uint};

use super::{
    SaleFile,
    read::{At, Reader, Table},
    unit,
};
use crate::{
    contracts::SaleFactory::{Documents, Phase, SaleTerms, TokenTerms},
    revert::Units,
    units,
};

/// Prices are payment base units per this many token base units.
pub const PRICE_UNIT: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);
/// As in `TermsCheck.sol`.
const MAX_PHASES: usize = 8;
/// As in `TermsCheck.sol`, seconds.
const MAX_DURATION: u64 = 366 * 24 * 3600;
/// What the contracts' 120-bit amounts hold.
const MAX_AMOUNT: U256 = U256::from_limbs([u64::MAX, (1 << 56) - 1, 0, 0]);

const SALE: [&str; 8] = ["name", "owner", "beneficiary", "opens", "soft_cap", "hard_cap", "unsold", "file_uri"];
const LIMITS: [&str; 2] = ["min", "max"];
const PAYMENT: [&str; 3] = ["currency", "decimals", "symbol"];
const TOKEN: [&str; 7] = ["address", "decimals", "name", "symbol", "supply", "contract_uri", "for_sale"];
const PHASE: [&str; 4] = ["name", "ends", "price", "raised_up_to"];
const WHITEPAPER: [&str; 8] =
    ["purpose", "technology", "capital_required", "team_tokens", "money_accepted", "timeline", "uri", "sha256"];

struct PhaseLine {
    phase: Phase,
    cap: U256,
    line: usize,
    name: String,
}

/// Reads everything; `None` where a value that the terms need is missing, with the reason among the reader's problems.
pub(super) fn read(r: &mut Reader<'_>, sale_hash: B256, now: u64) -> Option<SaleFile> {
    let document = r.parse();
    r.know("", document.get_ref(), &["sale", "limits", "payment", "token", "phase", "whitepaper"]);
    let sale = r.table(&document, "sale", &SALE, true);
    let limits = r.table(&document, "limits", &LIMITS, false);
    let payment = r.table(&document, "payment", &PAYMENT, true);
    let token = r.table(&document, "token", &TOKEN, true);
    let phases = r.tables(&document, "phase", &PHASE);
    let whitepaper = r.table(&document, "whitepaper", &WHITEPAPER, true);

    let (whitepaper_uri, whitepaper_hash) = whitepaper.map(|w| read_whitepaper(r, &w)).unwrap_or_default();
    // The units come first: without them no amount can be read.
    let currency = payment.and_then(|p| read_payment(r, &p));
    let token_unit = token.as_ref().and_then(|t| read_token_unit(r, t));
    let sale = sale?;
    let name = r.text(&sale, "name", "\"Aurora\"");
    let owner = r.text(&sale, "owner", "\"0x…\"").and_then(|t| r.address(t, "owner"));
    let beneficiary = r.text(&sale, "beneficiary", "\"0x…\"").and_then(|t| r.address(t, "beneficiary"));
    let opens = r.time(&sale, "opens");
    if let Some(opens) = opens.as_ref().filter(|o| o.value < now) {
        r.problem(opens.line, "`opens` is in the past", "set a time that is still to come when the sale is deployed");
    }
    let burn = read_unsold(r, &sale);
    let file_uri = r.find_text(&sale, "file_uri", "\"https://…\"").map(|t| t.value).unwrap_or_default();
    let (currency, (token_terms, token_address, token_unit)) = (currency?, token_unit?);
    let units = Units { currency: currency.1, token: token_unit };

    let money = units.currency.decimals;
    let soft_cap = amount(r, &sale, "soft_cap", money, true);
    let hard_cap = amount(r, &sale, "hard_cap", money, true);
    if let (Some(soft), Some(hard)) = (&soft_cap, &hard_cap) {
        if soft.value > hard.value {
            r.problem(
                soft.line,
                "the soft cap is above the hard cap: it could never be reached",
                "lower soft_cap or raise hard_cap",
            );
        }
        if soft.value.is_zero() {
            r.problem(
                soft.line,
                "the soft cap is zero: there is no goal to miss, and nobody would ever be refunded",
                "set a soft_cap above 0",
            );
        }
    }
    let (min, max) = read_limits(r, limits.as_ref(), money, hard_cap.as_ref());
    let phases = read_phases(r, &phases, &units, opens.as_ref(), hard_cap.as_ref());
    let token = token?;
    let for_sale = amount(r, &token, "for_sale", units.token.decimals, true);
    check_tokens(r, &phases, for_sale.as_ref(), token_terms.as_ref(), &units, soft_cap.as_ref(), hard_cap.as_ref());

    Some(SaleFile {
        terms: SaleTerms {
            owner: owner?.value,
            beneficiary: beneficiary?.value,
            token: token_address,
            currency: currency.0,
            opens: narrow(opens?.value),
            softCap: soft_cap?.value.to(),
            hardCap: hard_cap?.value.to(),
            minPaid: min?.to(),
            maxPaid: max?.to(),
            tokensForSale: for_sale?.value.to(),
            unsold: u8::from(burn?),
            phases: phases.into_iter().map(|p| p.phase).collect(),
        },
        documents: Documents {
            name: name?.value,
            saleHash: sale_hash,
            saleURI: file_uri,
            whitepaperHash: whitepaper_hash,
            whitepaperURI: whitepaper_uri,
        },
        new_token: token_terms,
        units,
    })
}

/// Times are checked to be far below 2^40 by the duration rule; what is not becomes the latest time there is.
fn narrow(seconds: u64) -> Uint<40, 1> {
    Uint::<40, 1>::from(seconds.min((1 << 40) - 1))
}

/// An amount in whole units, below 2^120 base units.
fn amount(r: &mut Reader<'_>, table: &Table<'_, '_>, key: &str, decimals: u8, required: bool) -> Option<At<U256>> {
    let text = if required { r.text(table, key, "\"100\"")? } else { r.find_text(table, key, "\"100\"")? };
    match units::parse(&text.value, decimals) {
        Ok(value) if value <= MAX_AMOUNT => Some(At { value, line: text.line }),
        Ok(_) => {
            r.problem(
                text.line,
                format!("`{key}` is above what the contracts can hold, 2^120 base units"),
                "write a smaller amount",
            );
            None
        }
        Err(error) => {
            r.problem(text.line, format!("`{key}`: {error}"), format!("write {key} = \"100\", in whole units"));
            None
        }
    }
}

fn read_payment(r: &mut Reader<'_>, t: &Table<'_, '_>) -> Option<(Address, crate::revert::Unit)> {
    let currency = r.text(t, "currency", "\"ETH\"")?;
    let decimals = r.find_u8(t, "decimals");
    let symbol = r.find_text(t, "symbol", "\"USDC\"");
    if currency.value == "ETH" {
        if decimals.as_ref().is_some_and(|d| d.value != 18) || symbol.as_ref().is_some_and(|s| s.value != "ETH") {
            r.problem(currency.line, "ether has 18 decimals and the symbol ETH", "leave decimals and symbol out");
        }
        return Some((Address::ZERO, unit(18, "ETH")));
    }
    let address = r.address(currency, "currency")?;
    for (key, missing) in [("decimals", decimals.is_none()), ("symbol", symbol.is_none())] {
        if missing {
            let reason = format!("`{key}` of the payment token is missing: it says what the amounts in this file mean");
            r.problem(t.line, reason, format!("add {key}, as the token's contract has it"));
        }
    }
    Some((address.value, unit(decimals?.value, &symbol?.value)))
}

type TokenChoice = (Option<TokenTerms>, Address, crate::revert::Unit);

fn read_token_unit(r: &mut Reader<'_>, t: &Table<'_, '_>) -> Option<TokenChoice> {
    if let Some(address) = r.find_text(t, "address", "\"0x…\"") {
        let line = address.line;
        let address = r.address(address, "address");
        for key in ["name", "supply", "contract_uri"] {
            if let Some(given) = r.find_text(t, key, "\"…\"") {
                r.problem(
                    given.line,
                    format!("`{key}` belongs to a new token, and an existing one is named"),
                    "leave it out, or leave address out",
                );
            }
        }
        let symbol = r.text(t, "symbol", "\"AUR\"");
        let decimals = r.find_u8(t, "decimals");
        if decimals.is_none() {
            r.problem(
                line,
                "`decimals` of the existing token is missing: it says what for_sale and the prices mean",
                "add decimals = 18, as the token's contract has it",
            );
        }
        return Some((None, address?.value, unit(decimals?.value, &symbol?.value)));
    }
    if let Some(decimals) = r.find_u8(t, "decimals").filter(|d| d.value != 18) {
        r.problem(decimals.line, "a new token has 18 decimals", "leave decimals out");
    }
    let name = r.text(t, "name", "\"Aurora\"");
    let symbol = r.text(t, "symbol", "\"AUR\"");
    let supply = amount(r, t, "supply", 18, true);
    let uri = r.find_text(t, "contract_uri", "\"https://…\"").map(|t| t.value).unwrap_or_default();
    let symbol = symbol?.value;
    let token = unit(18, &symbol);
    Some((
        Some(TokenTerms { name: name?.value, symbol, supply: supply?.value, contractURI: uri }),
        Address::ZERO,
        token,
    ))
}

fn read_unsold(r: &mut Reader<'_>, sale: &Table<'_, '_>) -> Option<bool> {
    let unsold = r.text(sale, "unsold", "\"owner\"")?;
    match unsold.value.as_str() {
        "owner" => Some(false),
        "burn" => Some(true),
        other => {
            r.problem(
                unsold.line,
                format!("`unsold` is {other:?}"),
                "write \"owner\" to give unsold tokens to the owner, or \"burn\"",
            );
            None
        }
    }
}

fn read_limits(
    r: &mut Reader<'_>,
    limits: Option<&Table<'_, '_>>,
    money: u8,
    hard_cap: Option<&At<U256>>,
) -> (Option<U256>, Option<U256>) {
    let min = limits.and_then(|l| amount(r, l, "min", money, false));
    let max = limits.and_then(|l| amount(r, l, "max", money, false));
    if let (Some(min), Some(max)) = (&min, &max)
        && min.value > max.value
    {
        r.problem(min.line, "the minimum is above the maximum: nobody could contribute", "lower min or raise max");
    }
    if let Some(max) = &max {
        if max.value.is_zero() {
            r.problem(max.line, "the maximum is zero: nobody could contribute", "raise max, or leave it out");
        }
        if hard_cap.is_some_and(|h| max.value > h.value) {
            r.problem(max.line, "the maximum is above the hard cap", "lower max, or leave it out for no maximum");
        }
    }
    if let (Some(min), None, Some(hard)) = (&min, &max, hard_cap)
        && min.value > hard.value
    {
        r.problem(min.line, "the minimum is above the hard cap: nobody could contribute", "lower min");
    }
    let max = max.map(|m| m.value).or(hard_cap.map(|h| h.value));
    (Some(min.map_or(U256::ZERO, |m| m.value)), max)
}

fn read_phases(
    r: &mut Reader<'_>,
    tables: &[Table<'_, '_>],
    units: &Units,
    opens: Option<&At<u64>>,
    hard_cap: Option<&At<U256>>,
) -> Vec<PhaseLine> {
    if tables.len() > MAX_PHASES {
        let line = tables[MAX_PHASES].line;
        r.problem(
            line,
            format!("there are {} phases, at most {MAX_PHASES} are possible", tables.len()),
            "join some of them",
        );
    }
    let mut phases: Vec<PhaseLine> = Vec::new();
    let mut end = opens.map(|o| o.value);
    for (index, table) in tables.iter().enumerate() {
        r.text(table, "name", "\"public\"");
        let ends = r.time(table, "ends");
        if let (Some(ends), Some(previous)) = (&ends, end)
            && ends.value <= previous
        {
            let before = if index == 0 { "the sale opens".to_owned() } else { format!("phase {index} ends") };
            r.problem(
                ends.line,
                format!("{} ends before or when {before}", table.name),
                "set phases in the order of their ends",
            );
        }
        let price = price(r, table, units);
        let cap = amount(r, table, "raised_up_to", units.currency.decimals, false);
        let cap_line = cap.as_ref().map_or(table.line, |c| c.line);
        let Some(hard_cap) = hard_cap else { continue };
        let cap = cap.map_or(hard_cap.value, |c| c.value);
        if phases.last().is_some_and(|p| cap < p.cap) {
            r.problem(
                cap_line,
                format!("{} sells up to less than the phase before it", table.name),
                "raised_up_to is cumulative over the whole sale: let it grow",
            );
        }
        if index + 1 == tables.len() && cap != hard_cap.value {
            r.problem(
                cap_line,
                "the last phase does not sell up to the hard cap",
                "leave its raised_up_to out, or set it to hard_cap",
            );
        }
        if let (Some(ends), Some(price)) = (ends, price) {
            end = Some(ends.value);
            let phase = Phase { end: narrow(ends.value), raisedUpTo: cap.to(), price: price.to(), gate: 0 };
            phases.push(PhaseLine { phase, cap, line: ends.line, name: table.name.clone() });
        }
    }
    if let (Some(opens), Some(last), Some(end)) = (opens, phases.last(), end)
        && end.saturating_sub(opens.value) > MAX_DURATION
    {
        r.problem(
            last.line,
            format!("the sale runs for more than 366 days until {} ends: nobody's money may wait that long", last.name),
            "let the last phase end earlier",
        );
    }
    phases
}

/// Payment base units per 1e18 token base units, exactly, or a problem.
fn price(r: &mut Reader<'_>, table: &Table<'_, '_>, units: &Units) -> Option<U256> {
    let text = r.text(table, "price", "\"0.001\"")?;
    // price x 10^(payment decimals) x 10^18 / 10^(token decimals), read with as many decimals as it may have.
    let shift = i16::from(units.currency.decimals) + 18 - i16::from(units.token.decimals);
    let parsed = match u8::try_from(shift) {
        Ok(decimals) => units::parse(&text.value, decimals).map_err(|e| match e {
            units::UnitsError::TooPrecise { .. } => {
                format!("`price` {:?} is no whole number of base units for 10^18 base units of the token", text.value)
            }
            other => format!("`price`: {other}"),
        }),
        Err(_) => Err("a token with so many decimals cannot be priced in this currency".to_owned()),
    };
    match parsed {
        Ok(price) if price.is_zero() => {
            r.problem(
                text.line,
                format!("the price of {} is zero: tokens would be given away", table.name),
                "set a price above 0",
            );
            None
        }
        Ok(price) if price > U256::from(u128::MAX) => {
            r.problem(text.line, "`price` is above what the contracts can hold", "set a lower price");
            None
        }
        Ok(price) => Some(price),
        Err(reason) => {
            r.problem(text.line, reason, "write price = \"0.001\": whole payment units for one whole token");
            None
        }
    }
}

/// Most tokens that the phases can sell, however the contributions fall: see `TermsCheck.tokensNeeded`.
pub fn tokens_needed(phases: &[(U256, U256)]) -> U256 {
    let mut needed = U256::ZERO;
    let mut price = U256::MAX;
    for (index, (cap, phase_price)) in phases.iter().enumerate().rev() {
        price = price.min(*phase_price);
        let floor = index.checked_sub(1).map_or(U256::ZERO, |i| phases[i].0);
        needed += (cap.saturating_sub(floor) * PRICE_UNIT).div_ceil(price);
    }
    needed
}

fn check_tokens(
    r: &mut Reader<'_>,
    phases: &[PhaseLine],
    for_sale: Option<&At<U256>>,
    new_token: Option<&TokenTerms>,
    units: &Units,
    soft_cap: Option<&At<U256>>,
    hard_cap: Option<&At<U256>>,
) {
    let prices: Vec<(U256, U256)> = phases.iter().map(|p| (p.cap, U256::from(p.phase.price))).collect();
    if let Some(for_sale) = for_sale {
        let needed = tokens_needed(&prices);
        if for_sale.value < needed {
            r.problem(
                for_sale.line,
                format!(
                    "{} are for sale, the hard cap could buy {}",
                    units.token.write(for_sale.value),
                    units.token.write(needed)
                ),
                format!(
                    "set for_sale to at least {}, raise prices or lower the hard cap",
                    crate::types::Amount(needed).to_units(units.token.decimals)
                ),
            );
        }
        if let Some(token) = new_token
            && token.supply < for_sale.value
        {
            r.problem(for_sale.line, "more tokens are for sale than the supply", "raise supply or lower for_sale");
        }
    }
    // Dust below the hard cap that buys nothing must not decide the outcome: see `TermsCheck.highestSoftCap`.
    if let (Some(soft), Some(hard), Some((_, price))) = (soft_cap, hard_cap, prices.last()) {
        let highest = (hard.value + U256::ONE).saturating_sub(price.div_ceil(PRICE_UNIT));
        if soft.value > highest && soft.value <= hard.value {
            r.problem(
                soft.line,
                "below the hard cap an amount could be left that buys nothing, and the soft cap lies within it",
                format!("set soft_cap to at most {}", units.currency.write(highest)),
            );
        }
    }
}

fn read_whitepaper(r: &mut Reader<'_>, t: &Table<'_, '_>) -> (String, B256) {
    for key in &WHITEPAPER[..6] {
        r.text(t, key, "\"…\"");
    }
    let uri = r.find_text(t, "uri", "\"https://…\"");
    let hash = r.find_text(t, "sha256", "\"…\"");
    if let (Some(uri), None) = (&uri, &hash) {
        r.problem(
            uri.line,
            "the whitepaper has a uri and no sha256: it could be changed unnoticed",
            "add the output of `sha256sum`",
        );
    }
    let hash = hash.map_or(B256::ZERO, |text| {
        text.value.parse().unwrap_or_else(|_| {
            r.problem(text.line, "`sha256` is not 64 hexadecimal digits", "write the output of `sha256sum`");
            B256::ZERO
        })
    });
    (uri.map(|u| u.value).unwrap_or_default(), hash)
}
