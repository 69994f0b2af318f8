//! TLS as users of libpq expect it, with real certificates, and the messages when it fails.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use renewscope::protocol::SourceError;

use crate::cluster::Cluster;
use crate::{connect, connect_fails, count, describe, says};

/// A certificate authority.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate and its key. `names`: the subjectAltName entries; the common name is always `localhost`.
    fn sign(&self, names: &[&str], expired: bool) -> (String, String) {
        let mut params = CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "localhost");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = if expired { date_time_ymd(2021, 1, 1) } else { date_time_ymd(2090, 1, 1) };
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

struct Bed {
    server: Cluster,
    authority: Authority,
    dir: tempfile::TempDir,
}

impl Bed {
    async fn new() -> Self {
        let server = Cluster::prepared(&["ssl=on", "ssl_cert_file=server.crt", "ssl_key_file=server.key"]);
        let bed = Self { server, authority: Authority::new("ours"), dir: tempfile::tempdir().unwrap() };
        bed.install(&bed.authority.sign(&["localhost"], false));
        std::fs::write(bed.dir.path().join("ours.pem"), &bed.authority.pem).unwrap();
        std::fs::write(bed.dir.path().join("other.pem"), Authority::new("other").pem).unwrap();
        bed.server.run();
        bed
    }

    fn install(&self, (certificate, key): &(String, String)) {
        self.server.write("server.crt", certificate);
        self.server.write("server.key", key);
    }

    /// Installs another certificate on the running server.
    fn exchange(&self, names: &[&str], expired: bool) {
        self.server.stop(crate::cluster::Stop::Fast);
        self.install(&self.authority.sign(names, expired));
        self.server.run();
    }

    fn url(&self, mode: &str, root: Option<&str>) -> String {
        let root = root.map(|name| format!("&sslrootcert={}", self.dir.path().join(name).display()));
        let root = root.unwrap_or_default();
        format!("postgres://postgres@localhost:{}/fleet?sslmode={mode}{root}", self.server.port)
    }

    async fn works(&self, mode: &str, root: Option<&str>, words: &str) {
        let store = connect(&self.url(mode, root)).await;
        assert_eq!(count(&store).await, Ok(0));
        assert_eq!(describe(&store).await.tls.as_deref(), Some(words), "{mode} {root:?}");
    }

    async fn fails(&self, mode: &str, root: Option<&str>, words: &[&str]) {
        let error = connect_fails(&self.url(mode, root)).await;
        assert!(matches!(error, SourceError::Unreachable { .. }), "{error:?}");
        says(&error, words);
    }
}

#[tokio::test]
async fn each_sslmode_protects_as_documented() {
    let bed = Bed::new().await;
    bed.works("disable", None, "off").await;
    bed.works("allow", None, "prefer: server not verified").await;
    bed.works("prefer", None, "prefer: server not verified").await;
    bed.works("require", None, "require: server not verified").await;
    bed.works("require", Some("ours.pem"), "verify-ca: host name not verified").await;
    bed.works("verify-ca", Some("ours.pem"), "verify-ca: host name not verified").await;
    bed.works("verify-full", Some("ours.pem"), "verify-full").await;
    for mode in ["require", "verify-ca", "verify-full"] {
        bed.fails(mode, Some("other.pem"), &["authority that is not trusted here", "sslrootcert=FILE"]).await;
    }
    bed.fails("verify-full", None, &["authority that is not trusted here"]).await;
    let socket = connect(&bed.server.url("fleet")).await;
    assert_eq!(describe(&socket).await.tls.as_deref(), Some("off (socket)"));
    let loopback = connect(&format!("postgres://postgres@127.0.0.1:{}/fleet", bed.server.port)).await;
    assert_eq!(describe(&loopback).await.tls.as_deref(), Some("off (loopback)"));
}

#[tokio::test]
async fn a_certificate_that_fails_verification_is_explained() {
    let bed = Bed::new().await;
    let ours = Some("ours.pem");
    bed.exchange(&["db.example"], false);
    bed.fails("verify-full", ours, &["is for another name", "db.example", "'hostaddr'"]).await;
    bed.works("verify-ca", ours, "verify-ca: host name not verified").await;
    // Through a tunnel: the address is the tunnel's, and the name is verified.
    let root = bed.dir.path().join("ours.pem").display().to_string();
    let tunnel = |host: &str| {
        let port = bed.server.port;
        format!("postgres://postgres@{host}:{port}/fleet?hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert={root}")
    };
    let store = connect(&tunnel("db.example")).await;
    assert_eq!(count(&store).await, Ok(0));
    assert_eq!(describe(&store).await.tls.as_deref(), Some("verify-full"));
    says(&connect_fails(&tunnel("other.example")).await, &["is for another name"]);
    bed.exchange(&[], false);
    bed.fails("verify-full", ours, &["common name (CN) alone", "subjectAltName, or use 'sslmode=verify-ca'"]).await;
    bed.works("verify-ca", ours, "verify-ca: host name not verified").await;
    bed.exchange(&["localhost"], true);
    bed.fails("verify-full", ours, &["the server's certificate has expired", "renew"]).await;
    bed.fails("verify-ca", ours, &["the server's certificate has expired"]).await;
    bed.works("require", None, "require: server not verified").await;
}

#[tokio::test]
async fn a_missing_file_of_tls_is_named() {
    let server = Cluster::start(&[]);
    for parameter in ["sslrootcert", "sslcert", "sslkey"] {
        let url =
            format!("postgres://postgres@localhost:{}/fleet?sslmode=verify-full&{parameter}=/no/such.pem", server.port);
        let error = connect_fails(&url).await;
        says(&error, &["file '/no/such.pem' cannot be read: it does not exist"]);
    }
}

#[tokio::test]
async fn a_server_without_tls_is_refused_unless_allowed() {
    let server = Cluster::start(&[]);
    let url = |mode: &str| format!("postgres://postgres@localhost:{}/fleet?sslmode={mode}", server.port);
    for mode in ["require", "verify-ca", "verify-full"] {
        let error = connect_fails(&url(mode)).await;
        says(&error, &["the server does not speak TLS", "sslmode=disable"]);
    }
    let store = connect(&url("prefer")).await;
    assert_eq!(describe(&store).await.tls.as_deref(), Some("prefer: off, the server has none"));
}
