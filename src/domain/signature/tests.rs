//! The mask on messages by kind, on renewal errors with random parameters, and on hostile input.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const BY_KIND: &str = include_str!("../../../tests/fixtures/messages-by-kind.txt");
const TEMPLATES: &str = include_str!("../../../tests/fixtures/renewal-errors.tsv");

fn text(message: &str) -> String {
    Signature::of(message).text
}

#[test]
fn messages_of_a_kind_share_a_signature_and_no_two_kinds_do() {
    let mut kinds: HashMap<String, usize> = HashMap::new();
    let blocks = BY_KIND.lines().skip(1).collect::<Vec<_>>();
    let blocks: Vec<_> = blocks.split(|line| line.trim().is_empty()).filter(|b| !b.is_empty()).collect();
    assert!(blocks.len() > 170, "{}", blocks.len());
    for (kind, block) in blocks.iter().enumerate() {
        for message in *block {
            assert_eq!(text(message), text(block[0]), "{message}");
        }
        let other = kinds.insert(text(block[0]), kind);
        assert_eq!(other, None, "{} is the kind of {}", block[0], blocks[other.unwrap_or_default()][0]);
    }
}

/// Random parameters, the same in each run.
struct Parameters(u64);

impl Parameters {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }
    fn letters(&mut self, alphabet: &str, length: u64) -> String {
        (0..length).map(|_| alphabet.as_bytes()[self.below(alphabet.len() as u64) as usize] as char).collect()
    }
    fn word(&mut self) -> &'static str {
        self.one(&["edge", "vault", "kube", "press", "lyon", "ca", "agent", "issuer", "gateway", "store", "line"])
    }
    fn host(&mut self) -> String {
        if self.below(4) == 0 { self.word().to_owned() } else { self.domain() }
    }
    fn domain(&mut self) -> String {
        match self.below(3) {
            1 => format!("{}-{}.{}", self.word(), self.below(99), self.one(&["svc.cluster.local", "internal", "lan"])),
            2 => format!("{}.{}", self.word(), self.one(&["com", "org", "net", "io", "de", "dev"])),
            _ => {
                format!("{}.{}.{}", self.word(), self.word(), self.one(&["example.com", "example.org", "co.uk", "it"]))
            }
        }
    }
    fn clock(&mut self) -> String {
        format!("{:02}:{:02}:{:02}", self.below(24), self.below(60), self.below(60))
    }
    fn day(&mut self) -> String {
        format!("{}-{:02}-{:02}", 2020 + self.below(9), 1 + self.below(12), 1 + self.below(28))
    }
    fn path(&mut self) -> String {
        let root = self.one(&["/var/lib", "/etc", "/dev", "/run", "/srv/data"]);
        format!("{root}/{}/{}{}", self.word(), self.word(), self.one(&[".crt", ".key.pending", "0", "", "-1.pem"]))
    }
    fn value(&mut self, kind: &str) -> String {
        let hex = "0123456789abcdef";
        match kind {
            "id" => self.letters("0123456789abcdefghijklmnopqrstuv", 52),
            "hex" => self.letters(hex, 8),
            "uuid" => [8, 4, 4, 4, 12].map(|n| self.letters(hex, n)).join("-"),
            "int" => self.below(1000).to_string(),
            "port" => (1 + self.below(65_000)).to_string(),
            "ip" if self.below(2) == 0 => format!("10.{}.{}.{}:53", self.below(256), self.below(256), self.below(256)),
            "ip" => format!("10.{}.{}.{}", self.below(256), self.below(256), self.below(256)),
            "host" => self.host(),
            "domain" => self.domain(),
            "bare" if self.below(2) == 0 => self.word().to_owned(),
            "bare" => format!("localhost, {}-{}, {}", self.word(), self.word(), self.host()),
            "name" => format!("{}{}{}", self.word(), self.one(&["-", "/", ".", "_", "-7"]), self.word()),
            "path" => self.path(),
            "dur" => self.one(&["1h0m0s", "30m", "168h0m0s", "90 seconds", "3 hours", "250ms"]).to_owned(),
            "rfc" => format!("{}T{}{}", self.day(), self.clock(), self.one(&["Z", "+01:00", ".831148839Z"])),
            "gotime" => format!("{} {} {}", self.day(), self.clock(), self.one(&["+0000 UTC", "UTC", "-0700 PDT"])),
            "gonow" => format!("{} {}.482913 +0000 UTC m=+{}.117", self.day(), self.clock(), self.below(99_999)),
            "url" => {
                let port = self.one(&["", ":8443", ":8200"]);
                format!("https://{}{port}/v1/{}/{}?v={}", self.host(), self.word(), self.letters(hex, 9), self.below(9))
            }
            other => panic!("no parameter '{other}'"),
        }
    }
    fn fill(&mut self, template: &str) -> String {
        let mut message = String::new();
        let mut rest = template;
        while let Some((literal, after)) = rest.split_once('{') {
            let (kind, after) = after.split_once('}').unwrap();
            message.push_str(literal);
            message.push_str(&self.value(kind));
            rest = after;
        }
        message + rest
    }
}

