//! The expression language of `Upstash-Retry-Delay`: numbers, `retried`, `+ - * /`, parentheses and nine functions.

use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;

/// The delay before a retry when nobody said another: `min(86400, e^(2.5 n))` seconds, whole, where n counts retries
/// from 1 (`qstash/features/retry.mdx`).
pub fn default_delay(retried: u32) -> Duration {
    let seconds = (2.5 * (f64::from(retried) + 1.0)).exp().floor();
    Duration::from_secs_f64(seconds.min(LONGEST_DELAY.as_secs_f64()))
}

/// No delay before a retry is longer.
pub const LONGEST_DELAY: Duration = Duration::from_hours(24);

/// An expression that was read and can be evaluated for any number of retries.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression(Node);

impl Expression {
    /// Reads an expression.
    ///
    /// [`Code::InvalidExpression`] if it can't be read, is longer than 256 characters or nested deeper than 32.
    pub fn parse(text: &str) -> Result<Self> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        let node = if text.len() > MAX_LENGTH {
            Err(format!("is longer than {MAX_LENGTH} characters"))
        } else {
            parser.sum().and_then(|node| match parser.peek() {
                None => Ok(node),
                Some(_) => Err(parser.unexpected()),
            })
        };
        node.map(Self).map_err(|reason| {
            Error::new(
                Code::InvalidExpression,
                format!(
                    "the retry delay '{}' {reason}; expected milliseconds as numbers, 'retried', + - * /, parentheses, \
                     and the functions pow sqrt abs exp floor ceil round min max",
                    shown(text)
                ),
            )
        })
    }

    /// The value after `retried` retries. It may be negative, infinite or not a number.
    pub fn evaluate(&self, retried: u32) -> f64 {
        self.0.evaluate(f64::from(retried))
    }

    /// The delay after `retried` retries: nothing below zero, [`LONGEST_DELAY`] above it, and [`default_delay`] for what is
    /// not a number.
    pub fn delay(&self, retried: u32) -> Duration {
        let seconds = self.evaluate(retried) / 1000.0;
        if seconds.is_nan() {
            return default_delay(retried);
        }
        Duration::from_secs_f64(seconds.clamp(0.0, LONGEST_DELAY.as_secs_f64()))
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Number(f64),
    Retried,
    Negate(Box<Node>),
    Binary(u8, Box<Node>, Box<Node>),
    Call(Function, Vec<Node>),
}

