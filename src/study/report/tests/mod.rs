mod coverage;
mod crossed;
mod edges;
mod look;
mod page;
mod published;
mod simulated;

use super::{Study, report, write};
use std::collections::BTreeMap;

/// Every file of a study's report.
fn files(study: &Study) -> BTreeMap<String, String> {
    let found = report(study).unwrap();
    let mut files = BTreeMap::new();
    let names = write(&found, study, &mut |name, bytes| {
        files.insert(name.to_owned(), String::from_utf8(bytes.to_vec()).unwrap());
        Ok(())
    });
    assert_eq!(names.unwrap().len(), files.len());
    files
}
