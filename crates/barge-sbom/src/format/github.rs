//! A snapshot for GitHub's dependency submission API (docs.github.com, "REST API endpoints for dependency submission"): one
//! manifest for each file of evidence.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Provenance, TOOL};
use crate::package::{Package, Sbom};

const HOME: &str = "https://github.com/barge-ci/barge";

/// The run that submits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The commit.
    pub sha: String,
    /// The full ref: `refs/heads/main`, `refs/pull/1/merge`.
    pub reference: String,
    /// The run's number.
    pub id: String,
    /// Groups snapshots: the latest of one correlator and detector counts.
    pub correlator: String,
    /// The run's page.
    pub html_url: Option<String>,
}

/// Writes a dependency snapshot.
#[must_use]
pub fn write(sbom: &Sbom, provenance: &Provenance, job: &Job) -> Vec<u8> {
    let needed: BTreeSet<&str> = sbom
        .packages
        .iter()
        .flat_map(|package| &package.depends_on)
        .map(String::as_str)
        .collect();
    let mut by_file: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for package in &sbom.packages {
        let file = package
            .evidence
            .first()
            .map_or("", |evidence| &evidence.path);
        let resolved = resolved(package, needed.contains(package.purl.as_str()));
        by_file
            .entry(file)
            .or_default()
            .insert(package.purl.clone(), resolved);
    }
    let manifests: Map<String, Value> = by_file
        .into_iter()
        .map(|(file, resolved)| {
            let name = format!("{}:/{file}", sbom.subject.name);
            let manifest = json!({
                "name": name,
                "file": {"source_location": file},
                "resolved": resolved,
            });
            (name, manifest)
        })
        .collect();
    let mut run = json!({"id": job.id, "correlator": job.correlator});
    if let (Some(address), Value::Object(run)) = (&job.html_url, &mut run) {
        run.insert("html_url".into(), json!(address));
    }
    let snapshot = json!({
        "version": 0,
        "sha": job.sha,
        "ref": job.reference,
        "job": run,
        "detector": {"name": TOOL, "version": provenance.tool_version, "url": HOME},
        "scanned": provenance.created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "manifests": manifests,
    });
    let mut bytes = serde_json::to_vec_pretty(&snapshot).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn resolved(package: &Package, is_needed: bool) -> Value {
    json!({
        "package_url": package.purl,
        "relationship": if is_needed { "indirect" } else { "direct" },
        "scope": "runtime",
        "dependencies": package.depends_on,
    })
}
