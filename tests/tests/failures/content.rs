//! What is in events: amounts that overflow, texts that are none, logs that do not decode.

use alloy::{
    primitives::{Address, U256, Uint},
    sol_types::SolValue,
};
use e2e::{
    Database, Local, Random, Stage,
    story::{Noise, Outcome, SaleDraft, Token},
};

use super::FAR;

const SALE: Address = Address::repeat_byte(0x51);
const INVESTOR: Address = Address::repeat_byte(0x77);

/// A sale and a contribution to it.
fn sale(stage: &mut Stage, draft: &SaleDraft) {
    let draft = draft.clone();
    stage.write(|number, ledger| {
        let mut logs = ledger.create(&draft);
        let one = U256::from(1);
        logs.push(ledger.contribute(number, draft.address, (INVESTOR, INVESTOR), 0, one, one));
        vec![logs]
    });
}

/// A dozen maximal amounts need 79 digits: every sum is exact, up and down.
#[tokio::test]
async fn a_dozen_maximal_amounts_are_summed_to_the_last_digit() {
    let mut stage = Stage::new(1, FAR).await;
    sale(&mut stage, &SaleDraft::plain(SALE));
    let mut indexer = stage.index();
    for _ in 0..12 {
        stage.write(|number, ledger| {
            let pair = (INVESTOR, INVESTOR);
            vec![vec![ledger.contribute(number, SALE, pair, u8::MAX, U256::MAX, U256::MAX)]]
        });
    }
    stage.rest(&mut indexer).await;
    let raised = stage.database.texts("SELECT raised::text FROM sale_total").await.remove(0);
    assert_eq!(raised.len(), 79, "{raised}");
    assert!(raised.ends_with(&stage.view().head().ledger.sales[&SALE].totals.raised.to_string()));
    stage.write(|_, ledger| vec![vec![ledger.end(SALE, Outcome::Cancelled)]]);
    stage.write(|number, ledger| vec![vec![ledger.refund(number, SALE, INVESTOR, INVESTOR)]]);
    stage.rest(&mut indexer).await;
    stage.reorg(5, 6);
    stage.agree(&mut indexer).await;
}

/// NUL bytes and broken UTF-8, in an event and in a token's answer: cleaned, with the bytes beside.
#[tokio::test]
async fn texts_that_are_none_are_kept_as_bytes_and_cleaned() {
    let mut stage = Stage::new(2, FAR).await;
    let mut draft = SaleDraft::plain(SALE);
    draft.name = "a\0b".to_owned();
    let mut symbol = "%BAD%".to_owned().abi_encode();
    let at = symbol.windows(5).position(|w| w == b"%BAD%").unwrap();
    symbol[at..at + 5].copy_from_slice(&[0, 0xff, 0xc3, 0x28, 0]);
    draft.answers.symbol = Some(symbol.into());
    sale(&mut stage, &draft);
    let mut indexer = stage.index();
    stage.rest(&mut indexer).await;
    let texts = "SELECT name || '|' || sale_uri FROM sale UNION ALL SELECT contract_uri FROM token_created";
    for text in stage.database.texts(texts).await {
        assert!(text.contains('\u{fffd}') && !text.contains('\0'), "{text:?}");
    }
    for table in ["sale", "token_created"] {
        let kept = format!("SELECT count(*) FROM {table} WHERE position('\\x00ffc32800'::bytea in data) > 0");
        assert_eq!(stage.database.number(&kept).await, 1, "the bytes as emitted are in {table}");
    }
    assert_eq!(
        stage.database.number("SELECT count(*) FROM currency WHERE symbol LIKE U&'%\\FFFD%' AND decimals = 18").await,
        1
    );
    stage.agree(&mut indexer).await;
}

