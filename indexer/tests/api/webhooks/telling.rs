//! What becomes a message, and for whom.

use std::collections::BTreeSet;

use super::*;

#[sqlx::test(migrations = "./migrations")]
async fn what_is_committed_is_sent_signed_to_whoever_asked(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let (aurora, borealis) = (Terms::new("Aurora", 1, 0), Terms::new("Borealis", 1, 1));
    for terms in [&aurora, &borealis] {
        sale(&pool, terms).await;
    }
    applied(&pool, 0, 1, 0).await;
    let process = Process::start(&pool, quick()).await;
    let own = key(&pool, &[Scope::WebhooksWrite], &[]).await.key;
    let (all, some) = (Receiver::start().await, Receiver::start().await);
    let (path, secret) = made(&process.app, own.expose(), "a", json!({"url": all.url, "label": "all"})).await;
    let of_aurora = json!({"url": some.url, "label": "some", "chain_id": CHAIN, "sale": aurora.sale,
                           "events": ["contribution.observed", "contribution.reorged"]});
    made(&process.app, own.expose(), "b", of_aurora).await;

    // Nothing of what was committed before, everything after, once.
    contribute(&pool, &aurora, (11, 0), addr("alice"), ether("1.5"), ether("6000")).await;
    contribute(&pool, &borealis, (11, 1), addr("bob"), ether("2"), ether("8000")).await;
    applied(&pool, 2, 11, 0).await;
    // What has become final since is told with them, in no order.
    let got = until("both are told", async || {
        let got = all.got();
        (got.iter().filter(|g| g.kind() == "contribution.observed").count() == 2).then_some(got)
    })
    .await;
    let public_key = request(&process.app, "GET", &path, own.expose()).await.body["data"]["public_key"].clone();
    for got in &got {
        assert!(got.is_signed_with(&secret) && got.is_signed_by(public_key.as_str().unwrap()), "{got:?}");
        assert!(!got.is_signed_with("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
        assert_eq!(got.headers["content-type"], "application/json");
    }
    let alice = got.iter().map(|g| g.json()).find(|j| j["data"]["account"] == addr("alice").to_string()).unwrap();
    assert_eq!((&alice["type"], &alice["timestamp"]), (&json!("contribution.observed"), &json!(rfc3339(time(11)))));
    assert_eq!(alice["data"]["amount"]["raw"], "1500000000000000000");
    assert_eq!(alice["data"]["block"]["hash"], hash(11, 0).to_string());
    assert_eq!(some.wait(1).await[0].json(), alice);

    // Taken back, and told again in another block.
    reverted(&pool, 10).await;
    contribute_on(&pool, &aurora, (11, 0), 1, addr("alice"), ether("1"), ether("4000")).await;
    applied(&pool, 11, 11, 1).await;
    let got = some.wait(3).await;
    let mut kinds: Vec<_> = got[1..].iter().map(|g| (g.kind(), g.json()["data"]["block"]["hash"].clone())).collect();
    kinds.sort_by_key(|(kind, _)| kind.clone());
    let told = [("contribution.observed", hash(11, 1)), ("contribution.reorged", hash(11, 0))];
    assert_eq!(kinds, told.map(|(kind, hash)| (kind.to_owned(), json!(hash.to_string()))));
    // Two sales, created before, and three contributions: what is final is told of all of them.
    applied(&pool, 12, 30, 1).await;
    let got = all.wait(2 + 2 + 1 + 3).await;
    let ids: BTreeSet<_> = got.iter().map(|g| g.id().to_owned()).collect();
    assert_eq!(ids.len(), got.len(), "each has an id of its own");
    let finalized: Vec<_> = got.iter().map(|g| g.kind()).filter(|k| k.ends_with(".finalized")).collect();
    assert_eq!(finalized.len(), 3, "{finalized:?}");
    let noted = numbers(&pool, "SELECT count(*) FROM crowdsale_service.webhook_delivery WHERE state = 'delivered'");
    until("all of it is noted", async || (noted_count(&pool).await == 8 + 3).then_some(())).await;
    assert_eq!(noted.await, 11);
    assert_eq!((all.got().len(), some.got().len()), (8, 3), "and nothing twice");
    process.stop().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_webhook_ends_with_its_makers_last_key(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let process = Process::start(&pool, quick()).await;
    let first = key(&pool, &[Scope::WebhooksWrite], &[]).await;
    let receiver = Receiver::start().await;
    let body = json!({"url": receiver.url, "label": "one"});
    let (path, _) = made(&process.app, first.key.expose(), "one", body).await;
    let mut connection = pool.acquire().await.unwrap();
    let pepper = access::pepper(&mut connection, &sealer()).await.unwrap();
    let source = Source::default();
    let second = access::rotate(&mut connection, &pepper, &first.row.id, 0, &source).await.unwrap();
    assert_eq!(post(&process.app, &format!("{path}/test"), second.key.expose(), "t", &json!({})).await.status, 201);
    receiver.wait(1).await;

    // It was found out, and revoked: what it made hears nothing more.
    let test = post(&process.app, &format!("{path}/test"), second.key.expose(), "u", &json!({})).await;
    assert_eq!(test.status, 201);
    receiver.wait(2).await;
    access::revoke(&mut connection, &second.row.id, &source).await.unwrap();
    let witness = key(&pool, &[Scope::WebhooksWrite], &[]).await.key;
    let other = Receiver::start().await;
    made(&process.app, witness.expose(), "w", json!({"url": other.url, "label": "witness"})).await;
    sale(&pool, &Terms::new("Aurora", 1, 0)).await;
    applied(&pool, 0, 1, 0).await;
    other.wait(1).await;
    assert_eq!(receiver.got().len(), 2);
    process.stop().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn who_cannot_be_told_on_is_told_so(pool: PgPool) {
    let (process, _, receiver, _, _) = one(&pool, quick()).await;
    let aurora = Terms::new("Aurora", 1, 0);
    sale(&pool, &aurora).await;
    applied(&pool, 0, 1, 0).await;
    receiver.wait(1).await;
    // The tables are made anew, by who does not switch them.
    sqlx::raw_sql("TRUNCATE outbox RESTART IDENTITY").execute(&pool).await.unwrap();
    let told = receiver.wait(2).await[1].json();
    assert_eq!((&told["type"], &told["data"]["chain_id"]), (&json!("webhook.reset"), &json!(CHAIN)));
    contribute(&pool, &aurora, (11, 0), addr("alice"), ether("1"), ether("4000")).await;
    applied(&pool, 2, 11, 0).await;
    let kinds: BTreeSet<_> = receiver.wait(4).await[2..].iter().map(|g| g.kind()).collect();
    assert_eq!(kinds, ["contribution.observed", "sale.finalized"].map(str::to_owned).into());
    process.stop().await;
}

/// Who is disabled for longer than what was told is kept, too.
#[sqlx::test(migrations = "./migrations")]
async fn who_was_disabled_for_too_long_is_told_so(pool: PgPool) {
    let (process, own, receiver, path, _) = one(&pool, quick()).await;
    let aurora = Terms::new("Aurora", 1, 0);
    sale(&pool, &aurora).await;
    applied(&pool, 0, 1, 0).await;
    receiver.wait(1).await;
    assert_eq!(patch(&process.app, &path, own.expose(), "off", &json!({"enabled": false})).await.status, 200);
    let forget = "SELECT forget_told(31337, 0, 5000)";
    for block in 2..=20 {
        contribute(&pool, &aurora, (block, 0), addr("alice"), ether("1"), ether("4000")).await;
        applied(&pool, block, block, 0).await;
    }
    sqlx::query("UPDATE outbox SET at = at - interval '1 day'").execute(&pool).await.unwrap();
    sqlx::query(forget).execute(&pool).await.unwrap();
    assert_eq!(patch(&process.app, &path, own.expose(), "on", &json!({"enabled": true})).await.status, 200);
    let told = receiver.wait(2).await[1].json();
    assert_eq!((&told["type"], &told["data"]["chain_id"]), (&json!("webhook.reset"), &json!(CHAIN)));
    contribute(&pool, &aurora, (21, 0), addr("bob"), ether("2"), ether("8000")).await;
    applied(&pool, 21, 21, 0).await;
    let kinds: BTreeSet<_> = receiver.wait(4).await[2..].iter().map(|g| g.kind()).collect();
    assert_eq!(
        kinds,
        ["contribution.observed", "contribution.finalized"].map(str::to_owned).into(),
        "and all that is new"
    );
    process.stop().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_backlog_waits_where_it_is(pool: PgPool) {
    let options = Options { waiting: 10, schedule: Schedule::new([Duration::from_secs(3_600)]), ..quick() };
    let (process, own, receiver, path, _) = one(&pool, options).await;
    let aurora = Terms::new("Aurora", 1, 0);
    sale(&pool, &aurora).await;
    receiver.answer([(500, None); 11]);
    for block in 1..=11 {
        contribute(&pool, &aurora, (block, 9), addr("alice"), ether("1"), ether("4000")).await;
        // Below what is final.
        applied(&pool, block, block, 0).await;
        if block <= 10 {
            receiver.wait(usize::try_from(block).unwrap()).await;
        }
    }
    // A sale and nine contributions wait or more; the rest was not even added.
    until("the gauge says what the list does", async || {
        let list = format!("{path}/deliveries?state=pending");
        let waiting = request(&process.app, "GET", &list, own.expose()).await.ok().rows().len();
        let metrics = get(&process.app, "/metrics").await.text;
        let agree = metrics.contains(&format!("crowdsale_webhook_pending_messages {waiting}\n"));
        (waiting >= 10 && agree).then_some(())
    })
    .await;
    // Sent after all, and then the rest of it is told.
    sqlx::query("UPDATE crowdsale_service.webhook_delivery SET next_at = now()").execute(&pool).await.unwrap();
    until("all of it arrived", async || {
        sqlx::query("UPDATE crowdsale_service.webhook_delivery SET next_at = now() WHERE state = 'pending'")
            .execute(&pool)
            .await
            .unwrap();
        let accepted = receiver.accepted();
        let observed = accepted.values().filter(|g| g.kind() == "contribution.observed").count();
        (observed == 11).then_some(())
    })
    .await;
    process.stop().await;
}
