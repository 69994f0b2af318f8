//! The two forms of a server's address: `postgres://…` and `keyword=value …`, cut into parameters as libpq cuts them.
//!
//! No error repeats a part of an address: where it was cut in the wrong place, any part may be one of the password.

use crate::protocol::SourceError;
use crate::store::connect::address::settings::Settings;

/// An error that says what is wrong with the form of an address.
fn invalid(why: &str) -> SourceError {
    SourceError::Invalid(format!("the database address cannot be read: {why}"))
}

/// How to write what would end a user's name or a password.
const ESCAPES: &str = "in a user's name or a password write '/' as %2F, '@' as %40, ':' as %3A, '?' as %3F, '%' as %25";

/// Reads what follows `postgres://`.
pub fn read_uri(rest: &str, settings: &mut Settings) -> Result<(), SourceError> {
    let (user, rest) = split_user(rest);
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (hosts, database) = place.split_once('/').unwrap_or((place, ""));
    if let Some(user) = user {
        let (name, password) = user.split_once(':').map_or((user, None), |(name, password)| (name, Some(password)));
        settings.write("user", decoded(name)?)?;
        if let Some(password) = password {
            settings.write("password", decoded(password)?)?;
        }
    }
    if !hosts.is_empty() {
        let (names, ports) = split_hosts(hosts)?;
        settings.write("host", names.join(","))?;
        if ports.iter().any(|port| !port.is_empty()) {
            settings.write("port", ports.join(","))?;
        }
    }
    // Such a name is rather the rest of a password that was cut at its '/'.
    if database.contains(['/', '@', ':']) {
        return Err(invalid(&format!("the name of the database has a '/', '@' or ':'; {ESCAPES}")));
    }
    if !database.is_empty() {
        settings.write("dbname", decoded(database)?)?;
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let Some((parameter, value)) = pair.split_once('=') else {
            return Err(invalid(&format!("a parameter without '=' and a value; {ESCAPES}")));
        };
        settings.write(&decoded(parameter)?, decoded(value)?)?;
    }
    Ok(())
}

/// The user with the password, and what follows. An unescaped `@` or `?` belongs to the password as long as that leaves
/// one way to read the address.
fn split_user(rest: &str) -> (Option<&str>, &str) {
    let head = rest.split('/').next().unwrap_or(rest);
    let before_query = head.split('?').next().unwrap_or(head);
    let at = before_query.rfind('@').or_else(|| {
        let at = head.rfind('@')?;
        let doubtful = head.get(before_query.len()..at)?;
        (!doubtful.contains('=')).then_some(at)
    });
    match at.and_then(|at| Some((rest.get(..at)?, rest.get(at + 1..)?))) {
        Some((user, rest)) => (Some(user), rest),
        None => (None, rest),
    }
}

/// Hosts and ports of a list, each list as long as the other.
fn split_hosts(text: &str) -> Result<(Vec<String>, Vec<String>), SourceError> {
    let mut hosts = Vec::new();
    let mut ports = Vec::new();
    for one in text.split(',') {
        let (host, port) = match one.strip_prefix('[') {
            Some(literal) => {
                let (literal, after) = literal.split_once(']').ok_or_else(|| invalid("a '[' without its ']'"))?;
                let port = after.strip_prefix(':').unwrap_or(after);
                if after.len() == port.len() && !after.is_empty() {
                    return Err(invalid("a ']' is followed by ':PORT', or by nothing"));
                }
                (literal, port)
            }
            None => one.split_once(':').unwrap_or((one, "")),
        };
        if !port.bytes().all(|b| b.is_ascii_digit()) {
            return Err(invalid(&format!("a port is a number; an IPv6 address stands in '[ ]'; {ESCAPES}")));
        }
        hosts.push(decoded(host)?);
        ports.push(port.to_owned());
    }
    Ok((hosts, ports))
}

/// Reads `keyword=value keyword='a value'`.
pub fn read_keywords(text: &str, settings: &mut Settings) -> Result<(), SourceError> {
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (keyword, after) = rest.split_once('=').ok_or_else(|| invalid("a keyword without '=' and a value"))?;
        let (value, after) = keyword_value(after.trim_start())?;
        settings.write(keyword.trim(), value)?;
        rest = after.trim_start();
    }
    Ok(())
}

/// A value, and what follows it. A backslash protects the next character, in quotes and outside.
fn keyword_value(text: &str) -> Result<(String, &str), SourceError> {
    let (quoted, text) = text.strip_prefix('\'').map_or((false, text), |inner| (true, inner));
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => value.extend(characters.next().map(|(_, c)| c)),
            '\'' if quoted => return Ok((value, text.get(at + 1..).unwrap_or_default())),
            c if c.is_whitespace() && !quoted => return Ok((value, text.get(at..).unwrap_or_default())),
            c => value.push(c),
        }
    }
    if quoted { Err(invalid("a value in quotes that has no end")) } else { Ok((value, "")) }
}

/// Without the percent signs of an address. A NUL would end a parameter on its way to the server.
fn decoded(text: &str) -> Result<String, SourceError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let hex = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = hex.filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = byte.and_then(|two| u8::from_str_radix(two, 16).ok());
        let byte = byte.ok_or_else(|| invalid(&format!("a '%' is followed by two hexadecimal digits; {ESCAPES}")))?;
        if byte == 0 {
            return Err(invalid("'%00' stands for a character that no name and no password may have"));
        }
        bytes.push(byte);
        rest = after.get(2..).unwrap_or_default();
    }
    String::from_utf8(bytes).map_err(|_| invalid("what it escapes with '%' is not UTF-8"))
}
