//! The built-in source profiles.

use super::{ProfileError, SourceProfile};

/// File name and text, in the order of `sources list`.
const FILES: [(&str, &str); 5] = [
    ("own.toml", include_str!("../../assets/profiles/own.toml")),
    ("flightctl.toml", include_str!("../../assets/profiles/flightctl.toml")),
    ("sirius.toml", include_str!("../../assets/profiles/sirius.toml")),
    ("aws-cert-assistant.toml", include_str!("../../assets/profiles/aws-cert-assistant.toml")),
    ("ca-sqlite.toml", include_str!("../../assets/profiles/ca-sqlite.toml")),
];

/// All built-in profiles. A test reads each file, so that none can be missing here for a mistake in it.
pub fn profiles() -> Vec<SourceProfile> {
    read().filter_map(Result::ok).collect()
}

/// Parses each file of the program; a mistake in one does not hide the others.
fn read() -> impl Iterator<Item = Result<SourceProfile, ProfileError>> {
    FILES.iter().map(|(file, text)| SourceProfile::parse(file, text))
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_valid_and_named_as_its_file() {
        for (profile, (file, _)) in read().zip(FILES) {
            match profile {
                Ok(profile) => assert_eq!(format!("{}.toml", profile.name), file),
                Err(e) => panic!("{e}"),
            }
        }
    }
}
