//! The files that an event touched, by the history that the checkout has.

use barge_ci::{Changes, Event, Git};

/// Asks git for the files between what was there before and what the event brings. A shallow clone lacks what was before:
/// then they are not known, and the answer says what would help.
pub(crate) fn changes(git: &dyn Git, event: &Event) -> Changes {
    let Some(range) = range(event) else {
        return Changes::Unknown("the event does not say what was there before".into());
    };
    // Names as they are, each with a NUL behind it; a file that moved is one that went and one that came.
    let arguments = ["diff", "--name-only", "--no-renames", "-z", &range, "--"];
    match git.run(&arguments) {
        Ok(names) => {
            let names = names.split('\0').filter(|name| !name.is_empty());
            Changes::Known(names.map(str::to_owned).collect())
        }
        Err(error) => {
            tracing::debug!(%error, "git does not know the changed files");
            Changes::Unknown(format!(
                "the checkout lacks `{range}`; a deeper one (`fetch-depth`) has it"
            ))
        }
    }
}

fn range(event: &Event) -> Option<String> {
    let (commit, head) = (&event.commit, &event.head);
    match (&event.pull_request, &event.previous) {
        // The first parent of a trial merge is the branch that it goes to.
        (Some(_), _) if event.is_merge_commit() => Some(format!("{commit}^1..{commit}")),
        (Some(change), _) => {
            let base = change.base_branch.as_ref()?;
            Some(format!("refs/remotes/origin/{base}...{head}"))
        }
        (None, Some(previous)) => Some(format!("{previous}..{commit}")),
        (None, None) => None,
    }
}
