//! The OSV reader and the compiler of the index: any bytes give a record or a reason, and any record an index.
#![no_main]

use barge_vuln::{Builder, Database, Record};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(record) = Record::parse(bytes) else {
        return;
    };
    let mut builder = Builder::new();
    builder.add(&record).expect("one record fits");
    let index = builder.finish().expect("one record fits");
    let database = Database::from_bytes(index).expect("what was written can be read");
    database.verify().expect("what was written has its digests");
    assert!(
        database
            .find(&record.id)
            .expect("an index is whole")
            .is_some()
    );
});
