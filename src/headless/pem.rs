//! The expiry date of a certificate file, for `record --old-cert` and `--new-cert`. Verifies nothing.

use std::path::Path;
use std::time::Duration;

use x509_parser::certificate::X509Certificate;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;

use crate::domain::instant::Instant;
use crate::files;

/// The most bytes that are read: far more than any chain, so that a wrong file does not fill the memory.
const LIMIT: u64 = 4 << 20;
/// Windows tools write this before the text.
const BOM: &[u8] = "\u{feff}".as_bytes();

/// An expiry, and whether the certificate is a CA's.
pub struct Expiry {
    pub at: Instant,
    pub is_ca: bool,
}

/// When the certificate in a PEM or DER file expires (UTC). Of several it is the first that is not a CA's, since
/// bundles begin with either end; of CA certificates only, the first. Keys and text are skipped. `wait` limits the time
/// for a pipe. The error is a message without the path.
pub fn expiry(path: &Path, wait: Duration) -> Result<Expiry, String> {
    let bytes = files::read_stream(path, LIMIT, wait).map_err(|e| e.to_string())?;
    let bytes = bytes.strip_prefix(BOM).unwrap_or(&bytes);
    // DER begins with the tag of a sequence, which no PEM file does.
    if bytes.first() == Some(&0x30) {
        return match X509Certificate::from_der(bytes) {
            Ok((_, certificate)) => Ok(of(&certificate)),
            Err(_) => Err("neither PEM nor a DER certificate; convert it with 'openssl pkcs7' or 'pkcs12'".to_owned()),
        };
    }
    let (mut authority, mut other) = (None, None);
    for pem in Pem::iter_from_buffer(bytes) {
        let pem = pem.map_err(|e| format!("not a PEM file: {e}"))?;
        match pem.label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
                let certificate = pem.parse_x509().map_err(|e| format!("invalid certificate: {e}"))?;
                let found = of(&certificate);
                if !found.is_ca {
                    return Ok(found);
                }
                authority = authority.or(Some(found));
            }
            label => other = other.or(Some(label.to_owned())),
        }
    }
    authority.ok_or_else(|| match other.as_deref() {
        Some("PKCS7") => {
            "it is a PKCS7 bundle; convert it with 'openssl pkcs7 -print_certs -in FILE -out CERTS.pem'".to_owned()
        }
        Some(label) => format!("no certificate in it, but a {}", label.to_lowercase()),
        None => "no PEM certificate in it".to_owned(),
    })
}

/// The expiry of a certificate, in UTC.
fn of(certificate: &X509Certificate<'_>) -> Expiry {
    let seconds = certificate.validity().not_after.timestamp();
    Expiry { at: Instant::from_unix_micros(seconds.saturating_mul(1_000_000)), is_ca: certificate.is_ca() }
}