/// Logs of known contracts that do not decode are kept whole; everything around them is indexed.
#[tokio::test]
async fn what_does_not_decode_is_kept_and_the_chain_goes_on() {
    let mut stage = Stage::new(3, FAR).await;
    sale(&mut stage, &SaleDraft::plain(SALE));
    let mut indexer = stage.index();
    let mut random = Random::of(4);
    for noise in Noise::ALL {
        stage.write(|number, ledger| {
            let one = U256::from(1);
            let around = ledger.contribute(number, SALE, (INVESTOR, INVESTOR), 0, one, one);
            vec![vec![ledger.noise(&mut random, noise)], vec![around]]
        });
    }
    stage.rest(&mut indexer).await;
    assert_eq!(stage.database.number("SELECT count(*) FROM quarantined_log").await, 4);
    assert_eq!(stage.database.number("SELECT count(*) FROM contribution").await, 9);
    let view = stage.view();
    let whole = stage.database.texts(
        "SELECT block_number || ' ' || encode(emitter, 'hex') || ' ' || encode(data, 'hex') FROM quarantined_log ORDER BY 1",
    );
    for line in whole.await {
        let mut words = line.split(' ');
        let number: u64 = words.next().unwrap().parse().unwrap();
        let emitted = &view.at(number).unwrap().logs[0].emitted;
        assert_eq!(words.next().unwrap(), format!("{:x}", emitted.address));
        assert_eq!(words.next().unwrap(), alloy::hex::encode(&emitted.data.data));
    }
    stage.reorg(4, 4);
    stage.agree(&mut indexer).await;
}

/// An address made from a nonce is another contract on another branch: so is what it answers.
#[tokio::test]
async fn another_token_at_the_same_address_after_a_reorg() {
    let mut stage = Stage::new(4, FAR).await;
    stage.grow(1);
    let fork = stage.view().head().clone();
    let mut draft = SaleDraft::plain(SALE);
    sale(&mut stage, &draft);
    let mut indexer = stage.index();
    stage.rest(&mut indexer).await;
    draft.answers = Token::plain("OTH", "Other", 6);
    let block = stage.block_on(&fork, |number, ledger| {
        let mut logs = ledger.create(&draft);
        logs.push(ledger.contribute(number, SALE, (INVESTOR, INVESTOR), 0, U256::from(1), U256::from(1)));
        vec![logs]
    });
    stage.peer.core().tree.replace(fork.number, vec![block]);
    stage.rest(&mut indexer).await;
    let query = format!("SELECT symbol || ' ' || decimals FROM currency WHERE address = '\\x{:x}'", draft.token);
    assert_eq!(stage.database.texts(&query).await, ["OTH 6"]);
    stage.agree(&mut indexer).await;
}

/// A number of decimals that no token can have says as little as none: not what is left of it in eight bits.
#[tokio::test]
async fn decimals_that_cannot_be_are_none() {
    let mut stage = Stage::new(6, FAR).await;
    stage.grow(1);
    let mut draft = SaleDraft::plain(SALE);
    for decimals in [256_u64, 274, u64::MAX] {
        draft.answers.decimals = Some(U256::from(decimals).abi_encode().into());
        let block = stage.block_on(&stage.view().head().clone(), |_, ledger| vec![ledger.create(&draft)]);
        stage.peer.core().tree.replace(block.number - 1, vec![block]);
        let database = Database::migrated().await;
        let mut indexer = Local::follow(&stage.peer.url, &database, &stage.options);
        let head = stage.view().head().hash;
        indexer.reaches(&database, head).await;
        let query = format!("SELECT symbol || ' ' || decimals FROM currency WHERE address = '\\x{:x}'", draft.token);
        assert_eq!(database.texts(&query).await, ["AUR 0"], "{decimals}");
        indexer.stop().await;
        stage.reorg(1, 1);
    }
}

/// The largest number of every field that has a width.
#[tokio::test]
async fn the_largest_terms_fit() {
    let mut stage = Stage::new(5, FAR).await;
    let mut draft = SaleDraft::plain(SALE);
    draft.hard_cap = U256::from(Uint::<120, 2>::MAX);
    draft.opens = (1 << 40) - 20_000;
    draft.phases = 8;
    draft.wallets = 16;
    sale(&mut stage, &draft);
    let mut indexer = stage.index();
    stage.rest(&mut indexer).await;
    stage.agree(&mut indexer).await;
}
