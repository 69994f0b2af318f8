//! The available source profiles: the built-in ones and the user's files.
//!
//! `Config::resolve` loads them for every command. An invalid file only prevents its own use: a renewal hook that
//! records an event must not fail because of it.

use std::path::Path;
use std::sync::Arc;

use super::file::LONGEST;
use super::{ConfigError, Origin, Setting, paths};
use crate::domain::text::Clean;
use crate::files;
use crate::profile::choice::Profiles;
use crate::profile::{ProfileError, SourceProfile};

/// The profiles that can describe the event table, and the requested one.
#[derive(Clone, Debug)]
pub struct Sources {
    /// All valid profiles, and the name of the one to use.
    pub profiles: Arc<Profiles>,
    /// As typed; `None`: the profile that fits.
    pub requested: Setting<Option<String>>,
    /// The user's files that are invalid.
    pub broken: Vec<ProfileError>,
}

impl Sources {
    /// The same profiles, none of them requested.
    pub fn unnamed(&self) -> Self {
        let profiles = Profiles { named: None, ..(*self.profiles).clone() };
        let requested = Setting { value: None, origin: Origin::Default };
        Self { profiles: Arc::new(profiles), requested, broken: self.broken.clone() }
    }

    /// Reads the user's profiles and selects the requested one; the option overrides the configuration file. Fails only
    /// if the requested profile is unknown or invalid; other invalid files are kept in `broken`.
    pub fn resolve(option: Option<&str>, file: Option<&str>) -> Result<Self, ConfigError> {
        let (requested, origin) = match (option, file) {
            (Some(name), _) => (Some(name), Origin::Option("--source")),
            (None, Some(name)) => (Some(name), Origin::File),
            (None, None) => (None, Origin::Default),
        };
        let mut profiles = Profiles::default();
        let mut broken = Vec::new();
        if let Some(directory) = paths::profiles_directory() {
            broken = add_directory(&directory, &mut profiles);
        }
        if let Some(name) = requested {
            profiles.named =
                Some(choose(name, &mut profiles, &broken).map_err(|why| ConfigError::Source { origin, why })?);
        }
        let requested = Setting { value: requested.map(str::to_owned), origin };
        Ok(Self { profiles: Arc::new(profiles), requested, broken })
    }

    /// The profile with this name or in this file. The error is a message. A text with `/` or the ending `.toml` is a
    /// file.
    pub fn find(&self, requested: &str) -> Result<Arc<SourceProfile>, String> {
        let mut profiles = (*self.profiles).clone();
        let name = choose(requested, &mut profiles, &self.broken)?;
        let found = profiles.all.iter().find(|p| p.name == name).cloned();
        found.ok_or_else(|| unknown(&name, &profiles))
    }
}

/// The message for a name that no profile has.
fn unknown(name: &str, profiles: &Profiles) -> String {
    let names = || profiles.all.iter().map(|p| p.name.as_str());
    match crate::domain::suggest::nearest(name, names()) {
        Some(near) => format!("no source profile '{}'; did you mean '{near}'?", Clean::line(name)),
        None => {
            format!("no source profile '{}'; known are {}", Clean::line(name), names().collect::<Vec<_>>().join(", "))
        }
    }
}

/// The name of the requested profile; one that is given as a file is added to the profiles.
fn choose(requested: &str, profiles: &mut Profiles, broken: &[ProfileError]) -> Result<String, String> {
    if requested.contains('/') || requested.ends_with(".toml") {
        let profile = read(Path::new(requested)).map_err(|e| e.to_string())?;
        let name = profile.name.clone();
        add(profiles, profile);
        return Ok(name);
    }
    if profiles.all.iter().any(|p| p.name == requested) {
        return Ok(requested.to_owned());
    }
    // An invalid file is known by its file name only.
    let ending = format!("/{requested}.toml");
    match broken.iter().find(|e| e.file.ends_with(&ending)) {
        Some(error) => Err(error.to_string()),
        None => Err(unknown(requested, profiles)),
    }
}

/// Adds a profile; it replaces one of the same name.
fn add(profiles: &mut Profiles, profile: SourceProfile) {
    profiles.all.retain(|p| p.name != profile.name);
    profiles.all.push(Arc::new(profile));
}

/// Reads and parses a file; the name `own` is an error.
fn read(path: &Path) -> Result<SourceProfile, ProfileError> {
    let file = path.display().to_string();
    let text = files::read_text(path, LONGEST).map_err(|e| ProfileError {
        file: file.clone(),
        line: 0,
        key: String::new(),
        why: e.to_string(),
    })?;
    let profile = SourceProfile::parse(&file, &text)?;
    // This name selects renewscope's tables, which are detected by name and may be written to.
    if profile.is_own() {
        let line = text.lines().position(|l| l.trim_start().starts_with("name")).map_or(0, |n| n + 1);
        let why = "'own' is reserved for renewscope's own tables; choose another name".to_owned();
        return Err(ProfileError { file, line, key: "name".to_owned(), why });
    }
    Ok(SourceProfile { file: Some(path.to_owned()), ..profile })
}

/// Adds the `.toml` files of a directory in the order of their names, and returns the mistakes of the invalid ones. A
/// directory that cannot be read has none.
fn add_directory(directory: &Path, profiles: &mut Profiles) -> Vec<ProfileError> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut files: Vec<_> = entries.filter_map(Result::ok).map(|e| e.path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    files.sort();
    let mut broken = Vec::new();
    for file in files {
        match read(&file) {
            Ok(profile) => add(profiles, profile),
            Err(error) => broken.push(error),
        }
    }
    broken
}
