//! `sig`: messages in, one line of NDJSON each.

use std::io::Write;

use super::bed::Bed;

const REFUSED: &str = r#"{"sig":"307ce740e5","signature":"dial tcp <*>: connect: connection refused"}"#;

#[test]
fn each_line_has_its_signature_in_its_place() {
    let bed = Bed::unnamed();
    let input = "dial tcp 10.0.0.1:443: connect: connection refused\r\n\
                 \"dial tcp [::1]:8443: \\u0063onnect:\\nconnection refused\"\n\
                 \n\
                 \"not closed\n\
                 null\n\
                 last of 7";
    let out = bed.run_with(&["sig"], input).data();
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[..2], [REFUSED, REFUSED]);
    let signatures: Vec<String> = lines
        .iter()
        .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["signature"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(signatures[2..], ["", "\"not closed", "null", "last of <*>"]);
    assert_eq!(bed.run_with(&["sig", "-", "--limit", "1"], input).data().lines().count(), 1);
}

#[test]
fn any_bytes_are_messages() {
    let bed = Bed::unnamed();
    let mut file = std::fs::File::create(bed.path("x.log")).unwrap();
    file.write_all(b"\xef\xbb\xbfbad \xff byte\n\"\\ud800\"\n").unwrap();
    // Longer than what is held of a line: the rest is dropped, the next line is whole.
    file.write_all(&b"a ".repeat(1_500_000)).unwrap();
    file.write_all(b"\n\0next\n").unwrap();
    drop(file);
    let out = bed.run(&["sig", "x.log"]).data();
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines.len(), 4, "{out}");
    assert!(lines[0].contains("bad \u{fffd} byte"), "{out}");
    assert!(lines[3].contains("\"next\""), "{out}");
}

#[test]
fn a_packed_file_is_read_and_a_missing_one_is_an_error() {
    let bed = Bed::unnamed();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"dial tcp 10.0.0.1:443: connect: connection refused\n").unwrap();
    bed.write("x.gz", packed.finish().unwrap());
    assert_eq!(bed.run(&["sig", "x.gz"]).data().trim_end(), REFUSED);
    let ran = bed.run(&["sig", "missing.log"]);
    assert!(ran.exits(1).stderr.contains("cannot read 'missing.log'"), "{}", ran.stderr);
}
