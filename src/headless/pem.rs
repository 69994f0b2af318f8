//! The expiry date of a certificate file, for `record --old-cert` and `--new-cert`. Verifies nothing.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use x509_parser::pem::Pem;

use crate::domain::instant::Instant;

/// The most bytes that are read: far more than any chain, so that a wrong file does not fill the memory.
const LIMIT: u64 = 4 << 20;

/// When the first certificate in a PEM file expires (UTC); in a chain, that is the leaf. Keys before it are skipped. The
/// error is a message without the path.
pub fn expiry(path: &Path) -> Result<Instant, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| e.to_string())?;
    file.take(LIMIT).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    for pem in Pem::iter_from_buffer(&bytes) {
        let pem = pem.map_err(|e| format!("not a PEM file: {e}"))?;
        if pem.label == "CERTIFICATE" || pem.label == "X509 CERTIFICATE" || pem.label == "TRUSTED CERTIFICATE" {
            let certificate = pem.parse_x509().map_err(|e| format!("invalid certificate: {e}"))?;
            let seconds = certificate.validity().not_after.timestamp();
            return Ok(Instant::from_unix_micros(seconds.saturating_mul(1_000_000)));
        }
    }
    Err("no PEM certificate in it".to_owned())
}
