//! Who asks: passwords against a real registry, tokens against a token server of our own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use barge_image::{Layout, Reference, RepositoryName};
use barge_store::http::{Error as HttpError, HttpOptions, Proxies};
use barge_store::registry::{Credentials, Error, Keyring, Registry, RegistryOptions, Secret};
use barge_testing::{Debian, Settings};

use super::fixture::{folder, have, http_options, image, options, run};
use super::server::{Asked, Reply, Server};

fn client(host: &str, keyring: Keyring) -> Registry {
    Registry::new(RegistryOptions {
        keyring,
        plain_http: [host.to_owned()].into(),
        ..options()
    })
    .unwrap()
}

fn with(host: &str, credentials: Credentials) -> Keyring {
    let mut keyring = Keyring::default();
    keyring.insert(host, credentials);
    keyring
}

fn password(password: &str) -> Credentials {
    Credentials::Password {
        user: "me".into(),
        password: Secret::new(password),
    }
}

/// Why a push was refused.
fn why(error: &Error) -> &Error {
    match error {
        Error::Push { source, .. } => source,
        other => other,
    }
}

#[test]
fn a_password_opens_a_real_registry() {
    if !have(&["docker-registry", "skopeo"]) {
        return;
    }
    let registry = Debian::with(&Settings {
        htpasswd: true,
        ..Settings::default()
    });
    let (host, home) = (&registry.host, folder());
    let made = image(
        &Layout::create(&home.path.join("a")).unwrap(),
        51,
        &[100_000],
    );
    let name: Reference = format!("{host}/team/app:one").parse().unwrap();
    let names = std::slice::from_ref(&name);
    let error = client(host, Keyring::default())
        .push(&made, names, &[], &|_| ())
        .unwrap_err();
    assert!(
        matches!(why(&error), Error::Unauthorized { user: None, .. }),
        "{error:?}"
    );
    assert!(
        error
            .hint()
            .unwrap()
            .contains(&format!("`docker login {host}`"))
    );
    let wrong = client(host, with(host, password("wrong")));
    let error = wrong.push(&made, names, &[], &|_| ()).unwrap_err();
    assert!(
        matches!(why(&error), Error::Unauthorized { user: Some(user), .. } if user == "me"),
        "{error:?}"
    );
    assert!(!format!("{error:?}").contains("wrong"), "{error:?}");
    client(host, with(host, password("haven")))
        .push(&made, names, &[], &|_| ())
        .unwrap();
    // As `skopeo login` and `docker login` write it.
    let file = home.path.join("config.json");
    run(
        "skopeo",
        &[
            "login",
            "--tls-verify=false",
            "--authfile",
            file.as_str(),
            "-u",
            "me",
            "-p",
            "haven",
            host,
        ],
    );
    let keyring = Keyring::from_docker_config(&fs::read(file).unwrap()).unwrap();
    assert!(client(host, keyring).head(&name).unwrap().is_some());
    client(host, Keyring::default()).ping(host).unwrap();
}