impl Node {
    fn evaluate(&self, retried: f64) -> f64 {
        match self {
            Node::Number(number) => *number,
            Node::Retried => retried,
            Node::Negate(node) => -node.evaluate(retried),
            Node::Binary(operator, left, right) => {
                let (left, right) = (left.evaluate(retried), right.evaluate(retried));
                match operator {
                    b'+' => left + right,
                    b'-' => left - right,
                    b'*' => left * right,
                    _ => left / right,
                }
            }
            Node::Call(function, arguments) => {
                let values: Vec<f64> = arguments.iter().map(|node| node.evaluate(retried)).collect();
                function.apply(&values)
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Pow,
    Sqrt,
    Abs,
    Exp,
    Floor,
    Ceil,
    Round,
    Min,
    Max,
}

impl Function {
    /// Name, function, fewest and most arguments.
    const TABLE: [(&'static str, Function, usize, usize); 9] = [
        ("pow", Function::Pow, 2, 2),
        ("sqrt", Function::Sqrt, 1, 1),
        ("abs", Function::Abs, 1, 1),
        ("exp", Function::Exp, 1, 1),
        ("floor", Function::Floor, 1, 1),
        ("ceil", Function::Ceil, 1, 1),
        ("round", Function::Round, 1, 1),
        ("min", Function::Min, 1, MAX_LENGTH),
        ("max", Function::Max, 1, MAX_LENGTH),
    ];

    fn apply(self, values: &[f64]) -> f64 {
        let argument = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        match self {
            Function::Pow => argument(0).powf(argument(1)),
            Function::Sqrt => argument(0).sqrt(),
            Function::Abs => argument(0).abs(),
            Function::Exp => argument(0).exp(),
            Function::Floor => argument(0).floor(),
            Function::Ceil => argument(0).ceil(),
            Function::Round => argument(0).round(),
            Function::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
            Function::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

const MAX_LENGTH: usize = 256;
const MAX_DEPTH: usize = 32;

/// A recursive descent over the text: a sum of products of signed primaries.
struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

type Parsed = Result<Node, String>;

impl Parser<'_> {
    fn sum(&mut self) -> Parsed {
        let mut left = self.product()?;
        while let Some(operator @ (b'+' | b'-')) = self.peek() {
            self.at += 1;
            left = Node::Binary(operator, Box::new(left), Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Parsed {
        let mut left = self.signed()?;
        while let Some(operator @ (b'*' | b'/')) = self.peek() {
            self.at += 1;
            left = Node::Binary(operator, Box::new(left), Box::new(self.signed()?));
        }
        Ok(left)
    }

    fn signed(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("is nested deeper than {MAX_DEPTH}"));
        }
        let node = match self.peek() {
            Some(b'-') => {
                self.at += 1;
                Node::Negate(Box::new(self.signed()?))
            }
            Some(b'+') => {
                self.at += 1;
                self.signed()?
            }
            _ => self.primary()?,
        };
        self.depth -= 1;
        Ok(node)
    }

    fn primary(&mut self) -> Parsed {
        match self.peek() {
            Some(b'(') => {
                self.at += 1;
                let node = self.sum()?;
                self.close()?;
                Ok(node)
            }
            Some(byte) if byte.is_ascii_digit() || byte == b'.' => self.number(),
            Some(byte) if byte.is_ascii_alphabetic() => self.name(),
            _ => Err(self.unexpected()),
        }
    }

    fn number(&mut self) -> Parsed {
        let place = self.place();
        let word = self.word(|byte| byte.is_ascii_digit() || byte == b'.');
        word.parse().map(Node::Number).map_err(|_| format!("has the malformed number '{word}' at character {place}"))
    }

    fn name(&mut self) -> Parsed {
        let place = self.place();
        let word = self.word(|byte| byte.is_ascii_alphanumeric() || byte == b'_').to_owned();
        if word == "retried" {
            return Ok(Node::Retried);
        }
        let (_, function, fewest, most) = Function::TABLE
            .into_iter()
            .find(|(name, ..)| *name == word)
            .ok_or_else(|| format!("has the unknown name '{word}' at character {place}"))?;
        if self.peek() != Some(b'(') {
            return Err(format!("lacks the parenthesis after '{word}' at character {place}"));
        }
        let mut arguments = Vec::new();
        loop {
            self.at += 1;
            arguments.push(self.sum()?);
            if self.peek() != Some(b',') {
                break;
            }
        }
        self.close()?;
        if (fewest..=most).contains(&arguments.len()) {
            Ok(Node::Call(function, arguments))
        } else {
            Err(format!("calls '{word}' at character {place} with {} arguments instead of {fewest}", arguments.len()))
        }
    }

    fn close(&mut self) -> Result<(), String> {
        if self.peek() == Some(b')') {
            self.at += 1;
            return Ok(());
        }
        Err(match self.peek() {
            None => "lacks a closing parenthesis".to_owned(),
            Some(_) => self.unexpected(),
        })
    }

    /// The next byte that is not a blank.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn word(&mut self, belongs: impl Fn(u8) -> bool) -> &str {
        let start = self.at;
        while self.text.as_bytes().get(self.at).is_some_and(|byte| belongs(*byte)) {
            self.at += 1;
        }
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn unexpected(&self) -> String {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            None => "ends too early".to_owned(),
            Some(character) => {
                format!("has an unexpected '{}' at character {}", shown(&character.to_string()), self.place())
            }
        }
    }

    /// Where the reader is, counted from 1. What lies before it is ASCII.
    fn place(&self) -> usize {
        self.at + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evaluates_the_language() {
        for (text, retried, expected) in [
            ("1000", 0, 1000.0),
            ("1000 * (1 + retried)", 2, 3000.0),
            ("pow(2, retried)", 10, 1024.0),
            ("max(10, pow(2, retried))", 2, 10.0),
            ("min(1, 2, 3) + max(4)", 0, 5.0),
            ("2 + 3 * 4 - 10 / 5", 0, 12.0),
            ("8 / 4 / 2", 0, 1.0),
            ("-(2 - 5) - -1", 0, 4.0),
            ("sqrt(16) + abs(-3) + floor(1.9) + ceil(1.1) + round(2.5)", 0, 13.0),
            ("round(exp(1) * 1000)", 0, 2718.0),
            (".5*2", 0, 1.0),
        ] {
            assert_eq!(Expression::parse(text).map(|e| e.evaluate(retried)), Ok(expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_an_expression() {
        let deep = format!("{}1{}", "(".repeat(40), ")".repeat(40));
        let long = "1+".repeat(200);
        for (text, reason) in [
            ("", "ends too early"),
            ("1 +", "ends too early"),
            ("(1", "closing parenthesis"),
            ("1)", "unexpected ')' at character 2"),
            ("1 2", "unexpected '2'"),
            (" 1..2", "malformed number '1..2' at character 2"),
            ("2 * tries", "unknown name 'tries' at character 5"),
            ("sin(1)", "unknown name 'sin'"),
            ("1 + pow(2)", "'pow' at character 5 with 1 arguments instead of 2"),
            ("sqrt(1, 2)", "with 2 arguments"),
            ("pow", "parenthesis after 'pow'"),
            ("2 ^ 3", "unexpected '^'"),
            ("1é", "unexpected 'é'"),
            (&deep, "nested deeper"),
            (&long, "longer than"),
        ] {
            let error = Expression::parse(text).unwrap_err();
            assert_eq!(error.code(), Code::InvalidExpression, "{text}");
            assert!(error.message().contains(reason), "{text}: {error}");
        }
    }
}
