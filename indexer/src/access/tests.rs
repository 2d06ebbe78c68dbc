use secrecy::{ExposeSecret as _, SecretSlice};
use sqlx::{PgPool, Row as _};

use super::*;
use crate::{
    db::service::{audit, keys, sealed},
    seal::{Place, Sealer},
};

fn sealer(current: u8, old: &[u8]) -> Sealer {
    let key = |n: &u8| format!("{n:02x}{}", "5a".repeat(31)).parse().unwrap();
    Sealer::new(key(&current), old.iter().map(key))
}

fn source() -> Source {
    Source { actor: "operator:alice".into(), ..Source::default() }
}

fn terms(scopes: &[Scope]) -> KeyTerms {
    KeyTerms {
        label: "exchange".into(),
        mode: Mode::Live,
        scopes: scopes.to_vec(),
        networks: vec!["10.1.2.3/8".parse().unwrap()],
        expires_in_seconds: Some(3600),
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_key_is_found_by_its_prefix_and_is_nowhere_in_the_database(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let pepper = pepper(&mut connection, &sealer(1, &[])).await.unwrap();
    let scopes = [Scope::OrdersWrite, Scope::SalesRead, Scope::SalesRead];
    let Created { key, row } = create(&mut connection, &pepper, &terms(&scopes), &source()).await.unwrap();
    assert_eq!(
        (row.scopes.join(" ").as_str(), row.networks.join(" ").as_str()),
        ("sales:read orders:write", "10.0.0.0/8")
    );
    let (found, hash) = keys::find_by_prefix(&mut connection, key.prefix()).await.unwrap().unwrap();
    assert_eq!(found, row);
    assert!(pepper.verify(&key, &hash));
    let other = ApiKey::generate(Mode::Live, Kind::Secret).unwrap();
    assert!(!pepper.verify(&other, &hash) && !pepper.verify(&key, &hash[1..]));
    for table in ["api_key", "audit", "secret"] {
        let sql = format!("SELECT coalesce(string_agg(t::text, ' '), '') FROM crowdsale_service.{table} t");
        let text: String = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&pool).await.unwrap();
        assert!(!text.is_empty() && !text.contains(&key.expose()[24..40]), "{table}");
    }
    // The pepper is made once, and goes with whoever has the master key alone.
    let again = super::pepper(&mut connection, &sealer(2, &[1])).await.unwrap();
    assert!(again.verify(&key, &hash));
    assert!(matches!(super::pepper(&mut connection, &sealer(2, &[])).await, Err(AccessError::Seal { .. })));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_rotated_key_goes_on_for_its_grace_and_a_revoked_one_ends(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let pepper = pepper(&mut connection, &sealer(1, &[])).await.unwrap();
    let old = create(&mut connection, &pepper, &terms(&[Scope::SalesRead]), &source()).await.unwrap().row;
    let new = rotate(&mut connection, &pepper, &old.id, 600, &source()).await.unwrap().row;
    assert_eq!(
        (&new.label, &new.scopes, &new.networks, new.expires_at),
        (&old.label, &old.scopes, &old.networks, old.expires_at)
    );
    let replaced = keys::find(&mut connection, &old.id).await.unwrap().unwrap();
    assert!(replaced.is_active() && replaced.expires_at < old.expires_at);
    let error = rotate(&mut connection, &pepper, &old.id, 600, &source()).await.unwrap_err();
    assert!(matches!(error, AccessError::Key(KeyError::Replaced { by, .. }) if by == new.id));
    // Without grace it ends at once.
    let third = rotate(&mut connection, &pepper, &new.id, 0, &source()).await.unwrap().row;
    assert_eq!(keys::find(&mut connection, &new.id).await.unwrap().unwrap().state, "expired");

    let revoked = revoke(&mut connection, &third.id, &source()).await.unwrap();
    assert_eq!(revoked.state, "revoked");
    assert_eq!(revoke(&mut connection, &third.id, &source()).await.unwrap(), revoked, "twice is once");
    let error = rotate(&mut connection, &pepper, &third.id, 600, &source()).await.unwrap_err();
    assert!(matches!(error, AccessError::Key(KeyError::NotActive { .. })));
    let error = revoke(&mut connection, "key_x", &source()).await.unwrap_err();
    assert!(matches!(error, AccessError::Key(KeyError::Unknown(_))));

    let acts: Vec<_> = audit::list(&mut connection, 0, 100).await.unwrap().into_iter().map(|r| r.act).collect();
    assert_eq!(acts, ["key.created", "key.rotated", "key.rotated", "key.revoked"]);
}

#[test]
fn terms_have_limits() {
    let faults = |change: fn(&mut KeyTerms)| {
        let mut terms = terms(&[Scope::SalesRead]);
        change(&mut terms);
        terms.faults().into_iter().map(|(field, _)| field).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(faults(|_| ()), "");
    assert_eq!(faults(|t| t.label = " ".into()), "label");
    assert_eq!(faults(|t| t.label = "é".repeat(101)), "label");
    assert_eq!(faults(|t| t.label = "a\u{202e}b".into()), "label");
    assert_eq!(faults(|t| t.label = "a\0b".into()), "label");
    assert_eq!(faults(|t| t.scopes.clear()), "scopes");
    assert_eq!(faults(|t| t.networks = vec!["::/0".parse().unwrap(); 33]), "networks");
    assert_eq!(faults(|t| t.expires_in_seconds = Some(59)), "expires_in_seconds");
    assert_eq!(
        faults(|t| (t.label, t.expires_in_seconds) = (String::new(), Some(i64::MAX))),
        "label expires_in_seconds"
    );
}

/// Runs SQL as somebody who owns the tables and means ill.
async fn tamper(pool: &PgPool, sql: &'static str) {
    let switch = |on| if on { "ENABLE ALWAYS" } else { "DISABLE" };
    for on in [false, true] {
        if on {
            sqlx::raw_sql(sql).execute(pool).await.unwrap();
        }
        for trigger in ["audit_append_only", "audit_chained"] {
            let sql = format!("ALTER TABLE crowdsale_service.audit {} TRIGGER {trigger}", switch(on));
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(pool).await.unwrap();
        }
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn the_log_is_append_only_and_tells_what_was_done_to_it(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    for n in 0..5 {
        let detail = (n % 2 == 0).then(|| format!("no. {n}, with ünïcode: 1:x,"));
        audit::append(&mut connection, &source().did("key.created", &format!("key_{n}"), detail)).await.unwrap();
    }
    for sql in [
        "UPDATE crowdsale_service.audit SET actor = 'nobody' WHERE id = 2",
        "DELETE FROM crowdsale_service.audit WHERE id = 5",
        "TRUNCATE crowdsale_service.audit",
        "SET session_replication_role = replica; DELETE FROM crowdsale_service.audit",
    ] {
        let error = sqlx::raw_sql(sql).execute(&pool).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{sql}: {error}");
    }
    // What is given for a hash or a place is not taken.
    sqlx::query(
        "INSERT INTO crowdsale_service.audit (id, at, actor, act, subject, previous, hash)
         VALUES (99, '2001-01-01', 'x', 'y', 'z', sha256('a'), sha256('b'))",
    )
    .execute(&pool)
    .await
    .unwrap();
    let whole = verify(&mut connection, None).await.unwrap().unwrap();
    assert_eq!(whole.rows, 6);
    let noted = Some((6, &whole.head[..]));
    assert!(verify(&mut connection, noted).await.unwrap().is_ok());

    let backup = "CREATE TABLE backup AS SELECT * FROM crowdsale_service.audit";
    let restore = "DELETE FROM crowdsale_service.audit; INSERT INTO crowdsale_service.audit SELECT * FROM backup";
    sqlx::query(backup).execute(&pool).await.unwrap();
    for (sql, fault) in [
        ("UPDATE crowdsale_service.audit SET actor = 'operator:bob' WHERE id = 2", AuditFault::Changed(2)),
        ("UPDATE crowdsale_service.audit SET detail = NULL WHERE id = 3", AuditFault::Changed(3)),
        ("UPDATE crowdsale_service.audit SET at = at + interval '1 us' WHERE id = 1", AuditFault::Changed(1)),
        ("DELETE FROM crowdsale_service.audit WHERE id IN (3, 4)", AuditFault::Missing { from: 3, to: 4 }),
        ("DELETE FROM crowdsale_service.audit WHERE id = 1", AuditFault::Missing { from: 1, to: 1 }),
        ("DELETE FROM crowdsale_service.audit WHERE id = 6", AuditFault::NotAsNoted(6)),
        (
            "UPDATE crowdsale_service.audit SET id = -id WHERE id IN (2, 3); UPDATE crowdsale_service.audit SET id = 5 + id WHERE id < 0",
            AuditFault::Parted(2),
        ),
    ] {
        tamper(&pool, sql).await;
        assert_eq!(verify(&mut connection, noted).await.unwrap(), Err(fault), "{sql}");
        tamper(&pool, restore).await;
        assert!(verify(&mut connection, noted).await.unwrap().is_ok(), "restored");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn acts_at_the_same_moment_stand_one_after_the_other(pool: PgPool) {
    let acts = (0..40).map(|n| {
        let pool = pool.clone();
        async move {
            let mut transaction = pool.begin().await.unwrap();
            audit::append(&mut transaction, &source().did("key.created", &n.to_string(), None)).await.unwrap();
            transaction.commit().await.unwrap();
        }
    });
    futures::future::join_all(acts).await;
    let mut connection = pool.acquire().await.unwrap();
    assert_eq!(verify(&mut connection, None).await.unwrap().unwrap().rows, 40);
    for _ in 0..3 {
        audit::append_rarely(&mut connection, &source().did("key.refused", "key_1", None)).await.unwrap();
    }
    assert_eq!(audit::last(&mut connection).await.unwrap(), 41);
}

#[sqlx::test(migrations = "./migrations")]
async fn every_sealed_value_is_wrapped_anew_whatever_table_it_is_in(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let old = sealer(1, &[]);
    // As a colleague's table would be, with keys whose text is not in their order.
    sqlx::raw_sql("CREATE TABLE crowdsale_service.extra (id bigint PRIMARY KEY, note_sealed bytea, other bytea)")
        .execute(&pool)
        .await
        .unwrap();
    for id in 1..=1203_i64 {
        let place = Place { table: "extra", column: "note_sealed", row: &id.to_string() };
        let value = old.seal(&SecretSlice::from(id.to_string().into_bytes()), place).unwrap();
        let sealed = (id % 3 != 0).then_some(value);
        sqlx::query("INSERT INTO crowdsale_service.extra VALUES ($1, $2, 'x')")
            .bind(id)
            .bind(sealed)
            .execute(&pool)
            .await
            .unwrap();
    }
    pepper(&mut connection, &old).await.unwrap();
    let both = sealer(2, &[1]);
    let done = rewrap_all(&mut connection, &both, &source()).await.unwrap();
    let columns = crate::db::service::sealed::columns(&mut connection).await.unwrap().len();
    assert!(columns > 3, "this one's, and those of tables that hold nothing yet: {columns}");
    assert_eq!(done, Rewrapped { columns, rewrapped: 802 + 1, changed: 0 });
    assert_eq!(rewrap_all(&mut connection, &both, &source()).await.unwrap().rewrapped, 0, "nothing is left to do");
    // From now on the new key is enough.
    let new = sealer(2, &[]);
    pepper(&mut connection, &new).await.unwrap();
    let rows = sqlx::query("SELECT id, note_sealed FROM crowdsale_service.extra WHERE note_sealed IS NOT NULL")
        .fetch_all(&pool)
        .await
        .unwrap();
    for row in rows {
        let (id, sealed): (i64, Vec<u8>) = (row.get(0), row.get(1));
        let place = Place { table: "extra", column: "note_sealed", row: &id.to_string() };
        assert_eq!(new.open(&sealed, place).unwrap().expose_secret(), id.to_string().as_bytes());
    }
    // One that does not open is named, and what came before it stays done.
    sqlx::raw_sql(
        "UPDATE crowdsale_service.extra SET note_sealed = set_byte(note_sealed, 40, get_byte(note_sealed, 40) # 1) WHERE id = 1000",
    )
    .execute(&pool)
    .await
    .unwrap();
    let error = rewrap_all(&mut connection, &sealer(3, &[2]), &source()).await.unwrap_err();
    assert!(error.to_string().contains("extra 1000"), "{error}");
    let columns = sealed::columns(&mut connection).await.unwrap();
    let extra = columns.iter().find(|c| c.table == "extra").unwrap();
    let left = sealed::batch(&mut connection, extra, sealer(3, &[]).current().as_bytes(), None, 5000).await.unwrap();
    assert!(left.len() < 802 && left.iter().any(|(key, _)| key == "1000"));
}

#[sqlx::test(migrations = "./migrations")]
async fn columns_of_sealed_values_are_all_ones_that_can_be_wrapped_anew(pool: PgPool) {
    let odd: Vec<String> = sqlx::query_scalar(
        "SELECT table_name || '.' || column_name FROM crowdsale_service.sealed_columns() c
         WHERE key_column IS NULL OR NOT EXISTS (
             SELECT FROM information_schema.columns i WHERE i.table_schema = 'crowdsale_service'
                 AND i.table_name = c.table_name AND i.column_name = c.column_name AND i.data_type = 'bytea')",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert!(odd.is_empty(), "sealed columns are bytea, in tables whose primary key is one column: {odd:?}");
}

#[sqlx::test(migrations = "./migrations")]
async fn another_set_of_indexed_tables_leaves_all_of_this_as_it_is(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let pepper = pepper(&mut connection, &sealer(1, &[])).await.unwrap();
    let made = create(&mut connection, &pepper, &terms(&[Scope::SalesRead]), &source()).await.unwrap();
    // As `--reindex` makes them: every migration once more, in another schema.
    sqlx::raw_sql("CREATE SCHEMA crowdsale_next; SET search_path = crowdsale_next")
        .execute(&mut *connection)
        .await
        .unwrap();
    crate::db::MIGRATIONS.run(&mut *connection).await.unwrap();
    assert_eq!(keys::find(&mut connection, &made.row.id).await.unwrap().as_ref(), Some(&made.row));
    assert_eq!(verify(&mut connection, None).await.unwrap().unwrap().rows, 1);
    let refused = sqlx::query("DELETE FROM crowdsale_service.audit").execute(&mut *connection).await;
    assert!(refused.is_err(), "the triggers are still there");
    // And the one that is dropped takes nothing along.
    sqlx::raw_sql("RESET search_path; DROP SCHEMA crowdsale_next CASCADE").execute(&mut *connection).await.unwrap();
    audit::append(&mut connection, &source().did("key.created", "after", None)).await.unwrap();
    assert_eq!(verify(&mut connection, None).await.unwrap().unwrap().rows, 2);
}