/// The share of messages whose group is exactly the true one, as the papers on log parsing count it.
fn grouping_accuracy(messages: &[(usize, String)]) -> f64 {
    let mut truth: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut found: HashMap<SigId, Vec<usize>> = HashMap::new();
    for (i, (kind, message)) in messages.iter().enumerate() {
        truth.entry(*kind).or_default().push(i);
        found.entry(Signature::of(message).id).or_default().push(i);
    }
    let right: usize = found.values().filter(|g| truth[&messages[g[0]].0] == **g).map(Vec::len).sum();
    right as f64 / messages.len() as f64
}

#[test]
fn renewal_errors_are_grouped_by_what_they_say() {
    let mut parameters = Parameters(0x9e37_79b9_7f4a_7c15);
    let templates: Vec<&str> = TEMPLATES.lines().skip(1).map(|line| line.split_once('\t').unwrap().1).collect();
    let mut messages = Vec::new();
    for (kind, template) in templates.iter().enumerate() {
        // As the file writes line breaks, and as an agent does.
        let template = if kind % 2 == 0 { (*template).to_owned() } else { template.replace("\\n", "\n") };
        messages.extend((0..50).map(|_| (kind, parameters.fill(&template))));
    }
    let accuracy = grouping_accuracy(&messages);
    assert!(accuracy >= 0.97, "{accuracy}");
}

/// An id that changes here breaks every stored filter: a mask that must differ is a new version.
#[test]
fn ids_of_version_1_stay() {
    assert_eq!(VERSION, 1);
    for (message, id) in [
        ("", "e484e9d1b9"),
        ("certificate has expired", "3d1d11580d"),
        ("read tcp 10.0.0.1:51234->10.0.0.2:443: i/o timeout", "d11aa8c0f0"),
        (
            "x509: certificate has expired or is not yet valid: current time 2025-11-29T14:03:22Z is after 2025-11-01T10:00:00Z",
            "a12c49e145",
        ),
        ("device \"c860jhsr1uj96\" not found - recovery requires existing device", "fc1b85f643"),
        ("Failed password for invalid user webmaster from 173.234.31.186 port 38926 ssh2", "74577a5187"),
        ("certificate still expired (x52)", "185a7752da"),
        ("证书在30天后过期", "77b92f80fa"),
    ] {
        assert_eq!(Signature::of(message).id.to_string(), id, "{message}: {}", text(message));
    }
}

#[test]
fn what_is_masked_and_what_stays() {
    for (message, masked) in [
        ("  a\t\r\nb\u{a0}c\0d  ", "a b c d"),
        ("it's \"one\" and \"two words\" 'x' ''", "it's \"<*>\" and \"two words\" '<*>' ''"),
        ("\"a\", \"b\" and \"c", "\"<*>\" and \"c"),
        ("say \\\"x\\\" and {\\\"key\\\":\\\"v\\\"}", "say \\\"<*>\\\" and {\\\"key\\\":\\\"<*>\\\"}"),
        ("k=v empty= n == 5, a=\"x\" b=\"y z\"", "k=<*> empty= n == <*>, a=\"<*>\" b=\"y z\""),
        ("read/write and/or a/b/c ./x TCP/IP crypto/x509", "read/write and/or <*> TCP/IP crypto/x509"),
        ("at Foo::bar tpm:session(3) error:badCSR code:400", "at Foo::bar tpm:session(<*>) error:badCSR code:<*>"),
        ("a.b.FooException x.y java.io.IOError org.a.b foo.crt", "a.b.FooException x.y java.io.IOError <*>"),
        ("x509 SHA256-RSA TPM2 v1 v17 IPv6 deadbeef defaced", "x509 SHA256-RSA TPM2 v1 <*> IPv6 <*> defaced"),
        ("wait 5 s. Then 10 KB! Or -3 % of <1 day", "wait <*>. Then <*>! Or <*> of <*>"),
        ("again (x52), and (5) again (5).", "again, and again."),
        ("Foo{12} foo(3) x7[2] 4(5)", "Foo{<*>} foo(<*>) <*>"),
        ("“edge” and «gerät» isn’t", "“<*>” and «<*>» isn’t"),
        ("<*> of \"<*>\" <*>", "<*> of \"<*>\" <*>"),
        ("***", "<*>"),
        ("... - :: / = '", "... - :: / = '"),
    ] {
        assert_eq!(text(message), masked, "{message}");
    }
}

