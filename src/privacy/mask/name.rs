//! Names that say that their value is a secret.

/// Whether the value of a member, header or parameter with this name is a secret: `password`, `X-Api-Key`,
/// `stripeSecretKey`, `refresh_token`, and not `passwordPolicy`, `maxTokens`, `nextPageToken` or `author`.
///
/// The end of a name tells what it is, so only its last words count, wherever one word ends: at an upper case letter, a
/// digit, a blank or punctuation.
pub fn is_secret_name(name: &str) -> bool {
    // No name is that long; a text may be.
    if name.len() > LONGEST_NAME {
        return false;
    }
    let words = words(name);
    let is_beside = |word: &&str| BESIDE.contains(word) || word.bytes().all(|byte| byte.is_ascii_digit());
    let mut words = words.rsplit(' ').skip_while(is_beside);
    let Some(last) = words.next() else { return false };
    let before = words.next();
    if SECRETS.contains(&last) {
        return !before.is_some_and(|word| HARMLESS.contains(&(word, last)));
    }
    before.is_some_and(|word| PAIRS.contains(&(word, last)))
}

const LONGEST_NAME: usize = 128;

/// Words that are a secret at the end of a name.
const SECRETS: &[&str] = &[
    "apikey",
    "apitoken",
    "authorization",
    "authtoken",
    "accesstoken",
    "bearer",
    "clientsecret",
    "connectionstring",
    "contraseña",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "csrf",
    "cvc",
    "cvv",
    "dsn",
    "jwt",
    "kennwort",
    "mnemonic",
    "otp",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "passwort",
    "pin",
    "pincode",
    "privatekey",
    "pwd",
    "refreshtoken",
    "secret",
    "secretkey",
    "secrets",
    "senha",
    "signingkey",
    "ssn",
    "token",
    "totp",
    "xsrf",
    "пароль",
];

/// Two words that are a secret at the end of a name.
const PAIRS: &[(&str, &str)] = &[
    ("access", "key"),
    ("access", "signature"),
    ("account", "key"),
    ("admin", "key"),
    ("admin", "pass"),
    ("api", "key"),
    ("api", "keys"),
    ("authorization", "code"),
    ("auth", "key"),
    ("backup", "code"),
    ("backup", "codes"),
    ("card", "number"),
    ("connection", "string"),
    ("credit", "card"),
    ("database", "url"),
    ("db", "pass"),
    ("encryption", "key"),
    ("fa", "code"),
    ("factor", "code"),
    ("ftp", "pass"),
    ("functions", "key"),
    ("hmac", "key"),
    ("license", "key"),
    ("mail", "pass"),
    ("master", "key"),
    ("mfa", "code"),
    ("mongo", "uri"),
    ("mongo", "url"),
    ("mongodb", "uri"),
    ("mongodb", "url"),
    ("mysql", "pass"),
    ("otp", "code"),
    ("pin", "code"),
    ("postgres", "pass"),
    ("postgres", "url"),
    ("priv", "key"),
    ("private", "key"),
    ("protection", "bypass"),
    ("proxy", "pass"),
    ("recovery", "code"),
    ("recovery", "codes"),
    ("redis", "pass"),
    ("redis", "url"),
    ("role", "key"),
    ("root", "pass"),
    ("secret", "key"),
    ("security", "code"),
    ("seed", "phrase"),
    ("session", "id"),
    ("session", "key"),
    ("shared", "key"),
    ("signing", "key"),
    ("signing", "keys"),
    ("smtp", "pass"),
    ("subscription", "key"),
    ("user", "pass"),
    ("verification", "code"),
];

