//! The facts that a walk records.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::Guard;
use crate::scenario::Scenario;
pub use crate::source::Place;
use crate::symbolic::{Condition, Text, Value};

/// A walk through a workflow in one scenario.
#[derive(Debug)]
pub struct Trace {
    /// The scenario.
    pub scenario: Scenario,
    /// The legs of all jobs, in an order in which needs come first.
    pub jobs: Vec<JobTrace>,
    /// All artifacts that were uploaded.
    pub artifacts: Vec<super::Artifact>,
    /// Why artifacts can come from elsewhere, if they can.
    pub foreign_artifacts: Option<String>,
    /// Where the walk was cut, when it was too long. What is behind counts as unknown.
    pub cut: Option<Place>,
}

/// One leg of a job.
#[derive(Debug)]
pub struct JobTrace {
    /// The job's key; that of a called workflow's job is `caller / job`.
    pub id: String,
    /// The place of the key.
    pub place: Place,
    /// The matrix values of this leg.
    pub leg: Vec<(String, String)>,
    /// The matrix could not be spread out.
    pub symbolic_leg: bool,
    /// When the job runs.
    pub condition: Condition,
    /// The jobs it needs.
    pub needs: Vec<String>,
    /// Its steps, those of local actions included.
    pub steps: Vec<StepTrace>,
    /// What happened, in order.
    pub facts: Vec<Fact>,
    /// Its outputs.
    pub outputs: BTreeMap<String, Value>,
    /// Its `if:`.
    pub guard: Option<Arc<Guard>>,
}

/// One step of a leg.
#[derive(Debug, Clone)]
pub struct StepTrace {
    /// What people call it.
    pub title: String,
    /// `id:`
    pub id: Option<String>,
    /// The step in its file.
    pub place: Place,
    /// Its `if:`.
    pub guard: Option<Arc<Guard>>,
    /// When it runs, given that its job does and nothing failed.
    pub condition: Condition,
    /// What it is: an action's name, or `run`.
    pub kind: String,
    /// Outputs that are known.
    pub outputs: BTreeMap<String, Value>,
    /// The text of its script.
    pub script: String,
    /// It can set outputs that are not known.
    pub open_outputs: bool,
    /// `continue-on-error`
    pub tolerated: bool,
}

impl StepTrace {
    /// `step "Build image"`.
    #[must_use]
    pub fn quoted(&self) -> String {
        format!("step \"{}\"", self.title)
    }
}

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Fact {
    /// What.
    pub kind: FactKind,
    /// When, given that the job runs.
    pub condition: Condition,
    /// The number of its step in the leg.
    pub step: usize,
    /// Where the file says so.
    pub place: Place,
    /// The run goes on when it fails.
    pub tolerated: bool,
    /// Whose images it is about.
    pub store: Store,
}

/// Where an engine keeps its images: docker and podman do not see each other's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Store {
    /// The docker daemon's.
    #[default]
    Docker,
    /// That of podman and buildah.
    Podman,
}

/// The kinds of facts.
#[derive(Debug, Clone)]
pub enum FactKind {
    /// An image has this name in the job's daemon from here on.
    Present(Text, Origin),
    /// A build gave an image this name.
    Built(Delivery),
    /// An image is named by a program.
    Named(Text, Need, String),
    /// An image was pushed.
    Pushed(Text),
    /// The daemon can hold more than is known.
    DaemonOpaque(String),
    /// All or some images were removed.
    Removed(Option<Text>),
    /// Images were written to a file: the references and the path; nothing for a stream that goes elsewhere.
    Saved(Vec<Text>, Option<Text>),
    /// A file was written.
    Written(Text, Content),
    /// A directory was made.
    Directory(Text),
    /// More files can have been written than are known.
    FilesOpaque(String),
    /// A file is read.
    Read(Text, FileUse, Resolution),
    /// Files were uploaded as an artifact: its number in the trace.
    Uploaded(usize),
    /// An artifact was downloaded by name; nothing for all or by pattern. The numbers of those it can be.
    Downloaded(Option<Text>, Vec<usize>),
    /// A value of several lines is put into a command line without quotes.
    SeveralLines,
    /// A value of several lines is one argument of a command that takes an image there.
    SeveralInOne,
    /// An output of a step stands as a word of a command, and is always empty.
    EmptyWord,
    /// A script ends with a status other than zero.
    Failed(Text),
    /// `docker load` that cannot work, and why.
    BadLoad(String),
    /// The output of `docker load` is read for a name.
    LoadOutputRead,
    /// The digest behind a name is asked for.
    DigestRead(Text),
    /// A name says where a build keeps its cache.
    Cached(Text),
    /// A name ended up in an attestation, signature or other place that wants it canonical.
    Attested(Text),
}

/// How an image came into the daemon.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// Built here.
    Built,
    /// `docker tag`.
    Tagged(Text),
    /// Pulled.
    Pulled,
    /// Loaded from a file.
    Loaded(Text),
}

/// What a build did with its result.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The names it gave.
    pub references: Vec<Text>,
    /// The condition under which the image comes into the daemon.
    pub to_daemon: Condition,
    /// The condition under which it is loaded because the step says so, not because the builder is the daemon's.
    pub loads: Condition,
    /// The condition under which it is pushed.
    pub to_registry: Condition,
    /// The condition under which it goes to a file.
    pub to_file: Condition,
    /// The condition under which that file is what `docker save` writes, which holds one platform.
    pub to_docker_archive: Condition,
    /// The number of platforms, by condition; nothing when not known.
    pub platforms: Vec<(Condition, Option<usize>)>,
    /// The build context and file, to recognise two builds of one thing.
    pub recipe: Text,
    /// The names come from the outputs of metadata-action.
    pub from_metadata: bool,
    /// The program or action.
    pub by: String,
}

/// What a program needs of the image it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It must be in the daemon.
    Local,
    /// It is pulled when it is not in the daemon.
    LocalOrRemote,
    /// It is read from a registry.
    Remote,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Images.
    Images(Archive),
    /// An SBOM.
    Sbom,
    /// Anything else, or not known.
    Other,
}

/// A file of images.
#[derive(Debug, Clone, PartialEq)]
pub struct Archive {
    /// The names in it; `complete` says whether these are all.
    pub references: Vec<Text>,
    /// All names are known.
    pub complete: bool,
    /// Its format.
    pub format: Format,
}

/// The format of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// What `docker save` writes.
    Docker,
    /// An OCI layout.
    Oci,
    /// A root file system.
    RootFilesystem,
    /// Not known.
    Unknown,
}

/// What a file is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileUse {
    /// `docker load`
    Load,
    /// A scanner's input.
    Scan,
    /// An upload or cache.
    Upload,
    /// `cp` or `mv`
    Copy,
}

/// Where a file that is read comes from.
#[derive(Debug, Clone)]
pub enum Resolution {
    /// It was written, under these conditions, by these facts of the job (or a download).
    Written(Vec<(Condition, Content, Place)>),
    /// Nothing wrote it; these files were written and are nearest.
    Absent(Vec<Text>),
    /// It can have come from something that is not known.
    Unknown(String),
}