#[test]
fn masked_values_are_at_hand() {
    for (message, masks, asides) in [
        ("status code 503 of 'edge-1'", &["503", "edge-1"][..], &[][..]),
        ("expired at Fri Jun 17 07:07:00 2005 UTC", &["17 07:07:00 2005 UTC"], &[]),
        ("to 10.0.0.1:53, 10.0.0.2:53 (x52): no", &["10.0.0.1:53, 10.0.0.2:53"], &["x52"]),
        ("nothing", &[], &[]),
        ("ws=WorkSource{10113}", &["WorkSource{10113}"], &[]),
    ] {
        assert_eq!(values(message), Values { masks: masks.to_vec(), asides: asides.to_vec() }, "{message}");
    }
}

#[test]
fn ids_are_read_as_they_are_printed() {
    let id = Signature::of("certificate has expired").id;
    assert_eq!(id.to_string().parse(), Ok(id));
    assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
    for (text, why) in [
        ("2.1f3a9c0b2e", "version 2"),
        ("1.1f3a9c0b2e", "ten hexadecimal digits"),
        ("x.1f3a9c0b2e", "ten hexadecimal digits"),
        ("1f3a9c0b2", "ten hexadecimal digits"),
        ("1f3a9c0b2e0", "ten hexadecimal digits"),
        ("+f3a9c0b2e", "ten hexadecimal digits"),
        ("", "ten hexadecimal digits"),
    ] {
        let error = text.parse::<SigId>().map_err(|e| e.to_string());
        assert!(error.clone().is_err_and(|e| e.contains(why)), "{text}: {error:?}");
    }
}

#[test]
fn words_are_the_literal_ones_of_four_letters() {
    let signature = Signature::of("tls: failed to verify certificate of \"edge-1\": x509: not-yet valid für 5 geräte");
    let words: Vec<_> = signature.words().collect();
    assert_eq!(words, ["failed", "verify", "certificate", "valid", "geräte"]);
}

#[test]
fn input_and_output_are_bounded() {
    let hostile =
        ["(", "\"", "\\\"", "'a ", "`", "[::", "a:", "5 ", "Jun ", "<", "=", ".", "/", "é", "\u{202e}", "{\"a\":"];
    for piece in hostile {
        let long = piece.repeat(1_000_000 / piece.len());
        let signature = Signature::of(&long);
        assert!(signature.text.chars().count() <= TEXT_CHARACTERS, "{piece}");
        let head: String = long.chars().take(INPUT_CHARACTERS).collect();
        assert_eq!(signature, Signature::of(&head), "{piece}");
        assert_eq!(text(&signature.text), signature.text, "{piece}");
    }
    let word = "certificate ".repeat(100);
    assert_eq!(text(&word), "certificate ".repeat(25).trim_end());
}

/// Pieces that meet each rule, in any order.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => proptest::sample::select(vec![
            "5", "<*>", "user", "lookup", "on", "for", "valid", "not", "password", "m=+0.1", "=", "+3", "(", ")", "[", "]", "{",
            "}", "<", ">", "\"", "'", "`", "\\\"", "\\n", "\n\tat a.b(c)", "/", "http://x/y?a=b", "C:\\x", "...", ".", ",", ":",
            "|", "-", "%", "a@b", "KB", "s", "UTC", "Jun", "Fri", "[::1]:5", "example.com", "a.b.FooException", "true",
            "x509", "urn:a:b", "é", "证书", "“", "”", "’", "\u{a0}", "\0", "key=", "'<'", "<1", " (5) ", "lookup Mon  on",
        ]).prop_map(str::to_owned),
        1 => "[a-z]{1,9}",
        1 => any::<String>(),
    ];
    proptest::collection::vec((piece, any::<bool>()), 0..40)
        .prop_map(|pieces| pieces.into_iter().map(|(p, space)| if space { p + " " } else { p }).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_signature_is_its_own_signature(message in soup()) {
        let signature = Signature::of(&message);
        prop_assert_eq!(&Signature::of(&signature.text), &signature);
        prop_assert!(signature.text.chars().count() <= TEXT_CHARACTERS);
        prop_assert!(!signature.text.contains(|c: char| c.is_control()));
        prop_assert_eq!(values(&message).masks.len(), signature.text.matches(MASK).count());
    }

    #[test]
    fn a_message_has_the_words_of_its_signature_in_order(message in soup()) {
        let signature = Signature::of(&message);
        let mut from = 0;
        for word in signature.words() {
            let at = message[from..].find(word);
            prop_assert!(at.is_some(), "{} in {}", word, signature.text);
            from += at.unwrap_or_default() + word.len();
        }
    }
}

#[test]
fn the_head_of_a_page_has_the_signature_of_the_whole() {
    for line in BY_KIND.lines().chain(TEMPLATES.lines()).filter(|line| line.chars().count() <= 400) {
        let head: String = line.chars().take(400).collect();
        assert_eq!(Signature::of(&head), Signature::of(line));
    }
}
