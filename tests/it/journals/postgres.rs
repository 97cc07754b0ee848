//! The dumps of PostgreSQL journals, imported into a real server: they load there with their chain, and each rotation folds.

use super::corpus;
use crate::live_postgres::Database;
use crate::store_suite::Place;
use changeguard::engine::rotation::Rotation;
use sqlx::AssertSqlSafe;

#[tokio::test]
#[ignore = "needs tests/live/run"]
async fn live_frozen_dumps_of_postgres_are_imported_and_load_with_their_chain() {
    let mut records = 0;
    for journal in corpus::journals("postgres") {
        let place = Database::new().await;
        let mut connection = place.connection(place.name()).await;
        sqlx::raw_sql(AssertSqlSafe(journal.dump.clone())).execute(&mut connection).await.unwrap();
        let store = place.open().await;
        for (rotation, entries) in super::verified(&journal.name, &store, &journal).await {
            records += entries.len();
            if !rotation.starts_with("lease-") {
                Rotation::fold(&entries).unwrap();
            }
        }
    }
    println!("{records} records");
    assert!(records > 250, "{records}");
}
