//! The directory searched by names.

use sqlx::PgPool;

use crate::{pages::walk, support::*};

async fn names(app: &axum::Router, query: &str) -> Vec<String> {
    let answer = get(app, &format!("/v1/sales?{query}")).await.ok();
    answer.rows().iter().map(|r| r["name"].as_str().unwrap().to_owned()).collect()
}

/// Sales of another token than `TKN`, newest last.
async fn directory(pool: &PgPool) -> axum::Router {
    chain(pool, CHAIN).await;
    for (n, name) in ["Solar Öl 100%", "solar_farm", "Straße", "Ａｃｍｅ", "x"].into_iter().enumerate() {
        sale(pool, &Terms::new(name, 5 + i64::try_from(n).unwrap(), 0)).await;
    }
    sqlx::query(
        "UPDATE sale SET token = currency.address FROM currency WHERE sale.name = 'x' AND currency.symbol = 'USD'",
    )
    .execute(pool)
    .await
    .unwrap();
    tip(pool, CHAIN, 20, 0).await;
    app(pool)
}

#[sqlx::test(migrations = "./migrations")]
async fn a_sale_is_found_by_any_part_of_its_names(pool: PgPool) {
    let app = directory(&pool).await;
    let all = ["x", "Ａｃｍｅ", "Straße", "solar_farm", "Solar Öl 100%"];
    for (query, expected) in [
        ("q=sOLAR", &all[3..]),
        ("q=%C3%B6l", &all[4..]),
        ("q=%C3%96L", &all[4..]),
        // The same letter as two characters.
        ("q=O%CC%88l", &all[4..]),
        ("q=acme", &all[1..2]),
        ("q=%20farm+", &all[3..4]),
        // Wildcards of LIKE stand for themselves.
        ("q=%25", &all[4..]),
        ("q=r_f", &all[3..4]),
        ("q=a_", &[]),
        ("q=%5C", &[]),
        ("q='", &[]),
        // Symbols and names of tokens.
        ("q=tkn", &all[1..]),
        ("q=doll", &all[..1]),
        ("q=us", &all[..1]),
        ("q=usd%20dollar", &[]),
        ("q=solar&state=open", &all[3..]),
        ("q=solar&state=failed", &[]),
        ("q=solar&chain=31337", &all[3..]),
    ] {
        assert_eq!(names(&app, query).await, expected, "{query}");
    }
    assert_eq!(walk(&app, "/v1/sales?q=ol", 1).await.len(), 3);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_long_name_is_searched_at_its_beginning(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let name = format!("{}end{}", "é".repeat(253), "z".repeat(100_000));
    sale(&pool, &Terms::new(&name, 5, 0)).await;
    tip(&pool, CHAIN, 20, 0).await;
    let app = app(&pool);
    assert_eq!(names(&app, "q=END").await.len(), 1);
    assert_eq!(names(&app, "q=z").await.len(), 0);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_text_that_is_none_is_refused(pool: PgPool) {
    let app = directory(&pool).await;
    for wrong in ["", "%20%20", &"x".repeat(65), &"%C3%B6".repeat(65), "a%0Ab", "%7F"] {
        let answer = get(&app, &format!("/v1/sales?q={wrong}")).await;
        assert_eq!(answer.is_problem(422, "invalid_query").body["errors"][0]["pointer"], "/query/q", "{wrong}");
    }
    get(&app, &format!("/v1/sales?q={}", "%F0%9F%A6%80".repeat(64))).await.ok();
    for wrong in ["%ff", "%00", "%"] {
        get(&app, &format!("/v1/sales?q={wrong}")).await.is_problem(400, "malformed_query");
    }
    let page = get(&app, "/v1/sales?q=solar&limit=1").await.ok();
    let cursor = page.body["next_cursor"].as_str().unwrap();
    get(&app, &format!("/v1/sales?q=acme&cursor={cursor}")).await.is_problem(422, "cursor_mismatch");
}