#[test]
fn a_credential_helper_is_asked() {
    let home = folder();
    let script = "#!/bin/sh\n[ \"$1\" = get ] || exit 9\nread -r host\ncase $host in\n  known*) echo '{\"ServerURL\":\"x\",\"Username\":\"me\",\"Secret\":\"haven\"}';;\n  token*) echo '{\"Username\":\"<token>\",\"Secret\":\"refresh\"}';;\n  none*) echo 'credentials not found in native keychain'; exit 1;;\n  *) echo 'the agent is locked'; exit 1;;\nesac\n";
    let program = home.path.join("docker-credential-test");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let server = Server::start(|asked, _| match asked.header("authorization") {
        Some("Basic bWU6aGF2ZW4=") => Reply::ok("{\"tags\":[\"a\"]}"),
        _ => Reply::status(401).header("www-authenticate", "Basic realm=\"x\""),
    });
    let ask = |registry: &str| {
        let file = format!(
            r#"{{"credsStore":"test","credHelpers":{{"missing.example":"absent"}},"auths":{{"{registry}":{{}}}}}}"#
        );
        let mut keyring = Keyring::from_docker_config(file.as_bytes()).unwrap();
        keyring.set_search_path(format!("{}:/usr/bin:/bin", home.path).into());
        let tunnel = super::proxy::Tunnel::start(&server.host);
        let options = RegistryOptions {
            keyring,
            plain_http: [registry.to_owned()].into(),
            http: HttpOptions {
                proxies: Proxies {
                    http: Some(format!("http://{}", tunnel.host)),
                    ..Proxies::default()
                },
                ..http_options()
            },
            ..options()
        };
        let name: RepositoryName = format!("{registry}/app").parse().unwrap();
        Registry::new(options).unwrap().tags(&name)
    };
    assert_eq!(ask("known.example").unwrap().len(), 1);
    assert!(matches!(
        ask("none.example"),
        Err(Error::Unauthorized { user: None, .. })
    ));
    let error = ask("locked.example").unwrap_err();
    assert!(error.to_string().contains("the agent is locked"), "{error}");
    let error = ask("missing.example").unwrap_err();
    assert!(
        error.to_string().contains("docker-credential-absent"),
        "{error}"
    );
    assert!(Keyring::from_docker_config(br#"{"credsStore":"../../bin/sh"}"#).is_err());
}

/// Answers for a registry and its token server at once. Tokens are numbered; `lives` is how often one is taken.
fn token_server(lives: u32) -> Server {
    let (issued, used) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    Server::start(move |asked, host| {
        if asked.path.starts_with("/token") {
            used.store(0, Ordering::SeqCst);
            let number = issued.fetch_add(1, Ordering::SeqCst) + 1;
            return Reply::ok(format!(r#"{{"token":"t{number}","expires_in":300}}"#));
        }
        let current = format!("Bearer t{}", issued.load(Ordering::SeqCst));
        let is_right = asked.header("authorization") == Some(&current);
        if is_right && used.fetch_add(1, Ordering::SeqCst) < lives {
            return Reply::ok("{\"tags\":[\"a\"]}");
        }
        let challenge = format!(
            r#"Bearer realm="http://{host}/token?x=y",service="the service",scope="repository:team/app:pull""#
        );
        Reply::status(401).header("www-authenticate", challenge)
    })
}

fn ask(server: &Server, keyring: Keyring, times: usize) -> Vec<Asked> {
    let name: RepositoryName = format!("{}/team/app", server.host).parse().unwrap();
    let client = client(&server.host, keyring);
    for _ in 0..times {
        client.tags(&name).unwrap();
    }
    server.asked_for("/token")
}

#[test]
fn a_token_is_bought_once_and_renewed_when_refused() {
    let server = token_server(u32::MAX);
    let tokens = ask(&server, Keyring::default(), 3);
    assert_eq!(tokens.len(), 1);
    assert_eq!(
        tokens[0].path,
        "/token?x=y&service=the%20service&scope=repository:team/app:pull"
    );
    assert_eq!(tokens[0].header("authorization"), None);
    // One question without a token, three with it.
    assert_eq!(server.asked_for("/v2/").len(), 4);
    let forgetful = token_server(1);
    assert_eq!(ask(&forgetful, Keyring::default(), 3).len(), 3);
}

#[test]
fn tokens_are_bought_with_what_there_is() {
    let server = token_server(u32::MAX);
    let tokens = ask(&server, with(&server.host, password("haven")), 1);
    assert_eq!(
        tokens[0].header("authorization"),
        Some("Basic bWU6aGF2ZW4=")
    );
    assert!(
        tokens[0].path.ends_with("&account=me"),
        "{}",
        tokens[0].path
    );
    let server = token_server(u32::MAX);
    let tokens = ask(
        &server,
        with(&server.host, Credentials::Identity(Secret::new("a+b"))),
        1,
    );
    assert_eq!(tokens[0].method, "POST");
    let form = String::from_utf8(tokens[0].body.clone()).unwrap();
    assert_eq!(
        form,
        "service=the%20service&grant_type=refresh_token&client_id=barge&scope=repository:team/app:pull&refresh_token=a%2Bb"
    );
    let server = Server::start(|asked, _| match asked.header("authorization") {
        Some("Bearer given") => Reply::ok("{\"tags\":null}"),
        _ => Reply::status(401).header(
            "www-authenticate",
            "Bearer realm=\"https://nowhere.example/\"",
        ),
    });
    let given = Credentials::Access(Secret::new("given"));
    assert!(ask(&server, with(&server.host, given), 1).is_empty());
}

#[test]
fn a_token_server_that_says_no_is_not_asked_for_ever() {
    let server = Server::start(|asked, host| {
        if asked.path.starts_with("/token") {
            return Reply::status(401).whole(r#"{"details":"incorrect username or password"}"#);
        }
        Reply::status(401).header(
            "www-authenticate",
            format!("Bearer realm=\"http://{host}/token\""),
        )
    });
    let name: RepositoryName = format!("{}/a", server.host).parse().unwrap();
    let error = client(&server.host, with(&server.host, password("x")))
        .tags(&name)
        .unwrap_err();
    assert!(matches!(&error, Error::Unauthorized { user: Some(user), .. } if user == "me"));
    assert!(error.to_string().contains("incorrect username"), "{error}");
    assert_eq!(server.asked().len(), 2);
    // A registry that refuses every token it sold.
    let liar = Server::start(|asked, host| {
        if asked.path.starts_with("/token") {
            Reply::ok(r#"{"access_token":"same"}"#)
        } else {
            Reply::status(401).header(
                "www-authenticate",
                format!("Bearer realm=\"http://{host}/token\""),
            )
        }
    });
    let name: RepositoryName = format!("{}/a", liar.host).parse().unwrap();
    let error = client(&liar.host, Keyring::default())
        .tags(&name)
        .unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error:?}");
    assert!(liar.asked().len() < 8, "{}", liar.asked().len());
}

/// A password goes only to where it is encrypted.
#[test]
fn a_token_server_without_encryption_gets_nothing() {
    let server = Server::start(|_, _| {
        Reply::status(401).header(
            "www-authenticate",
            "Bearer realm=\"http://tokens.example/\"",
        )
    });
    let name: RepositoryName = format!("{}/a", server.host).parse().unwrap();
    let error = client(&server.host, with(&server.host, password("x")))
        .tags(&name)
        .unwrap_err();
    assert!(
        matches!(error, Error::Http(HttpError::Insecure { .. })),
        "{error:?}"
    );
}

/// Blobs lie elsewhere; the secret stays.
#[test]
fn a_redirect_to_another_host_carries_no_secret() {
    let bytes = b"the blob".as_slice();
    let elsewhere = Server::start(move |_, _| Reply::ok(bytes));
    let target = format!("http://{}/bucket/x?signature=y", elsewhere.host);
    let server = Server::start(move |asked, host| match asked.header("authorization") {
        None => Reply::status(401).header("www-authenticate", "Basic realm=\"x\""),
        Some(_) if asked.path.ends_with("/again") => Reply::status(307).header("location", &target),
        // First to itself, where the secret goes along.
        Some(_) => Reply::status(302).header("location", format!("http://{host}/again")),
    });
    let name: RepositoryName = format!("{}/a", server.host).parse().unwrap();
    let blob = barge_image::Descriptor::of(barge_image::MediaType::LAYER, bytes);
    let client = client(&server.host, with(&server.host, password("haven")));
    let mut stream = client.blob(&name, &blob).unwrap();
    let mut found = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut found).unwrap();
    assert_eq!(found, bytes);
    let asked = elsewhere.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].header("authorization"), None);
    assert_eq!(
        server.asked_for("/again")[0].header("authorization"),
        Some("Basic bWU6aGF2ZW4=")
    );
}
