//! What a daemon's words can mean: the texts of docker, podman and the artifact actions, with their causes.
//!
//! Words differ between engines and versions (docker 20.10, 26 and 28 with both image stores, podman 5): no decision of
//! barge rests on them. This is help for people who have a log and nothing else.

/// A text and its causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// What the log says.
    pub text: &'static str,
    /// What can have led to it, likeliest first.
    pub causes: &'static [&'static str],
    /// Rules that find it in a workflow.
    pub rules: &'static [&'static str],
}

/// Every text that is known; the longer ones stand before their parts.
static MEANINGS: &[Meaning] = &[
    Meaning {
        text: "reference does not exist",
        causes: &[
            "the build was skipped (a skipped step is green) and this step was not",
            "the name differs from the one the build gave",
            "the image was built in a builder of its own and not loaded",
            "the image was built in another job",
        ],
        rules: &[
            "condition-mismatch",
            "ref-mismatch",
            "not-loaded",
            "image-not-in-job",
        ],
    },
    Meaning {
        text: "no such image",
        causes: &[
            "no image of this name is in the daemon: skipped, named otherwise, not loaded, or built in another job",
            "on the containerd store, an image ID of another store",
        ],
        rules: &[
            "condition-mismatch",
            "ref-mismatch",
            "not-loaded",
            "image-not-in-job",
        ],
    },
    Meaning {
        text: "image not known",
        causes: &["podman does not hold the name; short names become localhost/NAME there"],
        rules: &["ref-mismatch"],
    },
    Meaning {
        text: "an image does not exist locally with the tag",
        causes: &["docker push of a name that was not tagged here"],
        rules: &["ref-mismatch", "not-loaded"],
    },
    Meaning {
        text: "repository name must be lowercase",
        causes: &["the owner or repository has capitals and was not lower-cased"],
        rules: &["uppercase-ref"],
    },
    Meaning {
        text: "invalid reference format",
        causes: &[
            "the reference, or a part of it, is empty",
            "several tags were put where one belongs",
            "white space or a line end is in the reference",
        ],
        rules: &[
            "ref-empty-part",
            "condition-mismatch",
            "tags-multiline-in-shell",
        ],
    },
    Meaning {
        text: "invalid output path",
        causes: &["the directory of `docker save -o` does not exist"],
        rules: &["save-dir-missing"],
    },
    Meaning {
        text: "'docker load' accepts no arguments",
        causes: &["`docker load FILE` without `-i`"],
        rules: &["load-bad-syntax"],
    },
    Meaning {
        text: "docker load\" accepts no arguments",
        causes: &["`docker load FILE` without `-i`"],
        rules: &["load-bad-syntax"],
    },
    Meaning {
        text: "repositories: no such file",
        causes: &[
            "the archive is a root file system (type=tar)",
            "the archive is empty, or a tar in a tar",
        ],
        rules: &["tar-not-loadable"],
    },
    Meaning {
        text: "blobs/json: no such file",
        causes: &[
            "the archive is an OCI layout without manifest.json, which this daemon cannot load",
        ],
        rules: &["tar-not-loadable"],
    },
    Meaning {
        text: "unrecognized image format",
        causes: &["the archive is empty, or a tar in a tar"],
        rules: &["tar-not-loadable"],
    },
    Meaning {
        text: "invalid tar header",
        causes: &["the file is a zip, or compressed in a way this daemon does not know"],
        rules: &["tar-not-loadable"],
    },
    Meaning {
        text: "unexpected eof",
        causes: &["the archive was cut short: a full disk, or an upload that broke"],
        rules: &[],
    },
    Meaning {
        text: "layers length mismatch",
        causes: &["the archive is damaged or was put together wrongly"],
        rules: &[],
    },
    Meaning {
        text: "wrong diff id calculated",
        causes: &["a layer of the archive is damaged"],
        rules: &[],
    },
    Meaning {
        text: "does not currently support exporting manifest lists",
        causes: &["several platforms are loaded into a daemon with the classic image store"],
        rules: &["load-multi-platform"],
    },
    Meaning {
        text: "unable to create manifests file",
        causes: &["the containerd store lacks the content of another platform"],
        rules: &["load-multi-platform"],
    },
    Meaning {
        text: "artifact not found",
        causes: &[
            "no step uploads this name",
            "the upload was skipped or found no files",
            "the job that uploads failed, and this one ran anyway",
        ],
        rules: &[
            "artifact-not-uploaded",
            "condition-mismatch",
            "consumer-after-failed-producer",
            "upload-path-not-produced",
        ],
    },
    Meaning {
        text: "no files were found with the provided path",
        causes: &["nothing was written under the uploaded path"],
        rules: &["upload-path-not-produced"],
    },
    Meaning {
        text: "an artifact with this name already exists",
        causes: &["several legs or jobs upload one name"],
        rules: &["artifact-name-collision"],
    },
    Meaning {
        text: "no such file or directory",
        causes: &["the file was not written here, or the artifact was unpacked elsewhere"],
        rules: &["load-path-not-present", "scan-input-not-produced"],
    },
];

/// The meanings of the texts that occur in a log.
#[must_use]
pub fn explain(log: &str) -> Vec<&'static Meaning> {
    let log = log.to_lowercase();
    let mut found: Vec<&Meaning> = MEANINGS
        .iter()
        .filter(|meaning| log.contains(&meaning.text.to_lowercase()))
        .collect();
    // A longer text says more than the part it contains.
    if found
        .iter()
        .any(|meaning| meaning.text == "repository name must be lowercase")
    {
        found.retain(|meaning| meaning.text != "invalid reference format");
    }
    if found
        .iter()
        .any(|meaning| meaning.text.contains(": no such file"))
    {
        found.retain(|meaning| meaning.text != "no such file or directory");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule;

    #[test]
    fn the_longest_text_is_explained() {
        let texts = |log: &str| {
            explain(log)
                .iter()
                .map(|meaning| meaning.text)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            texts("Error response from daemon: reference does not exist"),
            ["reference does not exist"]
        );
        assert_eq!(
            texts("invalid reference format: repository name must be lowercase"),
            ["repository name must be lowercase"]
        );
        assert_eq!(texts("all is well"), Vec::<&str>::new());
    }

    #[test]
    fn named_rules_exist() {
        for meaning in MEANINGS {
            for id in meaning.rules {
                assert!(rule::find(id).is_some(), "{id}");
            }
        }
    }
}
