//! Names that images have while a load takes theirs: `localhost/barge-moved:ID-PLACE-PROCESS`.
//!
//! A load that is killed cannot take them back. The next one does, of processes that are gone; those of other machines and
//! containers, which PLACE tells apart, cannot be seen from here and are left to these.

use std::fs;
use std::path::Path;

use barge_image::{Digest, Reference};

const REPOSITORY: &str = "localhost/barge-moved";

/// The name of an image that loses one to this process; none, should it not be one.
pub(super) fn name(id: &Digest) -> Option<Reference> {
    let (place, process) = (place(), std::process::id());
    let name = format!("{REPOSITORY}:{}-{place}-{process}", id.short());
    name.parse().ok()
}

/// Those of an engine's names that processes of this place made which are gone.
pub(super) fn left_behind(held: Vec<Reference>) -> Vec<Reference> {
    let place = place();
    // Where there is no /proc, every process may be alive.
    let processes = Path::new("/proc");
    let is_gone =
        |process: &str| processes.join("self").exists() && !processes.join(process).exists();
    let mut left = held;
    left.retain(|reference| {
        let process = process_of(reference, &place);
        process.is_some_and(|process| is_gone(&process))
    });
    left
}

/// The process that gave this name, if one of this place did.
fn process_of(reference: &Reference, place: &str) -> Option<String> {
    if reference.name().to_string() != REPOSITORY {
        return None;
    }
    let mut parts = reference.tag()?.as_str().splitn(3, '-').skip(1);
    let is_here = parts.next()? == place;
    let process = parts.next().filter(|_| is_here)?;
    process.parse::<u32>().ok().map(|id| id.to_string())
}

/// Where process numbers mean the same: this boot of this machine, within one container.
fn place() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let space = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    Digest::of(format!("{boot}{}", space.display()).as_bytes()).short()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_dead_processes_of_this_place_left_is_removed() {
        let (id, place) = (Digest::of(b"image"), place());
        let mut dead = std::process::Command::new("true").spawn().unwrap();
        dead.wait().unwrap();
        let of = |place: &str, process: u32| -> Reference {
            let name = format!("{REPOSITORY}:{}-{place}-{process}", id.short());
            name.parse().unwrap()
        };
        let left = of(&place, dead.id());
        let held = vec![
            name(&id).unwrap(),
            of("another", dead.id()),
            "localhost/other:1".parse().unwrap(),
            format!("{REPOSITORY}:1").parse().unwrap(),
            left.clone(),
        ];
        assert_eq!(left_behind(held), [left]);
    }
}
