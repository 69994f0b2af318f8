//! The fixed words of the mask: what keeps its digits, what belongs to a value, and what is no name.
//!
//! Called by the other files of `signature` alone. A change here changes signatures, so it needs a new version.

/// Longest word of any list.
const LONGEST: usize = 24;

/// The word in lower case, or `None` where it is longer than every listed word.
fn lower(word: &[u8]) -> Option<([u8; LONGEST], usize)> {
    let mut copy = [0; LONGEST];
    let target = copy.get_mut(..word.len())?;
    target.copy_from_slice(word);
    target.make_ascii_lowercase();
    Some((copy, word.len()))
}

/// Whether a word is one of the literals, ASCII case ignored. Words longer than [`LONGEST`] are not.
macro_rules! listed {
    ($word:expr; $($entry:literal)+) => {
        match lower($word) {
            Some((copy, length)) => matches!(copy.get(..length), Some($($entry)|+)),
            None => false,
        }
    };
}

/// Whether all digits of the word belong to technical terms, as in `x509` or `ECDSA-P256`: such a word is text.
pub(super) fn is_technical(word: &[u8]) -> bool {
    is_term(word)
        || word
            .split(|b| !b.is_ascii_alphanumeric() && *b < 0x80)
            .all(|part| !part.iter().any(u8::is_ascii_digit) || is_term(part))
}

/// Whether the word itself is a technical term whose digits are part of its name.
fn is_term(word: &[u8]) -> bool {
    listed!(word;
        b"x509" b"x.509" b"x25519" b"ed25519" b"ed448" b"curve25519" b"p256" b"p384" b"p521" b"secp256r1"
        b"secp384r1" b"secp521r1" b"secp256k1" b"prime256v1" b"sha1" b"sha2" b"sha3" b"sha224" b"sha256"
        b"sha384" b"sha512" b"sha-1" b"sha-256" b"sha-384" b"sha-512" b"sha1withrsa" b"sha256withrsa"
        b"sha384withrsa" b"sha512withrsa" b"sha1withrsaencryption" b"sha256withrsaencryption"
        b"sha384withrsaencryption" b"sha512withrsaencryption" b"md4" b"md5" b"crc32" b"rc4" b"3des" b"aes128"
        b"aes192" b"aes256" b"rs256" b"rs384" b"rs512" b"es256" b"es384" b"es512" b"hs256" b"ps256" b"pkcs1"
        b"pkcs5" b"pkcs7" b"pkcs8" b"pkcs9" b"pkcs10" b"pkcs11" b"pkcs12" b"p12" b"p7b" b"asn1" b"asn.1" b"tpm1"
        b"tpm2" b"tls1" b"tlsv1" b"ssl2" b"ssl3" b"sslv2" b"sslv3" b"ssh2" b"oauth2" b"socks4" b"socks5" b"krb5"
        b"http-01" b"dns-01" b"tls-alpn-01" b"tls-sni-01" b"ipv4" b"ipv6" b"ip4" b"ip6" b"tcp4" b"tcp6" b"udp4"
        b"udp6" b"inet6" b"http1" b"http2" b"http3" b"h2" b"h2c" b"h3" b"base32" b"base58" b"base64" b"utf8"
        b"utf16" b"utf32" b"utf-8" b"utf-16" b"int8" b"int16" b"int32" b"int64" b"uint8" b"uint16" b"uint32"
        b"uint64" b"float32" b"float64" b"win32" b"win64" b"x86" b"x64" b"amd64" b"arm64" b"k8s" b"s3" b"ec2"
        b"v1" b"v2" b"v3" b"l2" b"l3" b"i2c" b"log4j" b"slf4j" b"sqlite3" b"bzip2" b"lz4" b"ext3" b"ext4"
        b"nfs4" b"e2e" b"p2p"
    )
}

/// Whether the word is a unit or a time zone that belongs to the value before it.
pub(super) fn is_unit(word: &[u8]) -> bool {
    // Letters that mean something else in the other case.
    if word.len() == 1 {
        return matches!(
            word,
            b"s" | b"m" | b"h" | b"d" | b"B" | b"K" | b"M" | b"G" | b"T" | b"C" | b"F" | b"Z" | b"%"
        );
    }
    if matches!(word, b"\xc2\xb5s" | b"\xce\xbcs" | b"\xc2\xb0C" | b"\xc2\xb0F") {
        return true;
    }
    listed!(word;
        b"ns" b"us" b"ms" b"nsec" b"usec" b"msec" b"sec" b"secs" b"second" b"seconds" b"min" b"mins" b"minute"
        b"minutes" b"hr" b"hrs" b"hour" b"hours" b"day" b"days" b"week" b"weeks" b"month" b"months" b"year"
        b"years" b"nanoseconds" b"microseconds" b"millis" b"millisecond" b"milliseconds" b"utc" b"gmt" b"cet"
        b"cest" b"eet" b"eest" b"bst" b"est" b"edt" b"cst" b"cdt" b"mst" b"mdt" b"pst" b"pdt" b"jst" b"msk"
        b"am" b"pm" b"kb" b"mb" b"gb" b"tb" b"pb" b"kib" b"mib" b"gib" b"tib" b"byte" b"bytes" b"bit" b"bits"
        b"kbytes" b"mbytes" b"gbytes" b"kb/s" b"mb/s" b"gb/s" b"b/s" b"kbps" b"mbps" b"gbps" b"hz" b"khz" b"mhz"
        b"ghz" b"mv" b"mw" b"rpm" b"percent"
    )
}

