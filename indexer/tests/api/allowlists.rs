use alloy::primitives::U256;
use crowdsale::{
    gates::{allowlist::Allowlist, eligibility::MaxPaid},
    serve::{self, ServeOptions},
};
use sqlx::PgPool;

use crate::support::{addr, get, state};

fn list(names: &[&str]) -> Allowlist {
    let limit = MaxPaid::new((U256::ONE << 120) - U256::ONE).unwrap();
    Allowlist::new(18, names.iter().map(|name| (addr(name), limit)).collect()).unwrap()
}

#[sqlx::test]
async fn members_get_their_proof(pool: PgPool) {
    let (three, one) = (list(&["ann", "bob", "cem"]), list(&["ann"]));
    let app = serve::app(
        state(&pool).with_allowlists([three.clone(), one.clone()].into_iter().collect()),
        ServeOptions::default(),
    );
    // Nothing is indexed: a list needs no chain.
    let answer = get(&app, &format!("/v1/allowlists/{}/{}", three.root(), addr("bob"))).await.ok();
    let member = three.find(addr("bob")).unwrap();
    assert_eq!(
        answer.body,
        serde_json::json!({
            "root": three.root(),
            "investor": addr("bob").to_string(),
            "max_paid": "1329227995784915872903807060280344575",
            "proof": member.proof,
            "eligibility": member.eligibility(),
        })
    );
    assert_eq!(answer.header("cache-control"), "public, max-age=86400, immutable");
    let alone = get(&app, &format!("/v1/allowlists/{}/{}", one.root(), addr("ann"))).await.ok();
    assert_eq!(alone.body["proof"], serde_json::json!([]));
}

#[sqlx::test]
async fn strangers_and_unknown_lists_are_told_apart(pool: PgPool) {
    let list = list(&["ann", "bob"]);
    let root = list.root();
    let app = serve::app(state(&pool).with_allowlists([list].into_iter().collect()), ServeOptions::default());
    let path = |root: &str, investor: &str| format!("/v1/allowlists/{root}/{investor}");
    let (root, ann) = (root.to_string(), addr("ann").to_string());
    let other = "0x".to_owned() + &"11".repeat(32);
    let unknown = get(&app, &path(&other, &ann)).await;
    unknown.is_problem(404, "allowlist_not_found");
    assert!(unknown.body["detail"].as_str().unwrap().contains(&other), "{unknown:?}");
    let stranger = get(&app, &path(&root, &addr("dan").to_string())).await;
    stranger.is_problem(404, "investor_not_listed");
    assert!(stranger.body["detail"].as_str().unwrap().contains(&addr("dan").to_string()), "{stranger:?}");

    let wrong = get(&app, &path("0x12", "0x34")).await;
    wrong.is_problem(422, "invalid_path");
    assert_eq!(wrong.body["errors"].as_array().unwrap().len(), 2, "{wrong:?}");
    get(&app, &path(&root[2..], &ann)).await.is_problem(422, "invalid_path");
    get(&app, &(path(&root, &ann) + "?min_block=1")).await.is_problem(422, "invalid_query");
    let without = serve::app(state(&pool), ServeOptions::default());
    get(&without, &path(&root, &ann)).await.is_problem(404, "allowlist_not_found");
}
