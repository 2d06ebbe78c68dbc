//! The commands that make keys and rotate secrets, by the real binary, beside a service that goes on.

use std::process::Command;

use axum::body::Body;
use crowdsale::{
    api::auth::Service,
    seal::Sealer,
    serve::{self, ServeOptions},
};
use serde_json::Value;
use sqlx::{ConnectOptions as _, PgPool};

use crate::{keys::with, support::*};

struct Ran {
    ok: bool,
    out: String,
    err: String,
}

impl Ran {
    #[track_caller]
    fn json(&self) -> Value {
        assert!(self.ok, "{}{}", self.out, self.err);
        serde_json::from_str(&self.out).unwrap()
    }
}

async fn run(pool: &PgPool, keys: &[(&str, &str)], args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crowdsale"));
    command.args(args).env_clear().env("CROWDSALE_DATABASE_URL", pool.connect_options().to_url_lossy().as_str());
    command.envs(keys.iter().copied());
    // Not on this thread: the database is asked on it too.
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Ran { ok: output.status.success(), out: text(&output.stdout), err: text(&output.stderr) }
}

fn served(pool: &PgPool, sealer: Sealer) -> axum::Router {
    serve::app(state(pool).with_service(Service::new(pool.clone(), sealer)), ServeOptions::default())
}

#[sqlx::test(migrations = "./migrations")]
async fn a_master_key_is_replaced_while_a_service_runs(pool: PgPool) {
    let fresh = run(&pool, &[], &["secrets", "new-key"]).await;
    assert_eq!((fresh.ok, fresh.out.trim().len()), (true, 44), "{}", fresh.err);
    assert!(!fresh.err.contains(fresh.out.trim()));
    let (old, new) =
        (fresh.out.trim().to_owned(), run(&pool, &[], &["secrets", "new-key"]).await.out.trim().to_owned());
    let (with_old, with_new) = ([("CROWDSALE_MASTER_KEY", old.as_str())], [("CROWDSALE_MASTER_KEY", new.as_str())]);
    let both = [with_new[0], ("CROWDSALE_MASTER_KEY_OLD", old.as_str())];

    let create = ["keys", "create", "first", "--scope", "keys:admin", "--expires-in", "90d", "--network", "127.0.0.1"];
    let without = run(&pool, &[], &create).await;
    assert!(
        !without.ok && without.err.contains("error: no master key") && without.err.contains("\nhint: "),
        "{}",
        without.err
    );
    let made = run(&pool, &with_old, &["--json", "keys", "create", "first", "--scope", "keys:admin"]).await.json();
    let secret = made["secret"].as_str().unwrap();
    let id = made["key"]["id"].as_str().unwrap();
    let list = |app: axum::Router| async move {
        send(&app, with("GET", "/v1/keys", secret).body(Body::empty()).unwrap()).await
    };
    let during = served(&pool, Sealer::new(new.parse().unwrap(), [old.parse().unwrap()]));
    list(during.clone()).await.ok();

    // The two in each other's place: nothing is done, and that is said.
    let swapped = [("CROWDSALE_MASTER_KEY", old.as_str()), ("CROWDSALE_MASTER_KEY_OLD", new.as_str())];
    let nothing = run(&pool, &swapped, &["secrets", "rotate"]).await;
    assert!(nothing.ok && nothing.err.contains("give it as CROWDSALE_MASTER_KEY_OLD"), "{}", nothing.err);
    for (keys, found) in [
        (&with_old[..], "which opens what is sealed"),
        (&both, "which opens what is sealed"),
        (&with_new, "was sealed with master key"),
        (&[], "master key  none was given"),
    ] {
        let doctor = run(&pool, keys, &["doctor"]).await;
        assert!(doctor.out.contains(found), "{found}: {}", doctor.out);
    }

    let rotated = run(&pool, &both, &["--json", "secrets", "rotate"]).await.json();
    assert_eq!(rotated["rewrapped"], 1);
    assert_eq!(run(&pool, &both, &["--json", "secrets", "rotate"]).await.json()["rewrapped"], 0);
    list(during).await.ok();
    list(served(&pool, Sealer::new(new.parse().unwrap(), []))).await.ok();
    list(served(&pool, Sealer::new(old.parse().unwrap(), []))).await.is_problem(500, "internal");
    let refused = run(&pool, &with_old, &create).await;
    assert!(
        refused.err.contains("sealed with master key") && refused.err.contains("CROWDSALE_MASTER_KEY_OLD"),
        "{}",
        refused.err
    );

    let shown = run(&pool, &[], &["keys", "list"]).await;
    assert!(shown.ok && shown.out.contains(id) && !shown.out.contains(&secret[24..]), "{}", shown.out);
    let next = run(&pool, &with_new, &["--json", "keys", "rotate", id, "--grace", "0"]).await.json();
    assert_ne!(next["secret"], made["secret"]);
    let next_id = next["key"]["id"].as_str().unwrap();
    assert_eq!(run(&pool, &[], &["--json", "keys", "revoke", next_id]).await.json()["state"], "revoked");
    let none = run(&pool, &[], &["keys", "revoke", "key_nothing"]).await;
    assert!(
        !none.ok
            && none.err.contains("there is no key key_nothing")
            && none.err.contains("hint: `crowdsale keys list`"),
        "{}",
        none.err
    );
    let wrong = run(&pool, &with_new, &["keys", "create", " ", "--scope", "sales:read"]).await;
    assert!(!wrong.ok && wrong.err.contains("no key with this label"), "{}", wrong.err);

    let whole = run(&pool, &[], &["--json", "audit", "verify"]).await.json();
    let noted = format!("{}:{}", whole["rows"], whole["head"].as_str().unwrap());
    assert!(run(&pool, &[], &["audit", "verify", "--noted", &noted]).await.ok);
    let acts = run(&pool, &[], &["--json", "audit", "list", "--limit", "3"]).await.json();
    let acts: Vec<_> = acts["acts"].as_array().unwrap().iter().map(|a| a["act"].as_str().unwrap()).collect();
    assert_eq!(acts, ["secrets.rotated", "key.rotated", "key.revoked"]);
    sqlx::raw_sql(
        "ALTER TABLE crowdsale_service.audit DISABLE TRIGGER audit_append_only;
         DELETE FROM crowdsale_service.audit WHERE id = (SELECT max(id) FROM crowdsale_service.audit)",
    )
    .execute(&pool)
    .await
    .unwrap();
    assert!(run(&pool, &[], &["audit", "verify"]).await.ok, "what is cut off cannot be seen");
    let cut = run(&pool, &[], &["audit", "verify", "--noted", &noted]).await;
    assert!(!cut.ok && cut.err.contains("is not the one that was noted"), "{}", cut.err);
}
