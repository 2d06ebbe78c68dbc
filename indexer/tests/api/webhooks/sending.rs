//! Messages on their way: tried again, given up, replayed, signed with every secret, held up by nobody.

use std::collections::BTreeSet;

use super::*;

#[sqlx::test(migrations = "./migrations")]
async fn a_message_is_tried_again_given_up_and_replayed(pool: PgPool) {
    let (process, own, receiver, path, secret) = one(&pool, quick()).await;
    let app = &process.app;
    receiver.answer([(500, None), (302, None), (429, Some("0"))]);
    let test = post(app, &format!("{path}/test"), own.expose(), "t", &json!({})).await;
    let id = test.body["data"]["id"].as_str().unwrap().to_owned();
    let dead = in_state(app, &path, own.expose(), "dead", 1).await;
    assert_eq!((&dead[0]["id"], &dead[0]["attempts"], &dead[0]["last_status"]), (&json!(id), &json!(3), &json!(429)));
    assert!(dead[0]["ended_at"].is_string() && dead[0]["next_attempt_at"].is_null());
    let one = format!("{path}/deliveries/{id}");
    let full = request(app, "GET", &one, own.expose()).await.ok();
    let attempts = full.body["attempts"].as_array().unwrap();
    let statuses: Vec<_> = attempts.iter().map(|a| a["status"].as_i64().unwrap()).collect();
    assert_eq!(statuses, [429, 302, 500]);
    assert_eq!(attempts[1]["error"], "redirects are not followed");
    let got = receiver.got();
    assert_eq!(got.len(), 3, "and no more");
    for got in &got {
        assert_eq!((got.id(), got.body.as_ref()), (id.as_str(), full.body["body"].as_str().unwrap().as_bytes()));
        assert!(got.is_signed_with(&secret), "signed anew for every attempt");
    }

    // One alone, with all its attempts before it; then all that are dead, in the list.
    receiver.answer([(503, None); 3]);
    let replay = format!("{one}/replay");
    assert_eq!(post(app, &replay, own.expose(), "r", &json!({})).await.ok().body["data"]["state"], "pending");
    until("it is dead again", async || {
        let dead = in_state(app, &path, own.expose(), "dead", 1).await;
        (dead[0]["attempts"] == 6).then_some(())
    })
    .await;
    assert_eq!(post(app, &replay, own.expose(), "r", &json!({})).await.header("idempotency-replayed"), "true");
    let later = json!({"since": "2999-01-01T00:00:00Z"});
    assert_eq!(post(app, &format!("{path}/replay"), own.expose(), "s", &later).await.ok().body["count"], 0);
    assert_eq!(post(app, &format!("{path}/replay"), own.expose(), "u", &json!({})).await.ok().body["count"], 1);
    let delivered = in_state(app, &path, own.expose(), "delivered", 1).await;
    assert_eq!((&delivered[0]["attempts"], &delivered[0]["last_status"]), (&json!(7), &json!(200)));
    assert_eq!(delivered[0]["last_error"], Value::Null);
    assert_eq!(receiver.accepted().len(), 1);
    process.stop().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_receiver_that_is_gone_is_left_until_its_owner_says_otherwise(pool: PgPool) {
    let (process, own, receiver, path, _) = one(&pool, quick()).await;
    let app = &process.app;
    let aurora = Terms::new("Aurora", 1, 0);
    sale(&pool, &aurora).await;
    receiver.answer([(410, None)]);
    applied(&pool, 0, 1, 0).await;
    in_state(app, &path, own.expose(), "dead", 1).await;
    let state = async || request(app, "GET", &path, own.expose()).await.ok().body["data"]["state"].clone();
    assert_eq!(state().await, "gone");
    let noted = "SELECT count(*) FROM crowdsale_service.audit WHERE act = 'webhook.disabled' AND actor = 'service'";
    assert_eq!(numbers(&pool, noted).await, 1);

    // What happens meanwhile waits in the outbox.
    contribute(&pool, &aurora, (11, 0), addr("alice"), ether("1"), ether("4000")).await;
    applied(&pool, 2, 11, 0).await;
    let other = Receiver::start().await;
    made(app, own.expose(), "other", json!({"url": other.url, "label": "other"})).await;
    contribute(&pool, &aurora, (12, 0), addr("bob"), ether("1"), ether("4000")).await;
    applied(&pool, 12, 12, 0).await;
    other.wait(1).await;
    assert_eq!((receiver.got().len(), numbers(&pool, DELIVERIES).await), (1, 2), "the other was told, this one not");
    patch(app, &path, own.expose(), "on", &json!({"enabled": true})).await.ok();
    assert_eq!(state().await, "enabled");
    let mut kinds: Vec<_> = receiver.wait(4).await[1..].iter().map(|g| g.kind()).collect();
    kinds.sort();
    assert_eq!(kinds, ["contribution.observed", "contribution.observed", "sale.finalized"]);
    process.stop().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn during_a_rotation_both_secrets_sign(pool: PgPool) {
    let (process, own, receiver, path, first) = one(&pool, quick()).await;
    let app = &process.app;
    let rotate = format!("{path}/rotate");
    let public = async || request(app, "GET", &path, own.expose()).await.ok().body["data"]["public_key"].clone();
    let test = async |name: &str| {
        let count = receiver.got().len();
        assert_eq!(post(app, &format!("{path}/test"), own.expose(), name, &json!({})).await.status, 201);
        receiver.wait(count + 1).await.pop().unwrap()
    };
    let first_key = public().await.as_str().unwrap().to_owned();
    let second = post(app, &rotate, own.expose(), "r1", &json!({"overlap_seconds": 600})).await;
    let second = second.body["secret"].as_str().unwrap().to_owned();
    let second_key = public().await.as_str().unwrap().to_owned();
    let got = test("t1").await;
    assert!(got.is_signed_with(&first) && got.is_signed_with(&second));
    assert!(got.is_signed_by(&first_key) && got.is_signed_by(&second_key));
    assert_eq!(got.headers["webhook-signature"].to_str().unwrap().split(' ').count(), 4);

    // The overlap is over.
    sqlx::query("UPDATE crowdsale_service.webhook_secret SET ends_at = now() WHERE ends_at IS NOT NULL")
        .execute(&pool)
        .await
        .unwrap();
    let got = test("t2").await;
    assert!(!got.is_signed_with(&first) && !got.is_signed_by(&first_key));
    assert!(got.is_signed_with(&second) && got.is_signed_by(&second_key));

    // At once, for one that has leaked. And three at most.
    let third = post(app, &rotate, own.expose(), "r2", &json!({"overlap_seconds": 0})).await;
    let got = test("t3").await;
    assert!(!got.is_signed_with(&second) && got.is_signed_with(third.body["secret"].as_str().unwrap()));
    assert_eq!(
        numbers(&pool, "SELECT count(*) FROM crowdsale_service.webhook_secret").await,
        1,
        "what has ended is forgotten"
    );
    for name in ["r3", "r4"] {
        assert_eq!(post(app, &rotate, own.expose(), name, &json!({})).await.status, 201);
    }
    post(app, &rotate, own.expose(), "r5", &json!({})).await.is_problem(409, "too_many_webhooks");
    assert_eq!(post(app, &rotate, own.expose(), "r6", &json!({"overlap_seconds": 0})).await.status, 201);

    // Sealed, and found by a rotation of the master key.
    let new = "6b".repeat(31) + "01";
    let both = crowdsale::seal::Sealer::new(new.parse().unwrap(), [("5a".repeat(31) + "01").parse().unwrap()]);
    let mut connection = pool.acquire().await.unwrap();
    let done = access::rewrap_all(&mut connection, &both, &Source::default()).await.unwrap();
    assert_eq!(done.changed, 0);
    let stale = "SELECT count(*) FROM crowdsale_service.webhook_secret WHERE substr(hmac_sealed, 2, 8) = substr(ed25519_sealed, 2, 8)
                 AND substr(hmac_sealed, 2, 8) = (SELECT substr(sealed, 2, 8) FROM crowdsale_service.secret)";
    assert_eq!(
        numbers(&pool, stale).await,
        numbers(&pool, "SELECT count(*) FROM crowdsale_service.webhook_secret").await
    );
    process.stop().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn one_that_never_answers_does_not_hold_up_another(pool: PgPool) {
    // It is waited for longer than this test runs, and takes as much as it gets.
    let options = Options { timeout: Duration::from_secs(600), each: 2, most: 4, ..quick() };
    let (process, own, receiver, _, _) = one(&pool, options).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let (path, _) = made(&process.app, own.expose(), "silent", json!({"url": url, "label": "silent"})).await;
    let aurora = Terms::new("Aurora", 1, 0);
    sale(&pool, &aurora).await;
    for log in 0..20 {
        contribute(&pool, &aurora, (2, log), addr("alice"), ether("1"), ether("4000")).await;
    }
    applied(&pool, 0, 2, 0).await;
    // Both of its places are taken before the other is told more.
    let (_one, _two) = (silent.accept().await.unwrap(), silent.accept().await.unwrap());
    contribute(&pool, &aurora, (3, 0), addr("bob"), ether("1"), ether("4000")).await;
    applied(&pool, 3, 3, 0).await;
    receiver.wait(22).await;
    let pending = request(&process.app, "GET", &format!("{path}/deliveries?state=pending"), own.expose()).await.ok();
    assert_eq!(pending.rows().len(), 22);
    process.shutdown.cancel();
}

#[sqlx::test(migrations = "./migrations")]
async fn several_processes_send_each_message_once(pool: PgPool) {
    let (process, _, receiver, _, _) = one(&pool, quick()).await;
    let others = [Process::start(&pool, quick()).await, Process::start(&pool, quick()).await];
    let aurora = Terms::new("Aurora", 1, 0);
    sale(&pool, &aurora).await;
    for block in 1..=20 {
        for log in 0..5 {
            contribute(&pool, &aurora, (block, 10 + log), addr("alice"), ether("1"), ether("4000")).await;
        }
        applied(&pool, block, block, 0).await;
    }
    // A sale, a hundred contributions, and those of twelve blocks that are final.
    let finalized = 1 + 12 * 5;
    until("all are noted", async || (noted_count(&pool).await == 101 + finalized).then_some(())).await;
    let got = receiver.got();
    let ids: BTreeSet<_> = got.iter().map(|g| g.id().to_owned()).collect();
    assert_eq!((got.len() as i64, ids.len() as i64), (101 + finalized, 101 + finalized));
    process.stop().await;
    for other in others {
        other.stop().await;
    }
}
