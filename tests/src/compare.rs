//! Two databases that must say the same.

use std::{collections::BTreeMap, fmt};

use crate::Database;

/// Rows that only one of two databases has.
#[derive(Debug)]
pub struct Difference {
    table: String,
    left: Vec<String>,
    right: Vec<String>,
}

/// Rows that are shown of a difference.
const SHOWN: usize = 4;

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} rows too many, {} missing", self.table, self.left.len(), self.right.len())?;
        for (sign, rows) in [('+', &self.left), ('-', &self.right)] {
            for row in rows.iter().take(SHOWN) {
                writeln!(f, "  {sign} {row}")?;
            }
        }
        Ok(())
    }
}

/// Every row of every table that has a chain, whatever columns it has, but for those that hold the time of day. What tells of the
/// way there, and not of where it led, differs by right.
async fn rows(database: &Database) -> BTreeMap<String, Vec<String>> {
    let tables = database
        .texts(
            "SELECT concat_ws(' ', c.table_name, string_agg(c.column_name::text, ' ')
                    FILTER (WHERE c.data_type LIKE 'timestamp%'))
             FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
             WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND t.table_name NOT IN ('_sqlx_migrations', 'outbox', 'reverted_event')
             GROUP BY c.table_name ORDER BY c.table_name",
        )
        .await;
    let mut all = BTreeMap::new();
    for line in tables {
        let mut words = line.split(' ');
        let table = words.next().expect("a table").to_owned();
        let clocks: Vec<String> = words.map(|w| format!("'{w}'")).collect();
        let all_rows = "true";
        // A block without events is dropped once it is final, with the next batch: when that is depends on the batches.
        let kept = "has_events OR number >= (SELECT finalized_number FROM checkpoint c WHERE c.chain_id = t.chain_id)";
        let which = if table == "block" { kept } else { all_rows };
        let columns = format!("to_jsonb(t) - ARRAY[{}]::text[]", clocks.join(","));
        let query = format!("SELECT ({columns})::text FROM {table} t WHERE {which}");
        let mut found = database.texts(&query).await;
        found.sort_unstable();
        all.insert(table, found);
    }
    all
}

/// What `left` has and `right` has not, and the reverse, table by table.
pub async fn compare(left: &Database, right: &Database) -> Vec<Difference> {
    let (left, right) = (rows(left).await, rows(right).await);
    assert!(left.contains_key("contribution") && left.contains_key("checkpoint"), "the schema is there");
    let mut differences = Vec::new();
    for table in left.keys().chain(right.keys().filter(|t| !left.contains_key(*t))) {
        let of = |side: &BTreeMap<String, Vec<String>>| side.get(table).cloned().unwrap_or_default();
        let (l, r) = (of(&left), of(&right));
        if l != r {
            differences.push(Difference { table: table.clone(), left: without(&l, &r), right: without(&r, &l) });
        }
    }
    differences
}

/// What `rows` has beyond `others`, both sorted; a row that is there twice counts twice.
fn without(rows: &[String], others: &[String]) -> Vec<String> {
    let mut counts = BTreeMap::<&str, usize>::new();
    for other in others {
        *counts.entry(other).or_default() += 1;
    }
    rows.iter()
        .filter(|row| match counts.get_mut(row.as_str()) {
            Some(n) if *n > 0 => {
                *n -= 1;
                false
            }
            _ => true,
        })
        .cloned()
        .collect()
}