/// Whether the word names a month or a day of the week, written with a capital: it belongs to the date behind it.
pub(super) fn is_date_word(word: &[u8]) -> bool {
    word.first().is_some_and(u8::is_ascii_uppercase)
        && listed!(word;
            b"jan" b"feb" b"mar" b"apr" b"may" b"jun" b"jul" b"aug" b"sep" b"sept" b"oct" b"nov" b"dec"
            b"january" b"february" b"march" b"april" b"june" b"july" b"august" b"september" b"october"
            b"november" b"december" b"mon" b"tue" b"wed" b"thu" b"fri" b"sat" b"sun" b"monday" b"tuesday"
            b"wednesday" b"thursday" b"friday" b"saturday" b"sunday"
        )
}

/// Whether the word after `user`, `lookup` and the like is text and no name.
pub(super) fn is_no_name(word: &[u8]) -> bool {
    listed!(word;
        b"a" b"an" b"the" b"any" b"this" b"that" b"is" b"was" b"are" b"has" b"had" b"does" b"did" b"do" b"can"
        b"cannot" b"could" b"may" b"must" b"should" b"will" b"would" b"not" b"no" b"and" b"or" b"of" b"in" b"on"
        b"at" b"to" b"for" b"from" b"by" b"with" b"without" b"as" b"if" b"when" b"unknown" b"invalid" b"illegal"
        b"missing" b"user" b"name" b"names" b"id" b"ids" b"account" b"accounts" b"group" b"groups" b"agent"
        b"input" b"data" b"session" b"sessions" b"process" b"mode" b"space" b"defined" b"interface" b"profile"
        b"service" b"quota" b"limit" b"level" b"certificate" b"certificates" b"credentials" b"credential"
        b"password" b"key" b"keys" b"store" b"directory" b"database" b"permission" b"permissions" b"context"
        b"token" b"info" b"information" b"login" b"logged" b"logout" b"added" b"created" b"deleted" b"removed"
        b"request" b"requested" b"requests" b"canceled" b"cancelled" b"denied" b"failed" b"failure" b"error"
        b"errors" b"timeout" b"timed" b"table" b"use" b"usage" b"authentication" b"auth" b"authorization"
        b"access" b"action" b"address" b"attribute" b"entry" b"record" b"type" b"code" b"message" b"messages"
        b"settings" b"role" b"roles" b"identity" b"mismatch" b"field" b"cache" b"server" b"client" b"host"
        b"domain" b"which" b"who" b"whose" b"command" b"program" b"lookup" b"list" b"count" b"home" b"pool"
        b"policy" b"state" b"status" b"time" b"value" b"abort" b"aborted" b"interrupt" b"exists" b"already"
        b"be" b"been" b"but" b"only" b"all"
    )
}

/// Words that join compounds such as `man-in-the-middle`.
pub(super) fn is_joining(word: &[u8]) -> bool {
    listed!(word;
        b"a" b"an" b"the" b"of" b"in" b"on" b"at" b"to" b"by" b"for" b"from" b"and" b"or" b"non" b"not" b"up"
        b"per" b"pre" b"re" b"self" b"over" b"out" b"as" b"is" b"with" b"without"
    )
}

/// Whether the last part of a dotted name makes it a host or a file: such a name is a value.
pub(super) fn is_host_or_file(word: &[u8]) -> bool {
    listed!(word;
        b"com" b"org" b"net" b"edu" b"gov" b"mil" b"int" b"io" b"dev" b"app" b"cloud" b"info" b"biz" b"local"
        b"lan" b"internal" b"localdomain" b"home" b"corp" b"test" b"example" b"invalid" b"svc" b"de" b"uk" b"fr"
        b"nl" b"eu" b"ch" b"se" b"dk" b"fi" b"pl" b"cz" b"es" b"br" b"jp" b"cn" b"ru" b"au" b"ca" b"us" b"it"
        b"crt" b"cer" b"pem" b"key" b"csr" b"der" b"pfx" b"p12" b"jks" b"log" b"conf" b"cfg" b"ini" b"json"
        b"yaml" b"yml" b"xml" b"toml" b"txt" b"csv" b"tsv" b"html" b"js" b"py" b"rb" b"go" b"rs" b"java" b"jar"
        b"cpp" b"so" b"dll" b"exe" b"sys" b"ko" b"sh" b"bat" b"sql" b"db" b"sqlite" b"lock" b"pid" b"sock"
        b"tmp" b"bak" b"gz" b"tgz" b"zip" b"tar" b"rpm" b"deb" b"img" b"iso" b"bin" b"dat" b"service" b"socket"
        b"timer" b"mount" b"scope" b"slice" b"properties" b"tmpl" b"pending"
    )
}
