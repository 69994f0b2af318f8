//! The source profiles that there are: those that came with the program, and the user's own beside them.
//!
//! A file with a mistake stops nothing but its own use: a renewal hook that records an event must not fail for it.

use std::path::Path;
use std::sync::Arc;

use super::{ConfigError, Origin, Setting, paths};
use crate::domain::text::Clean;
use crate::profile::choice::Profiles;
use crate::profile::{ProfileError, SourceProfile};

/// What may describe the event table, and what was asked for.
#[derive(Clone, Debug)]
pub struct Sources {
    pub profiles: Arc<Profiles>,
    /// As it was typed; `None`: whatever fits.
    pub asked: Setting<Option<String>>,
    /// Files of the user that are no profiles.
    pub broken: Vec<ProfileError>,
}

impl Sources {
    /// The same profiles, none of them asked for.
    pub fn unnamed(&self) -> Self {
        let profiles = Profiles { named: None, ..(*self.profiles).clone() };
        let asked = Setting { value: None, origin: Origin::Default };
        Self { profiles: Arc::new(profiles), asked, broken: self.broken.clone() }
    }

    /// Reads the user's profiles, and settles the option and the configuration file.
    pub fn resolve(option: Option<&str>, file: Option<&str>) -> Result<Self, ConfigError> {
        let (asked, origin) = match (option, file) {
            (Some(name), _) => (Some(name), Origin::Option("--source")),
            (None, Some(name)) => (Some(name), Origin::File),
            (None, None) => (None, Origin::Default),
        };
        let mut profiles = Profiles::default();
        let mut broken = Vec::new();
        if let Some(directory) = paths::profiles_directory() {
            broken = add_directory(&directory, &mut profiles);
        }
        if let Some(asked) = asked {
            profiles.named =
                Some(choose(asked, &mut profiles, &broken).map_err(|why| ConfigError::Source { origin, why })?);
        }
        let asked = Setting { value: asked.map(str::to_owned), origin };
        Ok(Self { profiles: Arc::new(profiles), asked, broken })
    }

    /// A profile by its name or its file, as an argument gives it.
    pub fn find(&self, asked: &str) -> Result<Arc<SourceProfile>, String> {
        let mut profiles = (*self.profiles).clone();
        let name = choose(asked, &mut profiles, &self.broken)?;
        let found = profiles.all.iter().find(|p| p.name == name).cloned();
        found.ok_or_else(|| unknown(&name, &profiles))
    }
}

/// What is said of a name that no profile has.
fn unknown(name: &str, profiles: &Profiles) -> String {
    let names = || profiles.all.iter().map(|p| p.name.as_str());
    match crate::domain::suggest::nearest(name, names()) {
        Some(near) => format!("no source profile '{}'; did you mean '{near}'?", Clean::line(name)),
        None => {
            format!("no source profile '{}'; known are {}", Clean::line(name), names().collect::<Vec<_>>().join(", "))
        }
    }
}

/// The name of the profile that is meant; one that is named by its file is added.
fn choose(asked: &str, profiles: &mut Profiles, broken: &[ProfileError]) -> Result<String, String> {
    if asked.contains('/') || asked.ends_with(".toml") {
        let profile = read(Path::new(asked)).map_err(|e| e.to_string())?;
        let name = profile.name.clone();
        add(profiles, profile);
        return Ok(name);
    }
    if profiles.all.iter().any(|p| p.name == asked) {
        return Ok(asked.to_owned());
    }
    // A file with a mistake has no name but that of the file.
    let ending = format!("/{asked}.toml");
    match broken.iter().find(|e| e.file.ends_with(&ending)) {
        Some(error) => Err(error.to_string()),
        None => Err(unknown(asked, profiles)),
    }
}

/// A profile takes the place of one of the same name.
fn add(profiles: &mut Profiles, profile: SourceProfile) {
    profiles.all.retain(|p| p.name != profile.name);
    profiles.all.push(Arc::new(profile));
}

fn read(path: &Path) -> Result<SourceProfile, ProfileError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|e| ProfileError {
        file: file.clone(),
        line: 0,
        key: String::new(),
        why: e.to_string(),
    })?;
    let profile = SourceProfile::parse(&file, &text)?;
    // What has this name is written to, and is known by tables that no other source has.
    if profile.is_own() {
        let line = text.lines().position(|l| l.trim_start().starts_with("name")).map_or(0, |n| n + 1);
        let why = "'own' is the name of renewscope's own tables; give the profile another".to_owned();
        return Err(ProfileError { file, line, key: "name".to_owned(), why });
    }
    Ok(SourceProfile { file: Some(path.to_owned()), ..profile })
}

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
