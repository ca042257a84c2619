//! Which engine a step talks to.

use barge_engine::docker::Product;
use barge_engine::{Buildx, Docker, Error as EngineError};

use crate::built::Home;
use crate::error::Error;
use crate::settings::EngineChoice;
use crate::surroundings::Surroundings;

/// The engine that holds images, whatever builds them: the chosen one, else Docker, else Podman.
///
/// # Errors
/// When it does not answer.
pub async fn holding(surroundings: &Surroundings) -> Result<Docker, Error> {
    match surroundings.build.engine {
        EngineChoice::Podman => connect(surroundings, Product::Podman).await,
        EngineChoice::Docker | EngineChoice::Buildx => connect(surroundings, Product::Docker).await,
        EngineChoice::Auto | EngineChoice::Embedded => any(surroundings).await,
    }
}

/// The engine that builds; `None` leaves it to the embedded builder.
///
/// # Errors
/// When the settings ask for an engine, or the environment names one, that does not answer.
pub(crate) async fn building(surroundings: &Surroundings) -> Result<Option<Docker>, Error> {
    match surroundings.build.engine {
        EngineChoice::Embedded => Ok(None),
        EngineChoice::Auto => match any(surroundings).await {
            Ok(engine) => Ok(Some(engine)),
            Err(error)
                if is_meant(surroundings, Product::Docker, &error)
                    || is_meant(surroundings, Product::Podman, &error) =>
            {
                Err(error)
            }
            Err(_) => Ok(None),
        },
        _ => holding(surroundings).await.map(Some),
    }
}

/// The buildx plugin, where it is asked for, or can leave the image as a layout and so spares the way through the daemon.
///
/// # Errors
/// When it is asked for and not there.
pub(crate) async fn buildx(
    surroundings: &Surroundings,
    docker: &Docker,
) -> Result<Option<Buildx>, Error> {
    match surroundings.build.engine {
        EngineChoice::Buildx => {
            let buildx = Buildx::find(docker.host()).await;
            let missing = || Error::Setting("the docker client has no buildx plugin".into());
            buildx.ok_or_else(missing).map(Some)
        }
        EngineChoice::Auto if docker.info().containerd_store => {
            Ok(Buildx::find(docker.host()).await)
        }
        _ => Ok(None),
    }
}

/// The engine in which a build left its image; `None` when it is in no engine.
///
/// # Errors
/// When it does not answer.
pub(crate) async fn of(surroundings: &Surroundings, home: &Home) -> Result<Option<Docker>, Error> {
    let product = match home {
        Home::Docker { .. } => Product::Docker,
        Home::Podman { .. } => Product::Podman,
        Home::Layout { .. } | Home::File { .. } => return Ok(None),
    };
    connect(surroundings, product).await.map(Some)
}

/// One engine.
///
/// # Errors
/// When it does not answer.
pub async fn connect(surroundings: &Surroundings, product: Product) -> Result<Docker, Error> {
    let host = match product {
        Product::Docker => surroundings.docker_host()?,
        Product::Podman => surroundings.podman_host()?,
    };
    Ok(Docker::connect(host).await?)
}

async fn any(surroundings: &Surroundings) -> Result<Docker, Error> {
    let docker = match connect(surroundings, Product::Docker).await {
        Err(error) if !is_meant(surroundings, Product::Docker, &error) => error,
        answer => return answer,
    };
    match connect(surroundings, Product::Podman).await {
        // Where neither answers, Docker's absence is the one to be told.
        Err(error) if !is_meant(surroundings, Product::Podman, &error) => Err(docker),
        answer => answer,
    }
}

/// Whether an engine that does not answer was asked for: its address was set, or something is set that is no address. Only
/// the defaults may be silent.
fn is_meant(surroundings: &Surroundings, product: Product, error: &Error) -> bool {
    let variables: &[&str] = match product {
        Product::Docker => &["DOCKER_HOST", "DOCKER_CONTEXT"],
        Product::Podman => &["CONTAINER_HOST"],
    };
    let is_set = |name: &&str| surroundings.environment.non_empty(name).is_some();
    let is_wrong = matches!(
        error,
        Error::Engine(EngineError::Host(_) | EngineError::DockerContext { .. })
    );
    is_wrong || variables.iter().any(is_set)
}
