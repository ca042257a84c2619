//! Builders that run beside a daemon, in containers of their own, and keep what they build to themselves.

use hyper::Method;
use serde::Deserialize;

use super::client::{Docker, query};

/// What buildx calls the container of a builder's node, before the node's name.
const PREFIX: &str = "/buildx_buildkit_";

#[derive(Deserialize)]
struct Container {
    #[serde(rename = "Names")]
    names: Vec<String>,
}

impl Docker {
    /// The builders whose containers the daemon holds, running or not. None where it does not tell: this only helps to explain.
    pub(super) async fn builders(&self) -> Vec<String> {
        let filters = query(r#"{"name":["buildx_buildkit_"]}"#);
        let path = format!("/containers/json?all=1&filters={filters}");
        let call = self.call(Method::GET, &path, "list its containers");
        let containers = self.json::<Vec<Container>>(&call).await;
        let containers = containers.unwrap_or_else(|error| {
            tracing::debug!(%error, "the daemon's builders are not known");
            Vec::new()
        });
        let names = containers.iter().flat_map(|container| &container.names);
        names.filter_map(|name| builder(name)).collect()
    }
}

/// A node is called as its builder, and its place among the nodes.
fn builder(container: &str) -> Option<String> {
    let node = container.strip_prefix(PREFIX)?;
    Some(node.strip_suffix('0').unwrap_or(node).to_owned())
}

#[cfg(test)]
mod tests {
    use super::builder;

    #[test]
    fn names_the_builder_of_a_container() {
        assert_eq!(
            builder("/buildx_buildkit_builder-1f100").as_deref(),
            Some("builder-1f10")
        );
        assert_eq!(builder("/buildx_buildkit_ci1").as_deref(), Some("ci1"));
        assert_eq!(builder("/other"), None);
    }
}
