//! How the daemon is found and reached: what docker's own client goes by.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use super::Docker;
use super::cases::{checkout, name};
use super::proxy::{Fault, faulty};
use super::support::Checkout;

const BUILD: [&str; 3] = ["build", "--event", "pr.json"];

/// Contexts that the docker client made are followed as it follows them.
pub(crate) fn contexts(docker: &Docker) {
    let mut checkout = checkout(docker, "wikid82", 24);
    let config = checkout.file("settings").to_str().unwrap().to_owned();
    let socket = checkout.file("daemon.sock");
    let here = faulty(&socket, &docker.host, Fault::CutExports(usize::MAX));
    let client = |arguments: &[&str]| docker.run(&[&["--config", &config], arguments].concat());
    for (name, host) in [("here", &*here), ("gone", "unix:///nowhere/docker.sock")] {
        client(&[
            "context",
            "create",
            name,
            "--docker",
            &format!("host={host}"),
        ]);
    }
    checkout.set("DOCKER_CONFIG", &config);
    checkout.set("DOCKER_CONTEXT", "gone");
    checkout.barge(&BUILD).exits(0);
    checkout.set("DOCKER_HOST", "");
    // Nothing that was set is passed over for the embedded builder.
    checkout
        .barge(&BUILD)
        .exits(1)
        .says("no daemon answers at unix:///nowhere/docker.sock");
    checkout.set("DOCKER_CONTEXT", "never-made");
    checkout
        .barge(&BUILD)
        .exits(1)
        .says("the docker context `never-made`");
    checkout.set("DOCKER_CONTEXT", "");
    let current = |name: &str| {
        let settings = format!(r#"{{"currentContext": "{name}"}}"#);
        fs::write(checkout.file("settings/config.json"), settings).unwrap();
        checkout.barge(&[&BUILD[..], &["--engine", "docker"]].concat())
    };
    current("gone").exits(1).says("unix:///nowhere/docker.sock");
    current("here").exits(0);
    checkout.set("DOCKER_CONTEXT", "here");
    checkout.barge(&BUILD).exits(0);
    checkout.barge(&["save", "-o", "image.tar"]).exits(0);
    docker.run(&["rmi", &name(&checkout, "wikid82", "pr-24")]);
}

/// The address of Podman that is set and does not answer is told, too.
pub(crate) fn container_host(docker: &Docker) {
    let mut checkout = checkout(docker, "wikid82", 25);
    let nowhere = checkout.file("nowhere").to_str().unwrap().to_owned();
    checkout.set("DOCKER_HOST", "");
    checkout.set("CONTAINER_HOST", &format!("unix://{nowhere}"));
    // A daemon at the default address comes first.
    let ran = checkout.barge(&BUILD);
    if ran.code != 0 {
        ran.exits(1).says(&nowhere);
    }
}

/// A daemon behind TLS is reached with the certificates of docker's client, and no other one is believed.
pub(crate) fn tls(docker: &Docker) {
    let mut checkout = checkout(docker, "wikid82", 26);
    for folder in ["ours", "theirs"] {
        certificates(&checkout, folder);
    }
    let socket = docker.host.trim_start_matches("unix://").to_owned();
    let address = terminate(&checkout, "ours", socket);
    checkout.set("DOCKER_HOST", &format!("tcp://{address}"));
    checkout.barge(&BUILD).exits(1);
    checkout.set("DOCKER_TLS_VERIFY", "1");
    fs::create_dir(checkout.file("nothing-to-show")).unwrap();
    let authority = checkout.file("nothing-to-show/ca.pem");
    fs::copy(checkout.file("ours/ca.pem"), authority).unwrap();
    for folder in ["nowhere", "theirs", "nothing-to-show"] {
        checkout.set(
            "DOCKER_CERT_PATH",
            checkout.file(folder).to_str().unwrap().to_owned().as_str(),
        );
        checkout.barge(&BUILD).exits(1).says("DOCKER_CERT_PATH");
    }
    checkout.set(
        "DOCKER_CERT_PATH",
        checkout.file("ours").to_str().unwrap().to_owned().as_str(),
    );
    for command in [&BUILD[..], &["save"], &["load"]] {
        checkout.barge(command).exits(0);
    }
    docker.run(&["rmi", &name(&checkout, "wikid82", "pr-26")]);
    // The same by a context, which keeps copies of the files.
    let config = checkout.file("settings").to_str().unwrap().to_owned();
    let file = |name: &str| checkout.file("ours").join(name).display().to_string();
    let endpoint = format!(
        "host=tcp://{address},ca={},cert={},key={}",
        file("ca.pem"),
        file("cert.pem"),
        file("key.pem")
    );
    let create = [
        "--config", &config, "context", "create", "safe", "--docker", &endpoint,
    ];
    docker.run(&create);
    for (name, value) in [
        ("DOCKER_HOST", ""),
        ("DOCKER_TLS_VERIFY", ""),
        ("DOCKER_CERT_PATH", ""),
        ("DOCKER_CONFIG", &config),
        ("DOCKER_CONTEXT", "safe"),
    ] {
        checkout.set(name, value);
    }
    checkout.barge(&["load"]).exits(0);
    docker.run(&["rmi", &name(&checkout, "wikid82", "pr-26")]);
}

/// Makes an authority, and one certificate by it that serves both sides.
fn certificates(checkout: &Checkout, folder: &str) {
    fs::create_dir(checkout.file(folder)).unwrap();
    let extensions = format!("{folder}/extensions");
    checkout.write(&extensions, "subjectAltName=IP:127.0.0.1\n");
    let key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ];
    let openssl = |arguments: &[&str]| {
        let mut openssl = Command::new("openssl");
        openssl.args(arguments).current_dir(checkout.file(folder));
        let output = openssl.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    let authority = [
        "req",
        "-x509",
        "-subj",
        "/CN=ca",
        "-keyout",
        "ca-key.pem",
        "-out",
        "ca.pem",
    ];
    openssl(&[&authority[..], &key].concat());
    let request = [
        "req",
        "-subj",
        "/CN=us",
        "-keyout",
        "key.pem",
        "-out",
        "request.pem",
    ];
    openssl(&[&request[..], &key].concat());
    openssl(&[
        "x509",
        "-req",
        "-in",
        "request.pem",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca-key.pem",
        "-CAcreateserial",
        "-extfile",
        "extensions",
        "-out",
        "cert.pem",
    ]);
}

/// Serves TLS before the daemon, for clients that show a certificate.
fn terminate(checkout: &Checkout, folder: &str, daemon: String) -> String {
    let file = |name: &str| checkout.file(folder).join(name);
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(file("ca.pem")).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients.build().unwrap())
        .with_single_cert(
            vec![CertificateDer::from_pem_file(file("cert.pem")).unwrap()],
            PrivateKeyDer::from_pem_file(file("key.pem")).unwrap(),
        )
        .unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, daemon) = (acceptor.clone(), daemon.clone());
                tokio::spawn(async move {
                    let mut client = acceptor.accept(client).await?;
                    let mut daemon = tokio::net::UnixStream::connect(daemon).await?;
                    tokio::io::copy_bidirectional(&mut client, &mut daemon).await
                });
            }
        });
    });
    address
}