/// Pairs whose second word would be a secret without the first.
const HARMLESS: &[(&str, &str)] = &[
    ("bos", "token"),
    ("cancel", "token"),
    ("cancellation", "token"),
    ("change", "token"),
    ("continuation", "token"),
    ("design", "token"),
    ("eos", "token"),
    ("first", "token"),
    ("last", "token"),
    ("max", "token"),
    ("next", "token"),
    ("pad", "token"),
    ("page", "token"),
    ("pagination", "token"),
    ("per", "token"),
    ("previous", "token"),
    ("special", "token"),
    ("stop", "token"),
    ("sync", "token"),
    ("unk", "token"),
    ("data", "pin"),
    ("gpio", "pin"),
    ("has", "pin"),
    ("input", "pin"),
    ("is", "pin"),
    ("led", "pin"),
    ("map", "pin"),
    ("output", "pin"),
    ("has", "password"),
    ("has", "secret"),
    ("has", "token"),
    ("is", "secret"),
    ("needs", "password"),
    ("requires", "password"),
    ("reset", "password"),
    ("forgot", "password"),
    ("change", "password"),
];

/// Words behind a secret that leave it one.
const BESIDE: &[&str] = &[
    "base",
    "confirm",
    "confirmation",
    "current",
    "encoded",
    "hash",
    "new",
    "old",
    "pem",
    "plain",
    "previous",
    "raw",
    "value",
];

/// The words of a name in lower case, with blanks between them. Nothing, if no name is written so.
fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 8);
    let mut before = ' ';
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        if matches!(letter, '<' | '>' | '=' | '{' | '\n') {
            return String::new();
        }
        if !letter.is_alphanumeric() {
            before = ' ';
            continue;
        }
        // `apiKey`: a word ends before K; `APIKey`: also before K, for the letter behind it is small; `key2`: before 2.
        let next_is_small = letters.peek().is_some_and(|next| next.is_lowercase());
        let begins = before == ' '
            || (letter.is_uppercase() && (before.is_lowercase() || (before.is_uppercase() && next_is_small)))
            || letter.is_numeric() != before.is_numeric();
        if begins && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
        before = letter;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        for name in [
            "password",
            "Password",
            "PASSWORD",
            "userPassword",
            "user_password",
            "db-password",
            "password2",
            "passwordHash",
            "newPasswordConfirmation",
            "secret",
            "client_secret",
            "clientSecret",
            "AWS_SECRET_ACCESS_KEY",
            "token",
            "QSTASH_TOKEN",
            "accessToken",
            "refresh_token",
            "csrfToken",
            "_authToken",
            "idToken",
            "apiKey",
            "API_KEY",
            "X-Api-Key",
            "APIKey",
            "apikey",
            "Authorization",
            "proxy-authorization",
            "Cookie",
            "set-cookie",
            "privateKey",
            "QSTASH_CURRENT_SIGNING_KEY",
            "credentials",
            "cvv",
            "cardNumber",
            "connectionString",
            "DATABASE_URL",
            "sessionId",
            "jwt",
            "ssn",
            "stripe secret key",
            "nextSecret",
            "tokenValue",
            "dsn",
            "PASSWORD_OLD",
            "tokenNew",
            "privateKeyPem",
            "mfaCode",
            "2faCode",
            "verification_code",
            "recoveryCodes",
            "csrf",
            "x-xsrf-token",
            "pin",
            "cardPin",
            "passwort",
            "Kennwort",
            "Пароль",
            "x-vercel-protection-bypass",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn harmless_names() {
        for name in [
            "",
            "name",
            "key",
            "keys",
            "id",
            "author",
            "authorized",
            "authorizationUrl",
            "passwordPolicy",
            "passwordResetAt",
            "hasPassword",
            "maxTokens",
            "tokens",
            "tokenCount",
            "prompt_tokens",
            "token_type",
            "nextPageToken",
            "continuation_token",
            "secretary",
            "keyboard",
            "monkey",
            "flowControlKey",
            "primaryKey",
            "publicKey",
            "cookieConsent",
            "passenger",
            "compass",
            "tokenize",
            "secretsManagerArn",
            "url",
            "workflowRunId",
            "session",
            "sessionLength",
            "cursor",
            "card",
            "number",
            "auth",
            "authType",
            "csrfEnabled",
            "gpioPin",
            "pinned",
            "pins",
            "pinnedAt",
            "old",
            "publicKeyPem",
            "statusCode",
            "errorCode",
            "countryCode",
            "mfaEnabled",
            "protectionBypassed",
            "signature",
            "apiKeyId",
            "2",
            "__",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
        assert!(!is_secret_name(&"password ".repeat(1000)));
    }
}
