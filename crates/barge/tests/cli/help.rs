//! Every help text, as a snapshot: what users read is reviewed like code.

use crate::support::Checkout;

#[test]
fn every_command_explains_itself() {
    let checkout = Checkout::new();
    let overview = checkout.barge(&["--help"]).exits(0).stdout;
    insta::assert_snapshot!("barge", overview);
    let listed = overview
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1);
    // A wrapped description goes on with more than two blanks.
    let lines = listed
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with("   "));
    let commands: Vec<_> = lines
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() > 8, "{commands:?}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        let help = checkout.barge(&[command, "--help"]).exits(0).stdout;
        insta::assert_snapshot!(command, help);
    }
}

#[test]
fn every_command_of_the_store_explains_itself() {
    let checkout = Checkout::new();
    for command in ["ls", "show", "rm", "gc", "fsck"] {
        let help = checkout
            .barge(&["store", command, "--help"])
            .exits(0)
            .stdout;
        // What all commands share stands in their own snapshots.
        let own = help.split("\nOutput:\n").next().unwrap_or_default();
        insta::assert_snapshot!(format!("store-{command}"), own);
    }
}

#[test]
fn completions_name_every_command() {
    let script = Checkout::new()
        .barge(&["completions", "bash"])
        .exits(0)
        .stdout;
    assert!(script.contains("barge__subcmd__verify") || script.contains("barge__verify"));
}
