//! What Terraform and OpenTofu projects ask for: providers in `.terraform.lock.hcl` (developer.hashicorp.com, "Dependency
//! lock file"). Package URLs have no type for them.

use super::{Name, Recognizer};
use crate::finding::{Found, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] =
    &[Recognizer::new(&[Name::Is(".terraform.lock.hcl")], |file| {
        Ok(Says::Packages(providers(&file.text()?)))
    })
    .declared()];

/// `provider "HOST/NAMESPACE/NAME" {`, then `version = "1.0"`.
fn providers(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut provider = None;
    for line in text.lines().map(str::trim) {
        let mut quoted = line.split('"').skip(1);
        if line.starts_with("provider ") {
            provider = quoted.next();
        } else if line.starts_with("version ")
            && let (Some(name), Some(version)) = (provider.take(), quoted.next())
        {
            found.push(Found::new(PackageKind::Generic, name, version));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_providers() {
        let text = "provider \"registry.terraform.io/hashicorp/aws\" {\n  version     = \"5.31.0\"\n  constraints = \"~> 5.0\"\n}\n";
        let found = providers(text);
        assert_eq!(found[0].name, "registry.terraform.io/hashicorp/aws");
        assert_eq!(found[0].version, "5.31.0");
    }
}
